"""From a file of weights to a network that can be called."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from engine.files import read_regular
from engine.models.upscalers import FILE_LIMIT
from engine.protocol.errors import BadFile, ModelDamaged, from_os_error

_SCALES = range(2, 9)
_CHOOSE = "Choose a network that makes colour pictures 2 to 8 times larger, such as an ESRGAN or a SwinIR."


@dataclass(frozen=True)
class Network:
    """``call`` takes [1, 3, H, W] in 0 … 1, of any size, and gives [1, 3, H scale, W scale]; ``module`` is what it
    runs."""

    call: Any
    module: nn.Module
    architecture: str
    scale: int
    device: torch.device


def read_network(path: Path, device: torch.device) -> Network:
    """The network in a safetensors file. Raises ``ModelDamaged``, and ``BadFile`` for one of another purpose."""
    try:
        weights = load(read_regular(path, FILE_LIMIT))
    except OSError as error:
        raise from_os_error(error, "reading the upscaler", path) from error
    except (SafetensorError, ValueError) as error:
        raise ModelDamaged(f"{path.name} is damaged: {error}.", "Import it again.") from error
    return build_network(weights, path.name, device)


def build_network(weights: Mapping[str, Tensor], name: str, device: torch.device) -> Network:
    """As ``read_network``; ``name`` is that of the file."""
    spandrel = import_spandrel()
    try:
        found = spandrel.ModelLoader(device="cpu").load_from_state_dict(spandrel.canonicalize_state_dict(weights))
    except Exception as error:  # of an unknown architecture, and whatever its code makes of wrong shapes
        raise BadFile(f"{name} holds no network that Laterna knows.", _CHOOSE) from error
    fits = isinstance(found, spandrel.ImageModelDescriptor) and (found.input_channels, found.output_channels) == (3, 3)
    if not fits or found.scale not in _SCALES:
        raise BadFile(f"{name} is a network ({found.architecture.name}) that makes no picture larger.", _CHOOSE)
    module = found.model.requires_grad_(False).eval().float()
    found.to(device)
    if device.type == "cpu":
        module.to(memory_format=torch.channels_last)  # twice as fast there
    return Network(found, module, found.architecture.name, found.scale, device)


def import_spandrel() -> ModuleType:
    with _torchvision():
        import spandrel

        return spandrel


@contextmanager
def _torchvision() -> Iterator[None]:
    """Two of spandrel's architectures, which fill in faces and holes, import three names of torchvision. Laterna takes
    neither, and torchvision would have to be of torch's own build; so where it is not installed, the names stand in for
    it while spandrel is imported."""
    if importlib.util.find_spec("torchvision") is not None or "spandrel" in sys.modules:
        yield
        return
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    stand_ins = {name: ModuleType(name) for name in names}
    for wanted in ("InterpolationMode", "rotate", "normalize"):
        setattr(stand_ins[names[-1]], wanted, None)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
