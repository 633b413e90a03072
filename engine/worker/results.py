"""The results of a job as files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from engine.interop import a1111
from engine.media import metadata
from engine.media.environment import Environment
from engine.media.pixels import pixels_sha256
from engine.media.save import save_image, save_video
from engine.protocol.commands import Generate
from engine.protocol.errors import LaternaError
from engine.protocol.events import OutputFile
from engine.worker import pipelines
from engine.worker.device import describe, versions


def save(frames: Tensor, job: Generate, device: torch.device, is_compiled: bool = False) -> tuple[OutputFile, ...]:
    """Write each result of the batch, [B, T, H, W, 3] uint8. Raises ``NoSpace`` or ``NotWritable``.

    A name that is taken is passed over, unless that file is this very result: an engine that ended after saving and
    before it could say so leaves such files, and the second try makes no copies of them.
    """
    recipe = job.recipe.for_files()
    environment = Environment.current(describe(device).name, versions())
    environment = msgspec.structs.replace(environment, compiled=is_compiled)
    more = {a1111.KEY: a1111.write(recipe)} if job.a1111_parameters else {}
    is_clip = pipelines.get(recipe.family).info.kind == "video"
    files: list[OutputFile] = []
    for index, clip in enumerate(frames.numpy()):
        pixels = clip if is_clip else clip[0]
        digest = pixels_sha256(pixels)
        used = {file.path for file in files}
        while True:
            path, is_there = _place(job, index, ".mp4" if is_clip else ".png", digest, used)
            with suppress(FileExistsError):  # another took the name while this one was written: the next
                if not is_there and is_clip:
                    save_video(pixels, path, recipe.fps, recipe, environment, new=True)
                elif not is_there:
                    save_image(pixels, path, recipe, environment, more, new=True)
                break
        files.append(OutputFile(str(path), digest, index))
    return tuple(files)


def _place(job: Generate, index: int, suffix: str, digest: str, used: set[str]) -> tuple[Path, bool]:
    """``stem``, then ``stem_2``, ``stem_3`` …, and whether this very result is there already."""
    number = index + 1
    while True:
        name = f"{job.file_stem}_{number}{suffix}" if number > 1 else f"{job.file_stem}{suffix}"
        path = Path(job.output_folder) / name
        if not os.path.lexists(path):
            return path, False
        if str(path) not in used and _is_this(path, job, digest):
            return path, True
        number += 1


def _is_this(path: Path, job: Generate, digest: str) -> bool:
    try:
        found = metadata.read(path)
    except (OSError, LaternaError):
        return False
    return found.recipe == job.recipe.for_files() and found.pixels_sha256 == digest
