"""The files of a job, by their content: where they lie if this machine has them, else from the window, kept by hash.

A file that the window names by a path is taken from there as it is, once its hash was seen to agree. What has to be
fetched comes in chunks, each asked for, so that neither side holds more than one in memory; a fetch that was cut goes
on where it stopped. What arrived is believed when its hash agrees, and is kept, the longest unused going first beyond a
bound.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from engine.media import atomic
from engine.models.hashing import hash_file
from engine.protocol.assets import Asset, checked_sha256
from engine.protocol.commands import AssetChunk, AssetRefused, Derive, JobCommand, files_of
from engine.protocol.errors import BadFile, from_info, from_os_error
from engine.protocol.events import AssetWanted

KEPT_BYTES = 16 * 2**30
PART = ".part"
_LOOK_AGAIN = 0.1

Fetching = Callable[[str, float], None]
"""Told the name of a file that is being fetched and the fraction of it that is here; may raise."""


class Assets:
    """``ask`` sends a wish to the window, ``check`` raises once the job is to stop; ``arrived`` may be called from any
    thread, the rest from the one that runs jobs."""

    def __init__(
        self,
        folder: Path,
        ask: Callable[[AssetWanted], None],
        check: Callable[[], None],
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._folder = folder
        self._ask = ask
        self._check = check
        self._kept_bytes = kept_bytes
        self._answers: SimpleQueue[tuple[AssetChunk | AssetRefused, bytes]] = SimpleQueue()
        self._seen: dict[tuple[str, int, int], str] = {}
        self._in_use: set[str] = set()

    def arrived(self, answer: AssetChunk | AssetRefused, blob: bytes) -> None:
        self._answers.put((answer, blob))

    def settled(self, job: JobCommand, fetching: Fetching = lambda name, fraction: None) -> JobCommand:
        """``job`` with the place of each of its files on this machine. Raises ``BadFile`` with what is wrong."""
        self._in_use = {asset.sha256 for asset in files_of(job)}
        if job.network_file is not None:
            job = msgspec.structs.replace(job, network_file=self._settled(job.network_file, fetching))
        if isinstance(job, Derive):
            # It may be a long clip, and the job holds it to its content itself.
            return msgspec.structs.replace(job, source_file=self._settled(job.source_file, fetching, is_held=True))
        return msgspec.structs.replace(
            job,
            adapter_files=tuple(self._settled(asset, fetching) for asset in job.adapter_files),
            input_files=tuple(self._settled(asset, fetching) for asset in job.input_files),
        )

    def _settled(self, asset: Asset, fetching: Fetching, is_held: bool = False) -> Asset:
        if not asset.sha256 or (is_held and Path(asset.path).is_file()):
            return asset  # whoever reads it says what is wrong with it
        checked_sha256(asset.sha256)
        path = self._here(asset) or self._kept(asset) or self._fetched(asset, fetching)
        return msgspec.structs.replace(asset, path=str(path))

    def _here(self, asset: Asset) -> Path | None:
        """Where the window says that it lies. Raises ``BadFile`` where something else lies there."""
        if not asset.path:
            return None
        path = Path(asset.path)
        try:
            stat = path.stat()
            key = (asset.path, stat.st_size, stat.st_mtime_ns)
            if key not in self._seen:
                self._seen[key] = hash_file(path, lambda count: self._check())[0]
        except (OSError, ValueError):
            return None
        if self._seen[key] != asset.sha256:
            raise BadFile(f"{path} is no longer the file that the recipe was made with.", "Choose the file again.")
        return path

    def _kept(self, asset: Asset) -> Path | None:
        """One that was fetched before. Its time is set, for the order in which they go."""
        for path in sorted((self._folder / asset.sha256).glob("*")):
            with suppress(OSError):
                os.utime(path)
                return path
        return None

    def _fetched(self, asset: Asset, fetching: Fetching) -> Path:
        part = self._folder / f"{asset.sha256}{PART}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            while True:
                was_cut = part.exists() and part.stat().st_size > 0
                self._fetch(asset, part, fetching)
                if hash_file(part, lambda count: self._check())[0] == asset.sha256:
                    break
                part.unlink()
                if not was_cut:
                    raise BadFile(f"{asset.name} did not arrive with the content that the recipe names.", _AGAIN)
            name = Path(asset.name).name
            target = self._folder / asset.sha256 / (name if name.strip(".") else "file")
            target.parent.mkdir(exist_ok=True)
            os.replace(part, target)
            atomic.sync_folder(target.parent)
        except OSError as error:
            raise from_os_error(error, f"fetching {asset.name}", self._folder) from error
        self._bound()
        return target

    def _fetch(self, asset: Asset, part: Path, fetching: Fetching) -> None:
        """Bring ``part`` to its end. What is there already is what stood at the start of the file."""
        with part.open("ab") as file:
            offset = file.tell()
            while True:
                chunk, blob = self._asked(asset, offset)
                if chunk.size > self._kept_bytes:
                    most = self._kept_bytes // 2**20
                    raise BadFile(f"{asset.name} is larger than the {most} MiB that the engine keeps.", _SMALLER)
                if not blob:
                    break
                file.write(blob)
                offset += len(blob)
                fetching(asset.name, min(1.0, offset / max(1, chunk.size)))
                if offset >= chunk.size:
                    break
            file.flush()
            os.fsync(file.fileno())

    def _asked(self, asset: Asset, offset: int) -> tuple[AssetChunk, bytes]:
        self._ask(AssetWanted(asset.sha256, offset))
        while True:
            self._check()
            try:
                answer, blob = self._answers.get(timeout=_LOOK_AGAIN)
            except Empty:
                continue
            if answer.sha256 != asset.sha256:
                continue  # for a job that was cancelled
            if isinstance(answer, AssetRefused):
                raise from_info(answer.error)
            if answer.offset == offset:
                return answer, blob

    def _bound(self) -> None:
        """Remove the longest unused beyond the bound, none of this job's, and parts that nobody goes on with."""
        kept: list[tuple[float, int, Path]] = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.name.endswith(PART):
                    if time.time() - path.stat().st_mtime > _PART_SECONDS:
                        path.unlink()
                    continue
                for file in path.iterdir():
                    stat = file.stat()
                    kept.append((stat.st_mtime, stat.st_size, file))
        total = sum(size for _time, size, _file in kept)
        for _time, size, file in sorted(kept):
            if total <= self._kept_bytes:
                break
            if file.parent.name not in self._in_use:
                shutil.rmtree(file.parent, ignore_errors=True)
                total -= size


_AGAIN = "Choose the file again."
_SMALLER = "Choose a smaller file."
_PART_SECONDS = 7 * 24 * 3600.0
