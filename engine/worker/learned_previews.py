"""Previews that learn: where a result was decoded, latents and pixels lie side by side, and a fit is kept for the VAE.

A file for each VAE, named by its content, holds the sums that the fit needs, of up to ``RESULTS`` results: whole or not
at all, so that engines that write at once lose each other at most one result.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from engine.files import read_regular
from engine.media import atomic
from engine.models.reading.component import Component
from engine.protocol.family_info import LatentRGB
from engine.worker.preview_fit import Moments, added, fitted, moments_of
from engine.worker.residency.pool import identity
from engine.worker.residency.stretches import find_stretches, reading

RESULTS = 16
"""Results that a fit is made of: later ones would change nothing that is seen."""

KEPT = 64
FILE_LIMIT = 2**18
"""Files at most, and bytes of one."""

FORGOTTEN_SECONDS = 3600.0
"""After which a temporary file belongs to an engine that has ended."""

_SAMPLE = 2**12
"""Bytes of each weight that are looked at: whatever changes a weight changes those."""

log = logging.getLogger(__name__)


def digest_of(vae: Component) -> str:
    """The same for VAEs that decode the same, wherever their files lie. Raises ``OSError`` or ``ModelDamaged``."""
    found = hashlib.sha256()
    with reading() as reader:
        for name, stretch in sorted(find_stretches(vae).items(), key=lambda one: (one[1].file, one[1].offset)):
            if name.startswith("encoder."):
                continue
            raw = torch.empty(min(stretch.bytes, _SAMPLE), dtype=torch.uint8)
            reader.read_start(stretch, raw)
            found.update(f"{name} {stretch.dtype} {stretch.type} {stretch.shape} ".encode())
            found.update(memoryview(raw.numpy()))
    return found.hexdigest()


class LearnedPreviews:
    """``folder`` None keeps what was learned in memory alone. Nothing here may stop a job: what fails is logged."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._memory: dict[str, Moments] = {}
        self._digests: dict[Hashable, str] = {}

    def find(self, vae: Component, channels: int) -> LatentRGB | None:
        """What was learned of ``vae``, if anything."""
        try:
            moments = self._read(self._digest(vae), channels)
            return None if moments is None else fitted(moments).rgb
        except Exception:
            log.warning("A learned preview could not be used", exc_info=True)
            return None

    def learn(self, vae: Component, latents: Tensor, frames: Tensor) -> None:
        """``latents`` [B, T, C, h, w] were decoded to ``frames`` [B, F, H, W, 3] uint8."""
        try:
            key = self._digest(vae)
            before = self._read(key, latents.shape[2])
            if before is not None and before.results >= RESULTS:
                return
            found = moments_of(latents, frames)
            self._write(key, found if before is None else added(before, found))
        except Exception:
            log.warning("A preview could not be learned", exc_info=True)

    def _digest(self, vae: Component) -> str:
        key = identity(vae, "")
        if key not in self._digests:
            self._digests[key] = digest_of(vae)
        return self._digests[key]

    def _read(self, key: str, channels: int) -> Moments | None:
        if self.folder is None:
            return self._memory.get(key)
        path = self.folder / f"{key}.json"
        try:
            found = msgspec.json.decode(read_regular(path, FILE_LIMIT), type=Moments)
            if found.is_sound() and found.channels == channels:
                os.utime(path)
                return found
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        with suppress(OSError):  # whatever is wrong with it, it is learned anew
            path.unlink()
        return None

    def _write(self, key: str, moments: Moments) -> None:
        if not moments.is_sound():
            return
        if self.folder is None:
            self._memory[key] = moments
            return
        with atomic.replacing(self.folder / f"{key}.json", durable=False) as temporary:
            temporary.write_bytes(msgspec.json.encode(moments))
        if moments.results == 1:  # a new file
            self._prune()

    def _prune(self) -> None:
        """The files that were used longest ago go, and what killed engines left."""
        assert self.folder is not None
        ages = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another engine's, which has its name by now
                    ages.append((entry.stat().st_mtime, entry.path, entry.name))
        ages.sort()
        whole = [path for _, path, name in ages if not name.startswith(atomic.TEMPORARY_PREFIX)]
        left = [
            path
            for age, path, name in ages
            if name.startswith(atomic.TEMPORARY_PREFIX) and age < time.time() - FORGOTTEN_SECONDS
        ]
        for path in (*whole[: max(0, len(whole) - KEPT)], *left):
            with suppress(OSError):
                os.unlink(path)
