"""A network built empty and given its weights one by one: all of them, or those outside of its blocks.

Nothing is there twice: each weight is read to where it stays, in the form in which it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.models.reading.component import GET_AGAIN, Component
from engine.protocol.errors import ModelDamaged
from engine.worker.residency.networks import blocks_of
from engine.worker.residency.reads import Reads, reads_for
from engine.worker.residency.reduced import ReducedLinear
from engine.worker.residency.residency import Residency
from engine.worker.residency.stretches import Stretch, reading


def build_skeleton(
    cls: Any, part: Component, stretches: dict[str, Stretch], residency: Residency, whole: bool = False
) -> tuple[nn.Module, Reads]:
    """An instance of ``cls`` (diffusers or transformers) with weights as ``residency`` keeps them, and each one's read.

    Blocks' weights have their shapes, but no memory (``placeholder``), unless the network is to be ``whole``. Raises
    ``ModelDamaged`` where the files do not fit the configuration.
    """
    network = _empty(cls, part.config, residency.storage, torch.device("meta"))
    if any(name not in stretches for name, _ in network.named_buffers()):
        network = _empty(cls, part.config, residency.storage, _EmptyOnMeta())
    _check(network, part, stretches)
    reads = reads_for(network, part, stretches, residency)
    inside = {id(weight) for block in blocks_of(network) for weight in block.parameters() if not whole}
    with reading() as reader:
        for module_name, module in network.named_modules():
            for tensors in (module._parameters, module._buffers):
                for name, tensor in list(tensors.items()):
                    full = f"{module_name}.{name}" if module_name else name
                    read = reads.get(full)
                    if tensor is None or read is None:
                        continue
                    is_reduced = isinstance(module, ReducedLinear) and name != "bias"
                    kept = tensor.dtype if is_reduced else _kept_dtype(network, full, tensor, residency.storage)
                    if id(tensor) in inside:
                        tensors[name] = _parameter(placeholder(tensor.shape, kept))
                        continue
                    value = torch.empty(tensor.shape, dtype=kept)
                    read(reader, value)
                    tensors[name] = _parameter(value) if isinstance(tensor, nn.Parameter) else value
    if hasattr(network, "tie_weights"):
        network.tie_weights()
    for full, tensor in (*network.named_parameters(), *network.named_buffers()):
        if tensor.is_meta:
            raise _misfit(part, full)
    return network.eval().requires_grad_(False), reads


def _check(network: nn.Module, part: Component, stretches: dict[str, Stretch]) -> None:
    """Shapes are those of the configuration; and a single file of a network holds nothing else of it."""
    known = dict((*network.named_parameters(), *network.named_buffers()))
    for name, stretch in stretches.items():
        if name in known and stretch.shape != tuple(known[name].shape):
            raise _misfit(part, name)
        if name not in known and part.format != "diffusers" and not part.name.startswith("text_encoder"):
            raise _misfit(part, name)


def _kept_dtype(network: nn.Module, name: str, tensor: Tensor, dtype: torch.dtype) -> torch.dtype:
    """transformers keeps some layers of a T5 in float32 where the rest is float16, whose range is too small."""
    if not tensor.is_floating_point():
        return tensor.dtype
    wide = getattr(network, "_keep_in_fp32_modules", None) or ()
    is_wide = dtype == torch.float16 and any(part in wide for part in name.split("."))
    return torch.float32 if is_wide else dtype


def placeholder(shape: torch.Size, dtype: torch.dtype, device: torch.device | None = None) -> Tensor:
    """A tensor that says its shape and has the memory of one number."""
    return torch.empty((), dtype=dtype, device=device).expand(shape)


def _parameter(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value, requires_grad=False)


def _empty(cls: Any, config: dict[str, Any], dtype: torch.dtype, context: Any) -> nn.Module:
    """All of it on the meta device, or (``_EmptyOnMeta``) its parameters alone: then buffers are as ``from_pretrained``
    leaves them. Those that a file has are not computed: SD3.5 Medium's would take gigabytes for a moment."""
    with _default_dtype(dtype), context:
        if getattr(cls, "config_class", None) is not None:  # transformers'
            network: nn.Module = cls(cls.config_class(**config))
        else:
            network = cls.from_config(config)
    return network


class _EmptyOnMeta(TorchFunctionMode):
    """What is about to be filled with weights takes no memory; everything else is made as usual."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _misfit(part: Component, name: str) -> ModelDamaged:
    if part.format != "diffusers":
        what = part.name.replace("_", " ")
        return ModelDamaged(f"{part.weights[0].name} holds no whole {what}: {name}.", GET_AGAIN)
    return ModelDamaged(f"The weights in {part.weights[0].parent} do not fit their configuration: {name}.", GET_AGAIN)
