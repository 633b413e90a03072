"""What an engine says that it made, believed only where it is there: files, or bytes that become files, whole or not at
all."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.media import atomic
from engine.models.hashing import hash_file
from engine.protocol.errors import LaternaError, ProtocolError, from_os_error
from engine.protocol.events import JobCancelled, JobFailed, JobFinished, OutputFile


def believed(event: JobFinished | JobFailed | JobCancelled) -> JobFinished | JobFailed | JobCancelled:
    """``event`` of an engine that shares this machine's files; a ``JobFailed`` where one that it names is not there."""
    if not isinstance(event, JobFinished):
        return event
    lost = [file.path for file in sorted(event.files, key=lambda file: file.index) if not Path(file.path).is_file()]
    if event.files and not lost:
        return event
    error = ProtocolError(
        f"The engine says that it saved {lost[0] if lost else 'a result'}, which is not there.", _AGAIN
    )
    return JobFailed(event.job, error.info())


class Received:
    """The results of one job, on their way into ``folder``. Used from the reader's thread."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._files: dict[int, tuple[Path, BinaryIO]] = {}
        self._failure: OSError | None = None

    def add(self, index: int, data: bytes) -> None:
        if self._failure is not None:
            return
        try:
            if index not in self._files:
                path = self._folder / f"{atomic.TEMPORARY_PREFIX}{secrets.token_hex(8)}"
                self._files[index] = path, path.open("xb")
            self._files[index][1].write(data)
        except OSError as error:  # told at the end: until then the engine goes on sending
            self._failure = error

    def ended(self, event: JobFinished | JobFailed | JobCancelled) -> JobFinished | JobFailed | JobCancelled:
        """``event`` with the paths of what arrived; a ``JobFailed`` where that is not what was sent."""
        try:
            if not isinstance(event, JobFinished) or not event.files:
                return believed(event)
            return msgspec.structs.replace(event, files=tuple(map(self._keep, event.files)))
        except LaternaError as error:
            return JobFailed(event.job, error.info())
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what has not become a file."""
        for path, file in self._files.values():
            with suppress(OSError):
                file.close()
            path.unlink(missing_ok=True)
        self._files.clear()

    def _keep(self, file: OutputFile) -> OutputFile:
        target = self._folder / Path(file.path).name
        try:
            if self._failure is not None:
                raise self._failure
            if file.index not in self._files:
                raise ProtocolError(f"The engine says that it made {target.name}, and did not send it.", _AGAIN)
            path, written = self._files[file.index]
            written.flush()
            os.fsync(written.fileno())
            written.close()
            if hash_file(path)[0] != file.sha256:
                raise ProtocolError(f"{target.name} did not arrive as it was sent.", _AGAIN)
            target = atomic.move_new(path, self._names(target.name))
            atomic.sync_folder(self._folder)
        except OSError as error:
            raise from_os_error(error, "saving the result", target) from error
        del self._files[file.index]
        return msgspec.structs.replace(file, path=str(target))

    def _names(self, name: str) -> Iterator[Path]:
        """``name`` in the folder, then with ``_2``, ``_3`` …, without end."""
        stem, suffix = Path(name).stem, Path(name).suffix
        yield self._folder / name
        for number in itertools.count(2):
            yield self._folder / f"{stem}_{number}{suffix}"


_AGAIN = "Run the job again; if it happens again, report it."
