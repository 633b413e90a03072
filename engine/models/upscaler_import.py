"""Upscalers that a person has, as files: taken into the folder of the upscalers as safetensors, and out of it again.

The file is read in a process of its own (``engine.worker.upscaling.convert``), because building the network takes torch
and a ``.pth`` is a pickle.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.media import atomic
from engine.media.known import digest_of
from engine.models.safetensors_header import read_header
from engine.models.upscalers import FILE_LIMIT, ConvertedUpscaler, Upscaler, UpscalerFacts, Upscalers, facts_path
from engine.protocol.errors import (
    BadFile,
    ErrorInfo,
    LaternaError,
    ModelMissing,
    UnknownFailure,
    from_info,
    from_os_error,
)
from resources import PROGRAM

PICKLED = (".pth", ".pt")
SAFE = (".safetensors", ".sft")
PATIENCE = 600.0
_REMOVED = ".removed"


def may_be_upscaler(path: Path) -> bool:
    """By its name and header: a file of weights that convolves a colour picture, and is no model's."""
    suffix = path.suffix.lower()
    try:
        if not path.is_file() or path.stat().st_size > FILE_LIMIT:
            return False
        if suffix in PICKLED:
            return True
        if suffix not in SAFE:
            return False
        shapes = [tensor.shape for tensor in read_header(path).tensors.values()]
    except (OSError, LaternaError):
        return False
    return any(len(shape) == 4 and shape[1] in (3, 12, 48) for shape in shapes)


def import_upscaler(path: Path, folder: Path, name: str = "") -> Upscaler:
    """Take the network in ``path`` into ``folder``, which takes seconds. One that is here already is not taken twice.

    Raises what is wrong with the file: ``BadFile``, ``ModelDamaged``, ``UnsafeModel``; and ``NoSpace`` and so on.
    """
    path, upscalers = path.expanduser().absolute(), Upscalers(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=atomic.TEMPORARY_PREFIX) as scratch:
            made = Path(scratch) / "network.safetensors"
            found = _converted(path, made)
            digest = digest_of(made, FILE_LIMIT)
            if (there := upscalers.find(digest)) is not None:
                return there
            facts = UpscalerFacts(digest, *msgspec.structs.astuple(found))
            target = folder / f"{_free(upscalers, _clean(name or path.stem))}.safetensors"
            atomic.write_bytes(facts_path(target), msgspec.json.format(msgspec.json.encode(facts), indent=1))
            os.replace(made, target)
    except OSError as error:
        raise from_os_error(error, "keeping the upscaler", folder) from error
    return Upscaler(target.stem, target, facts)


def remove_upscaler(name: str, folder: Path) -> Callable[[], None]:
    """Take it out; what is returned puts it back, until the next one is taken out. Raises ``ModelMissing`` where there
    is none of that name, ``BadFile`` for one that ships."""
    one = next((one for one in Upscalers(folder).all() if one.name == name), None)
    if one is None:
        raise ModelMissing(f"There is no upscaler “{name}” on this machine.", "“models list” shows what there is.")
    if one.ships:
        raise BadFile(f"{name} ships with Laterna.", "Only imported upscalers can be removed.")
    aside = folder / _REMOVED
    files = (one.path, facts_path(one.path))
    try:
        aside.mkdir(exist_ok=True)
        for left in aside.iterdir():
            left.unlink()
        for file in files:
            os.replace(file, aside / file.name)
    except OSError as error:
        raise from_os_error(error, "removing the upscaler", folder) from error

    def restore() -> None:
        try:
            for file in reversed(files):
                os.replace(aside / file.name, file)
        except OSError as error:
            raise from_os_error(error, "putting the upscaler back", folder) from error

    return restore


def _converted(path: Path, target: Path) -> ConvertedUpscaler:
    command = [sys.executable, "-m", "engine.worker.upscaling.convert", str(path), str(target)]
    try:
        done = subprocess.run(command, cwd=PROGRAM, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise BadFile(
            f"{path.name} was not understood within {PATIENCE / 60:.0f} minutes.", "Choose a smaller network."
        ) from error
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    try:
        if done.returncode == 0:
            return msgspec.json.decode(lines[-1], type=ConvertedUpscaler)
        raise from_info(msgspec.json.decode(lines[-1], type=ErrorInfo))
    except (IndexError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnknownFailure(
            f"Reading {path.name} ended without an answer.",
            "Try again; if it happens again, report it with the details.",
            detail=done.stderr.decode("utf-8", "replace")[-4000:],
        ) from error


def _free(upscalers: Upscalers, wanted: str) -> str:
    taken = {one.name for one in upscalers.all()}
    return next(name for number in range(1, 1000) if (name := _numbered(wanted, number)) not in taken)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _clean(name: str) -> str:
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip(".-_")
    return cleaned[:80] or "upscaler"
