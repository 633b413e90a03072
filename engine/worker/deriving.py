"""One derivation from its source to its file. A clip is made in parts of ``PART`` frames, each on the disk once it is
whole, so that a job that was stopped, or whose engine was killed, goes on behind the last of them; no more than a part
is held. A picture is one step: it begins again."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.derive.kind import Kind, Medium
from engine.derive.kinds import kind_of
from engine.derive.sources import origin_of, reader_of
from engine.files import TEXT_LIMIT, read_regular
from engine.jobs.checkpoints import parts_of
from engine.media import atomic, metadata, mp4, png, tags
from engine.media.environment import Environment
from engine.media.known import CLIP_LIMIT, digest_of
from engine.media.pixels import Pixels, parts_sha256, pixels_sha256
from engine.protocol.commands import Derive
from engine.protocol.errors import BadRecipe, LaternaError, from_os_error
from engine.protocol.events import JobFinished, OutputFile
from engine.protocol.upscaling import Upscaling
from engine.protocol.version import VERSION
from engine.worker.cancel import Cancellation
from engine.worker.checkpoint import HEADER
from engine.worker.device import PeakMemory, describe, versions
from engine.worker.previews import small
from engine.worker.progress import Emit, Progress
from engine.worker.upscaling.networks import UpscalerNetworks

PART = 24


def derive(
    job: Derive,
    cancellation: Cancellation,
    emit: Emit,
    device: torch.device,
    networks: UpscalerNetworks | None = None,
) -> JobFinished:
    """Make and save what ``job`` asks for. Raises ``LaternaError``s."""
    progress, source, peak = Progress(job.job, emit), Path(job.source_file.path), PeakMemory(device)
    peak.start()
    kind = kind_of(job.derivation)
    _hold_to_content(job, source)
    medium = origin_of(source).medium
    made = kind.result(job.derivation, medium)
    networks = networks or UpscalerNetworks(device, lambda: None)
    work = _Work(job, kind, source, medium, made, cancellation, progress, device, networks)
    file = work.picture() if made.kind == "image" else work.clip()
    return JobFinished(job.job, (file,), progress.seconds, peak.bytes())


def _hold_to_content(job: Derive, source: Path) -> None:
    try:
        found = digest_of(source, CLIP_LIMIT)
    except OSError as error:
        raise from_os_error(error, "reading the source", source) from error
    if found != job.derivation.source.sha256:
        raise BadRecipe(f"{source} is no longer what the job was asked to work on.", "Choose it again.", field="source")


class _Work:
    def __init__(
        self,
        job: Derive,
        kind: Kind,
        source: Path,
        medium: Medium,
        made: Medium,
        cancellation: Cancellation,
        progress: Progress,
        device: torch.device,
        networks: UpscalerNetworks,
    ) -> None:
        self._job, self._kind, self._source, self._made, self._device = job, kind, source, made, device
        self._cancellation, self._progress, self._networks = cancellation, progress, networks
        self._medium = medium
        self._read = reader_of(source, medium, cancellation.check)
        self._texts = {
            tags.DERIVATION: job.derivation.for_files().to_json(),
            tags.ENVIRONMENT: Environment.current(describe(device).name, versions()).to_json(),
        }
        if job.recipe is not None:
            self._texts[tags.RECIPE] = job.recipe.for_files().to_json()

    def _frames(self, start: int) -> Iterator[Pixels]:
        return self._kind.frames(self._job.derivation, self._medium, self._read, start, self)

    def check(self) -> None:
        self._cancellation.check()

    def enlarged(self, frame: Pixels, how: Upscaling) -> Pixels:
        return self._networks.enlarged(frame, how, self._job.network_file, self.check)

    def picture(self) -> OutputFile:
        with self._progress.stage("working"):
            (pixels,) = self._frames(0)
            self._progress.preview(1, small(pixels))
        digest = pixels_sha256(pixels)
        with self._progress.stage("saving"), self._cancellation.interruptible():
            data = png.encode(pixels, self._said(digest))
            path = self._write(".png", digest, lambda at: at.write_bytes(data))
        return OutputFile(str(path), digest)

    def clip(self) -> OutputFile:
        parts = _Parts(self._job, self._made.frames, self._progress, self._device)
        self._progress.decode_seconds = 0.0
        with self._progress.stage("working"):
            parts.resume()
            frames = self._frames(parts.done)
            began, done = time.monotonic(), parts.done
            while parts.add(islice(self._told(frames, parts.done), PART), self._made):
                now = time.monotonic()
                each, began, done = (now - began) / (parts.done - done), now, parts.done
                self._progress.step(parts.done, max(parts.done, self._made.frames), each)
        digest = parts_sha256(parts.digests)
        with self._progress.stage("saving"):
            self._cancellation.check()
            said = self._said(digest)
            path = self._write(".mp4", digest, lambda at: mp4.join(parts.files(), at, said, self._source))
        parts.discard()
        return OutputFile(str(path), digest)

    def _told(self, frames: Iterator[Pixels], done: int) -> Iterator[Pixels]:
        for number, frame in enumerate(frames, done + 1):
            self._progress.at("working", number / max(number, self._made.frames))
            if (number - 1) % PART == 0:
                self._progress.preview(number, small(frame))
            yield frame

    def _said(self, digest: str) -> dict[str, str]:
        return self._texts | {tags.PIXELS_SHA256: digest}

    def _write(self, suffix: str, digest: str, write: Any) -> Path:
        """Under a name that nobody has, unless this very result is there already; returns its path."""
        while True:
            path, is_there = _place(self._job, suffix, digest)
            if is_there:
                return path
            try:
                with atomic.replacing(path, new=True) as temporary:
                    write(temporary)
                return path
            except FileExistsError:
                continue  # another took the name meanwhile
            except OSError as error:
                raise from_os_error(error, "saving the result", path) from error


class _Parts:
    """The whole parts of a clip, in a folder beside the job's checkpoint, which names them with their hashes."""

    def __init__(self, job: Derive, frames: int, progress: Progress, device: torch.device) -> None:
        self._path = Path(job.checkpoint) if job.checkpoint else None
        self._folder = parts_of(self._path) if self._path else Path(job.output_folder) / f".laterna-{job.job}.parts"
        self._frames, self._progress = frames, progress
        self._facts: dict[str, object] = {
            "laterna": VERSION,
            "derivation": hashlib.sha256(job.derivation.by_content().to_json().encode()).hexdigest(),
            "part": PART,
            "libraries": [np.__version__, _cv2_version(), _av_version()],
        }
        if job.network_file is not None:
            self._facts["device"] = [str(torch.__version__), describe(device).name, torch.get_num_threads()]
        self.digests: list[str] = []
        self._hashes: list[str] = []
        self.done = 0

    def files(self) -> list[Path]:
        return [self._folder / f"{number:06}.mp4" for number in range(len(self.digests))]

    def resume(self) -> None:
        """Go on behind the parts that are there and whole; what cannot be used is said."""
        header = self._header()
        if header is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self.digests, self._hashes, self.done = header["digests"], header["files"], int(header["step"])
            self._progress.resumed(self.done, max(self.done, self._frames))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, "keeping what is done", self._folder) from error

    def add(self, frames: Iterator[Pixels], made: Medium) -> bool:
        """Encode the next part and note it; False where there are no more frames."""
        first = next(frames, None)
        if first is None:
            return False
        digests: list[str] = []

        def hashed() -> Iterator[Pixels]:
            for frame in chain([first], frames):
                cut = np.ascontiguousarray(frame[: made.height, : made.width])
                digests.append(pixels_sha256(cut))
                yield cut

        file = self._folder / f"{len(self.digests):06}.mp4"
        try:
            with atomic.replacing(file) as temporary:
                mp4.encode_frames(hashed(), made.width, made.height, temporary, made.fps, {})
            self._hashes.append(digest_of(file, CLIP_LIMIT))
        except OSError as error:
            raise from_os_error(error, "keeping what is done", file) from error
        self.digests.append(parts_sha256(digests))
        self.done += len(digests)
        self._note()
        return True

    def discard(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _note(self) -> None:
        if self._path is None:
            return
        header = {"facts": self._facts, "step": self.done, "steps": max(self.done, self._frames)}
        text = json.dumps(header | {"digests": self.digests, "files": self._hashes})
        raw = json.dumps({"__metadata__": {HEADER: text}}).encode()
        with suppress(OSError):  # the job can do without
            atomic.write_bytes(self._path, len(raw).to_bytes(8, "little") + raw)
            self._progress.saved(self.done, max(self.done, self._frames), len(raw))

    def _header(self) -> dict[str, Any] | None:
        """What was noted, if it belongs to this very job and every part is whole."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            raw = read_regular(self._path, TEXT_LIMIT)
            header: dict[str, Any] = json.loads(json.loads(raw[8:])["__metadata__"][HEADER])
            is_ours = header["facts"] == self._facts
            files = [self._folder / f"{number:06}.mp4" for number in range(len(header["digests"]))]
            is_whole = [digest_of(file, CLIP_LIMIT) for file in files] == header["files"]
            if is_ours and is_whole and int(header["step"]) > 0:
                return header
            self._progress.refused("it belongs to another job" if not is_ours else "it is damaged")
        except (OSError, ValueError, KeyError, TypeError):
            self._progress.refused("it is damaged")
        return None


def _place(job: Derive, suffix: str, digest: str) -> tuple[Path, bool]:
    """``stem``, then ``stem_2`` …, and whether this very result is there already."""
    number = 1
    while True:
        name = f"{job.file_stem}_{number}{suffix}" if number > 1 else f"{job.file_stem}{suffix}"
        path = Path(job.output_folder) / name
        if not path.exists():
            return path, False
        with suppress(OSError, LaternaError):
            found = metadata.read(path)
            if found.derivation == job.derivation.for_files() and found.pixels_sha256 == digest:
                return path, True
        number += 1


def _cv2_version() -> str:
    import cv2

    return str(cv2.__version__)


def _av_version() -> str:
    import av

    return str(av.__version__)
