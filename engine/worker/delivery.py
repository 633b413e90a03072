"""Results for a window that does not see this machine's files: saved here as always, and sent as bytes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.files import open_regular
from engine.protocol.assets import CHUNK
from engine.protocol.commands import JobCommand
from engine.protocol.errors import from_os_error
from engine.protocol.events import Event, JobFinished, OutputFile, ResultChunk

Emit = Callable[[Event, bytes], None]


def delivering(job: JobCommand, folder: Path, run: Callable[[JobCommand], JobFinished], emit: Emit) -> JobFinished:
    """``run(job)``; where the job names no folder for its results, in one below ``folder`` from which they are sent."""
    if job.output_folder:
        return run(job)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place:
            finished = run(msgspec.structs.replace(job, output_folder=place))
            files = tuple(_sent(job.job, file, emit) for file in finished.files)
            return msgspec.structs.replace(finished, files=files)
    except OSError as error:
        raise from_os_error(error, "sending the result", folder) from error


def _sent(job: str, file: OutputFile, emit: Emit) -> OutputFile:
    digest = hashlib.sha256()
    with open_regular(Path(file.path)) as saved:
        while data := saved.read(CHUNK):
            digest.update(data)
            emit(ResultChunk(job, file.index), data)
    return msgspec.structs.replace(file, path=Path(file.path).name, sha256=digest.hexdigest())
