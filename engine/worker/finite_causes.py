"""What a result that is not finite is told with: where it arose, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

import torch
from torch import nn

from engine.protocol.errors import NotFinite
from engine.worker.finite import NotFiniteFound, is_finite
from engine.worker.loaded_model import Model
from engine.worker.residency.residency import ModelResidency

Where = Literal["encoding", "picture", "denoising", "decoding"]


@contextmanager
def telling(where: Where, model: Model, *names: str) -> Iterator[None]:
    """``NotFiniteFound`` within becomes ``NotFinite``; ``names`` are the components at work."""
    try:
        yield
    except NotFiniteFound as found:
        there = [name for name in names if model.has(name)]
        raise _explained(_sentence(where, found.step, found.steps), model, there) from found


def _sentence(where: Where, step: int, steps: int) -> str:
    if where == "encoding":
        return "Reading the prompt gave numbers that are not finite: all that is made with it would be black."
    if where == "picture":
        return "Encoding the picture gave numbers that are not finite: all that is made from it would be black."
    if where == "decoding":
        return "Decoding gave numbers that are not finite: the result would be black, and is not saved."
    return f"Step {step} of {steps} gave numbers that are not finite: the result would be black."


def _explained(what: str, model: Model, names: list[str]) -> NotFinite:
    """With the remedy, and the setting that it is about."""
    for name in names:
        if _is_broken(model, name):
            label = next(spec.label for spec in model.family.components if spec.name == name)
            return NotFinite(what, f"The files of the {label} hold such numbers themselves: get the model again.")
    parts = [model.residency.parts[name] for name in names if name in model.residency.parts]
    loras = " and ".join(model.adapters.changing(names))
    if loras:
        return NotFinite(what, f"Take {loras} off, or give it less strength, and try again.", field="adapters")
    if any(part.weights != "native" for part in parts):
        return NotFinite(what, "Take the model's weights as they are in its files, and try again.", field="weights")
    if any(part.compute == torch.float16 for part in parts):
        return NotFinite(what, "The model computes in float16 here, whose range is small: get it in bfloat16.")
    return NotFinite(what, "Check the model's files on the models page; if they are whole, try a lower guidance.")


def _is_broken(model: Model, name: str) -> bool:
    """Whether a weight of ``name`` that is in memory is not finite; those that are streamed are not there."""
    held, part = model.pool.get(model.key(name)), model.residency.parts.get(name)
    if held is None or part is None or not isinstance(held.part, nn.Module):
        return False
    if part.storage == torch.float16 and model.folder.parts[name].dtype != "F16":
        return False  # they may have left its range here
    there = (weight for weight in held.part.parameters() if weight.untyped_storage().nbytes() >= weight.nbytes)
    return not all(is_finite(weight) for weight in there)


def with_float32(residency: ModelResidency, name: str) -> ModelResidency | None:
    """``residency`` with ``name`` in float32 throughout; None where it is so already."""
    part = residency.parts[name]
    if part.compute == torch.float32:
        return None
    wide = replace(part, storage=torch.float32, compute=torch.float32)
    return replace(residency, parts=residency.parts | {name: wide})
