"""One window for a library: a second start finds the first, hands over what it was given, and raises its window.

Who is first is decided by a lock on a file beside the library, which the system lets go of however a process ends; so
nothing stale can be left. The first then listens on a local socket that only this user can reach. Windows, macOS and
Linux; no Qt module but QtCore is imported before the window is shown.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from PySide6.QtCore import QObject

from engine.protocol.errors import LibraryBusy, from_os_error

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

PATIENCE_SECONDS = 5.0
MAX_MESSAGE = 64 * 1024
_ANSWER = b"raised\n"


class SingleInstance(QObject):
    """``claim`` before the window is made, ``listen`` once it is there."""

    def __init__(self, data: Path) -> None:
        """``data`` is the folder of the library's database."""
        super().__init__()
        self._data = data
        self._lock: IO[bytes] | None = None
        self._server: QLocalServer | None = None
        self._wanted: Callable[[list[str]], None] | None = None

    @property
    def address(self) -> str:
        """Where the first window listens: the same for the same folder, another one for each user."""
        user = os.environ.get("USERNAME", "") if sys.platform == "win32" else ""
        name = hashlib.sha256(f"{user}\0{self._data.resolve()}".encode()).hexdigest()[:20]
        if sys.platform == "win32":
            return f"laterna-{name}"
        return str(_private_folder() / f"{name}.socket")

    def claim(self) -> bool:
        """Whether this process is the first. Raises ``NotWritable`` or ``NoSpace``."""
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            lock = (self._data / "window.lock").open("ab")
        except OSError as error:
            raise from_os_error(error, "opening the library", self._data) from error
        if not _lock(lock):
            lock.close()
            return False
        self._lock = lock
        return True

    def listen(self, wanted: Callable[[list[str]], None]) -> None:
        """Call ``wanted`` with the files that a later start was given, on this thread; it raises the window."""
        from PySide6.QtNetwork import QLocalServer

        self._wanted = wanted
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self.address)  # of a window that was killed: the lock says that it is gone
        if server.listen(self.address):
            server.newConnection.connect(self._connected)
        self._server = server

    def hand_over(self, files: list[str], patience: float = PATIENCE_SECONDS) -> None:
        """Ask the first window to come to the front and open ``files``. Raises ``LibraryBusy`` where it does not
        answer."""
        from PySide6.QtNetwork import QLocalSocket

        message = json.dumps({"open": [os.path.abspath(file) for file in files]}).encode() + b"\n"
        end = time.monotonic() + patience
        while time.monotonic() < end:
            socket = QLocalSocket()
            socket.connectToServer(self.address)
            if socket.waitForConnected(500):
                socket.write(message)
                socket.waitForBytesWritten(1000)
                if socket.waitForReadyRead(2000) and bytes(socket.readAll().data()) == _ANSWER:
                    return
            time.sleep(0.1)  # it may have only just been started
        raise LibraryBusy(
            "Laterna is already open with this library, but its window does not answer.",
            "Look for it, or end it; or start this one with another --home.",
        )

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _connected(self) -> None:
        server = self._server
        while server is not None and (socket := server.nextPendingConnection()) is not None:
            socket.readyRead.connect(partial(self._read, socket))
            socket.disconnected.connect(socket.deleteLater)
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        """One line of JSON; anything else is not answered."""
        if not socket.canReadLine():
            if socket.bytesAvailable() > MAX_MESSAGE:
                socket.abort()
            return
        files = _files_in(bytes(socket.readLine(MAX_MESSAGE).data()))
        if files is None or self._wanted is None:
            socket.abort()
            return
        self._wanted(files)
        socket.write(_ANSWER)
        socket.disconnectFromServer()


def _files_in(line: bytes) -> list[str] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    files = said.get("open") if isinstance(said, dict) else None
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        return None
    return files


def _private_folder() -> Path:
    """A folder that belongs to this user alone, on a short path (a socket's name has at most about 100 bytes)."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and _is_private(Path(runtime)):
        return Path(runtime)
    folder = Path(tempfile.gettempdir()) / f"laterna-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    if not _is_private(folder):
        raise LibraryBusy(
            f"{folder} is not this user's own, so no second window can be found.", "Remove it, and start again."
        )
    return folder


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _lock(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # a file system without locks: do without
    return True
