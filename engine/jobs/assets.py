"""The files that a job takes along, by their content: named before it is sent, and handed over when they are asked for.

The window decides nothing by looking whether a file is there: the engine says so, when it needs it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from engine.files import open_regular
from engine.models.upscalers import Upscalers
from engine.protocol.assets import CHUNK, Asset
from engine.protocol.commands import AssetChunk, AssetRefused, Command, Derive, JobCommand, files_of
from engine.protocol.errors import BadFile
from engine.protocol.events import AssetWanted
from engine.protocol.upscaling import Upscaling


class _Named(Protocol):
    """An entry of a recipe that means a file by its content."""

    @property
    def sha256(self) -> str: ...


def one(path: Path, sha256: str) -> Asset:
    return Asset(path.name, sha256, str(path))


def of(entries: Sequence[_Named], files: Sequence[Path]) -> tuple[Asset, ...]:
    """The ``files`` of a recipe's ``entries``, in their order."""
    return tuple(one(path, entry.sha256) for entry, path in zip(entries, files, strict=True))


def network(how: Upscaling | None, upscalers: Upscalers) -> Asset | None:
    """The file of the network that ``how`` names, as far as one is needed. Raises ``ModelMissing``."""
    if how is None or not how.network:
        return None
    return one(upscalers.required(how).path, how.network)


def for_elsewhere(job: JobCommand) -> JobCommand:
    """``job`` for an engine that does not see this machine's files: no path of it means anything there."""
    checkpoint = f"checkpoints/{Path(job.checkpoint).name}" if job.checkpoint else ""
    network = _without_path(job.network_file) if job.network_file is not None else None
    job = msgspec.structs.replace(job, checkpoint=checkpoint, output_folder="", network_file=network)
    if isinstance(job, Derive):
        return msgspec.structs.replace(job, source_file=_without_path(job.source_file))
    return msgspec.structs.replace(
        job,
        model_folder=job.recipe.model,
        cache_folder="encodings" if job.cache_folder else "",
        adapter_files=tuple(map(_without_path, job.adapter_files)),
        input_files=tuple(map(_without_path, job.input_files)),
        footprints_folder="footprints" if job.footprints_folder else "",
        previews_folder="previews" if job.previews_folder else "",
        compile_folder="compiled" if job.compile_folder else "",
    )


def _without_path(asset: Asset) -> Asset:
    return msgspec.structs.replace(asset, path="")


class Offered:
    """The files of the jobs that were sent. Used from several threads: each step is a single one of a dictionary."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, Path]] = {}

    def take(self, job: JobCommand) -> None:
        self._files[job.job] = {asset.sha256: Path(asset.path) for asset in files_of(job) if asset.sha256}

    def forget(self, job: str) -> None:
        self._files.pop(job, None)

    def answer(self, wanted: AssetWanted) -> tuple[Command, bytes]:
        """The command and its blob. Nothing is handed over that no job named."""
        path = next((files[wanted.sha256] for files in list(self._files.values()) if wanted.sha256 in files), None)
        if path is None:
            return _refused(wanted, BadFile("The engine asks for a file that no job names.", "Run the job again.")), b""
        try:
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(wanted.offset)
                return AssetChunk(wanted.sha256, wanted.offset, size), file.read(CHUNK)
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return _refused(wanted, BadFile(f"{path} cannot be read: {reason}.", "Choose the file again.")), b""


def _refused(wanted: AssetWanted, error: BadFile) -> AssetRefused:
    return AssetRefused(wanted.sha256, error.info())
