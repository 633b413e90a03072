"""The folders that Laterna writes to: whether it may, how much is free, and how fast the disk under the models is."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from engine.doctor.finding import Finding, gigabytes, good, note, wrong
from engine.logs.redact import redact

PROBE_BYTES = 128 * 2**20
PROBE_SECONDS = 4.0
BLOCK = 4 * 2**20
FEW_BYTES = 2 * 2**30
SLOW_READING = 150e6


def folders(places: Mapping[str, Path]) -> list[Finding]:
    """One finding for each folder that cannot be written, or one that says that all can."""
    faults = [finding for name, path in places.items() if (finding := _unwritable(name, path)) is not None]
    return faults or [good("folders", f"All {len(places)} folders can be written.")]


def _unwritable(name: str, path: Path) -> Finding | None:
    where = next((folder for folder in (path, *path.parents) if folder.exists()), path)
    try:
        with tempfile.TemporaryFile(dir=where):
            return None
    except OSError as error:
        return wrong(
            "folders",
            f"The folder for {name}, {redact(str(path))}, cannot be written: {error.strerror or error}.",
            "Give yourself the right to write there, or name another folder: --home DIR.",
        )


def space(models: Path, output: Path) -> list[Finding]:
    found = []
    for name, path in (("models", models), ("pictures and clips", output)):
        where = next(folder for folder in (path, *path.parents) if folder.exists())
        free = shutil.disk_usage(where).free
        text = f"{gigabytes(free)} are free for {name}."
        if free < FEW_BYTES:
            found.append(wrong("space", text, "Free some space, or move the folder in the settings.", free_bytes=free))
        else:
            found.append(good("space", text, free_bytes=free))
    return found


def speed(models: Path, byte_count: int = PROBE_BYTES) -> Finding:
    """Writes a file beside the models and reads it back past the system's cache; both end after some seconds."""
    where = next(folder for folder in (models, *models.parents) if folder.exists())
    if shutil.disk_usage(where).free < byte_count * 4:
        return note("disk speed", "Too little is free to measure the disk.")
    block = os.urandom(BLOCK)
    try:
        with tempfile.NamedTemporaryFile(dir=where, prefix=".laterna-doctor-") as file:
            began = time.perf_counter()
            written = 0
            while written < byte_count and time.perf_counter() - began < PROBE_SECONDS:
                written += file.write(block)
            file.flush()
            os.fsync(file.fileno())
            writing = written / (time.perf_counter() - began)
            reading, past_cache = _reading(file.fileno(), written)
    except OSError as error:
        return note("disk speed", f"The disk could not be measured: {error.strerror or error}.")
    figures = {"read_bytes_per_second": reading, "write_bytes_per_second": writing}
    text = f"The models' disk reads {reading / 1e6:,.0f} MB and writes {writing / 1e6:,.0f} MB a second."
    if not past_cache:
        text += " The system's cache could not be passed by: the disk itself may be slower."
    if reading < SLOW_READING:
        return note(
            "disk speed",
            text,
            "A model that does not fit in memory is read anew in every step: "
            "put the models on a faster disk (Settings, Models).",
            **figures,
        )
    return good("disk speed", text, **figures)


def _reading(descriptor: int, count: int) -> tuple[float, bool]:
    """Bytes a second, and whether the system's cache was out of the way."""
    past_cache = False
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, count, os.POSIX_FADV_DONTNEED)
            past_cache = True
    began = time.perf_counter()
    os.lseek(descriptor, 0, os.SEEK_SET)
    done = 0
    while done < count and time.perf_counter() - began < PROBE_SECONDS:
        done += len(os.read(descriptor, BLOCK)) or count
    return done / max(time.perf_counter() - began, 1e-9), past_cache
