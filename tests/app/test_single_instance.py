from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app import single_instance
from app.single_instance import SingleInstance
from engine.protocol.errors import LibraryBusy, NotWritable

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.single_instance import SingleInstance
app = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
assert instance.claim()
instance.listen(lambda files: print("wanted", *files, flush=True))
print("ready", flush=True)
app.exec()
"""

LATER = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.single_instance import SingleInstance
app = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
assert not instance.claim()
instance.hand_over(sys.argv[2:])
"""


@pytest.fixture(autouse=True)
def private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is the first on ``tmp_path / data``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "data")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_hands_over_and_the_first_hears_it(qapp: object, tmp_path: Path, holder) -> None:
    second = SingleInstance(tmp_path / "data")
    assert not second.claim()
    second.hand_over(["some file.png", str(tmp_path / "ü.mp4")])
    assert holder.stdout.readline() == f"wanted {Path.cwd() / 'some file.png'} {tmp_path / 'ü.mp4'}\n"
    second.hand_over([])
    assert holder.stdout.readline() == "wanted\n"


def test_another_library_is_another_window(tmp_path: Path, holder) -> None:
    other = SingleInstance(tmp_path / "other")
    assert other.claim()
    assert other.address != SingleInstance(tmp_path / "data").address
    other.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_first_leaves_nothing_in_the_way(qtbot: QtBot, tmp_path: Path, holder, number: int) -> None:
    holder.send_signal(number)
    holder.wait()
    address = SingleInstance(tmp_path / "data").address
    assert Path(address).exists() or number == signal.SIGTERM, "the socket of the killed one is still there"
    second = SingleInstance(tmp_path / "data")
    assert second.claim()
    heard: list[list[str]] = []
    second.listen(heard.append)
    third = subprocess.Popen(
        [sys.executable, "-c", LATER, str(tmp_path / "data"), "/x.png"], env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    qtbot.waitUntil(lambda: third.poll() is not None, timeout=30_000)
    assert third.returncode == 0
    assert heard == [["/x.png"]]
    second.close()


def test_a_first_that_does_not_answer_is_a_sentence(qapp: object, tmp_path: Path, holder) -> None:
    holder.send_signal(signal.SIGSTOP)
    second = SingleInstance(tmp_path / "data")
    assert not second.claim()
    with pytest.raises(LibraryBusy, match="does not answer"):
        second.hand_over([], patience=0.5)


@pytest.mark.parametrize(
    "message", [b"nonsense\n", b"[]\n", b'{"open": "x"}\n', b'{"open": [1]}\n', b"[" * 5000 + b"\n", b"x" * 100_000]
)
def test_nonsense_is_not_answered(qtbot: QtBot, tmp_path: Path, message: bytes) -> None:
    first = SingleInstance(tmp_path / "data")
    assert first.claim()
    heard: list[list[str]] = []
    first.listen(heard.append)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(first.address)
        stranger.setblocking(False)
        with suppress(BlockingIOError):
            stranger.sendall(message)
        gone: list[bytes] = []

        def closed() -> bool:
            try:
                gone.append(stranger.recv(100))
            except BlockingIOError:
                return False
            except ConnectionResetError:
                gone.append(b"")
            return True

        qtbot.waitUntil(closed)
    assert gone == [b""]
    assert heard == []
    first.close()


def test_only_this_user_reaches_the_socket(qapp: object, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path / "data")
    assert first.claim()
    first.listen(lambda files: None)
    assert Path(first.address).stat().st_mode & 0o077 == 0
    first.close()


def test_a_folder_that_is_not_private_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared))
    monkeypatch.setattr(single_instance.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = single_instance._private_folder()
    assert folder == tmp_path / f"laterna-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    folder.symlink_to(shared)
    with pytest.raises(LibraryBusy):
        single_instance._private_folder()


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotWritable):
        SingleInstance(tmp_path / "file" / "data").claim()
