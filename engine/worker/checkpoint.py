"""Checkpoints: a job's state after a step, on disk, so that the job goes on from there, bit by bit the same.

A checkpoint is one safetensors file: latents, sampler history and generator state as tensors, and a JSON header with
the step, the facts that must not have changed (``facts_of``) and a checksum. It is written as a whole or not at all. A
file that belongs to another recipe, model, version or device, or that is damaged, is refused with a sentence.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.files import OWN_LIMIT, read_regular
from engine.media import atomic
from engine.protocol.recipe import Recipe
from engine.protocol.version import VERSION
from engine.worker.device import describe, versions
from engine.worker.finite import is_finite
from engine.worker.loaded_model import Model
from engine.worker.sampling.base import SamplerState

FORMAT = 1
HEADER = "laterna.checkpoint"  # as engine/jobs/checkpoints.py reads it
MAX_HEADER = 16 * 1024 * 1024
FIXED_COST = 0.01
BYTES_PER_SECOND = 200e6
"""What writing is expected to cost, until it has been measured."""

_GROUPS = ("history", "reuse")
"""Of the sampler's state: dictionaries of tensors."""

_REASONS = {
    "format": "it was saved by another version of Laterna",
    "laterna": "it was saved by another version of Laterna",
    "stack": "it was saved with other versions of the libraries",
    "recipe": "it belongs to another recipe",
    "model": "the model's files have changed since",
    "device": "it was saved on another device",
    "conditioning": "the prompt is read in another way now",
    "plan": "it was saved under another memory plan",
}

log = logging.getLogger(__name__)


class CheckpointRefused(Exception):
    """The file cannot be used; the message completes "The saved state is not used: …"."""


@dataclass(frozen=True)
class Saved:
    """A state to go on from. With ``step == steps`` denoising is done and only decoding is left."""

    state: SamplerState
    steps: int
    bytes: int

    @property
    def is_denoised(self) -> bool:
        return self.state.step >= self.steps


@dataclass(frozen=True)
class Written:
    """Step ``step`` of ``steps`` is on the disk, in ``bytes`` bytes."""

    step: int
    steps: int
    bytes: int


def facts_of(model: Model, recipe: Recipe, conditioning: Iterable[str], memory_level: int = 0) -> dict[str, Any]:
    """Everything besides the latents that decides the pixels of the remaining steps.

    ``conditioning`` are the keys under which prompts are cached. What the memory plan changes in the pixels is under
    ``plan``; a checkpoint of a lower ``memory_level`` than the job has now is taken although its plan was another one,
    because the level is raised when memory ran out.
    """
    device = model.residency.device
    found = describe(device)
    threads = torch.get_num_threads() if device.type == "cpu" else 0
    return {
        "format": FORMAT,
        "laterna": VERSION,
        "stack": versions(),
        "recipe": _digest(_by_content(recipe).to_json()),
        "model": _digest(model.folder.fingerprint()),
        "device": [found.kind, found.name, threads],
        "conditioning": sorted(conditioning),
        "plan": model.residency.pixel_facts(),
        "memory_level": memory_level,
    }


def _by_content(recipe: Recipe) -> Recipe:
    """Inputs that are known by their content may be called anything."""
    return recipe.replace(inputs=tuple(one.replace(path="") if one.sha256 else one for one in recipe.inputs))


class Checkpoint:
    """The checkpoint of one job. ``path`` None makes every method do nothing.

    ``share`` is the part of the run's time that writing may take; ``pace`` how much slower than expected writing was
    the last time, to begin with.
    """

    def __init__(self, path: Path | None, facts: dict[str, Any], share: float, pace: float = 1.0) -> None:
        self._path = path
        self._facts = facts
        self._share = share
        self._since = self._began = time.monotonic()
        self._failed = False
        self._latest: tuple[SamplerState, int] | None = None
        self.pace = pace
        self.spent = 0.0

    def load(self, device: torch.device, shape: tuple[int, ...]) -> Saved | None:
        """What is there, with latents of ``shape``; None where there is nothing. Raises ``CheckpointRefused``."""
        if self._path is None:
            return None
        try:
            raw = read_regular(self._path, OWN_LIMIT)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CheckpointRefused(f"it cannot be read ({error.strerror})") from error
        try:
            found = _decode(raw)
        except Exception as error:  # whatever is wrong with the file, the job starts over
            raise CheckpointRefused("it is damaged") from error
        self._compare(found.header["facts"])
        if found.checksum != found.header["checksum"]:
            raise CheckpointRefused("it is damaged")
        latents = found.tensors.get("latents")
        if latents is None or tuple(latents.shape) != shape or not is_finite(latents):
            raise CheckpointRefused("it is damaged")
        try:
            known = {"step": int(found.header["step"]), "latents": latents, "generator": found.tensors["generator"]}
            state = SamplerState.from_dict(known | {group: found.group(group) for group in _GROUPS}, device)
            return Saved(state, int(found.header["steps"]), len(raw))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointRefused("it is damaged") from error

    def begin(self) -> None:
        """The work that checkpoints may take a share of begins now."""
        self._since = self._began = time.monotonic()

    def reached(self, state: SamplerState, steps: int) -> None:
        """``state`` is whole behind one of ``steps`` steps; it is kept in memory until it is written."""
        self._latest = (state.copy(), steps)

    def save_if_due(self) -> Written | None:
        """Write what was reached if it is worth more than the writing; None where nothing was written."""
        if self._latest is None or self._path is None or self._failed:
            return None
        state, steps = self._latest
        now, cost = time.monotonic(), self._expected_cost(state)
        is_last = state.step >= steps
        kept_back = 0.0 if is_last else cost  # for the end of sampling, so that a killed decoding loses none of it
        is_due = self.spent + cost + kept_back <= self._share * (now - self._began)
        is_due = is_due and (is_last or cost <= self._share * (now - self._since))
        return self.save() if is_due else None

    def save(self) -> Written | None:
        """Write what was reached and is not written yet. A full disk is no error: the job can do without."""
        if self._latest is None or self._path is None:
            return None
        (state, steps), self._latest = self._latest, None
        began = time.monotonic()
        try:
            saved = state.to_dict()
            tensors: dict[str, Tensor] = {"latents": saved["latents"], "generator": saved["generator"]}
            tensors |= {f"{group}.{name}": value for group in _GROUPS for name, value in saved[group].items()}
            tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
            size = _write(self._path, tensors, {"facts": self._facts, "step": state.step, "steps": steps})
        except Exception:
            log.warning("A checkpoint could not be written to %s", self._path, exc_info=True)
            self._failed = True
            return None
        now = time.monotonic()
        measured = (now - began) / _usual_cost(size)
        self.pace = max(measured, 0.5 * (self.pace + measured))  # dearer at once, cheaper slowly
        self.spent += now - began
        self._since = now
        return Written(state.step, steps, size)

    def discard(self) -> None:
        """The result is safe: the checkpoint is not needed any more."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _expected_cost(self, state: SamplerState) -> float:
        size = state.latents.nbytes + sum(value.nbytes for value in (*state.history.values(), *state.reuse.values()))
        return self.pace * _usual_cost(size)

    def _compare(self, saved: dict[str, Any]) -> None:
        ours = json.loads(json.dumps(self._facts))
        lowered = isinstance(saved.get("memory_level"), int) and ours["memory_level"] > saved["memory_level"]
        for name, reason in _REASONS.items():
            if saved.get(name) != ours[name] and not (lowered and name in ("plan", "conditioning")):
                raise CheckpointRefused(reason)


@dataclass(frozen=True)
class _File:
    header: dict[str, Any]
    tensors: dict[str, Tensor]
    checksum: int

    def group(self, name: str) -> dict[str, Tensor]:
        """The tensors below ``name``."""
        return {
            key.removeprefix(f"{name}."): value for key, value in self.tensors.items() if key.startswith(f"{name}.")
        }


def _write(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> int:
    from safetensors.torch import save_file

    text = json.dumps(header | {"checksum": _checksum(tensors)})
    with atomic.replacing(path) as temporary:
        save_file(tensors, temporary, metadata={HEADER: text})
        return temporary.stat().st_size


def _decode(raw: bytes) -> _File:
    from safetensors.torch import load

    (length,) = struct.unpack("<Q", raw[:8])
    if length > MAX_HEADER:
        raise ValueError("the header is absurdly long")
    header = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"][HEADER])
    if not (isinstance(header, dict) and isinstance(header.get("facts"), dict)):
        raise ValueError("the header is no header")
    tensors = load(raw)
    return _File(header, tensors, _checksum(tensors))


def _checksum(tensors: dict[str, Tensor]) -> int:
    """CRC-32 over names, shapes, types and bytes."""
    value = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        value = zlib.crc32(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode(), value)
        value = zlib.crc32(memoryview(tensor.flatten().view(torch.uint8).numpy()), value)
    return value


def _usual_cost(size: int) -> float:
    return FIXED_COST + size / BYTES_PER_SECOND


def _digest(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return hashlib.sha256(text.encode()).hexdigest()
