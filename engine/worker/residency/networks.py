"""The networks that Laterna runs, built from their configurations without memory, and called once at a given size."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from engine.families.registry import NETWORK_CLASSES

BLOCKS = ("transformer_blocks", "encoder.block", "text_model.encoder.layers", "encoder.layers")
"""Where a network keeps its equal blocks, which can be streamed one after the other."""

VAE_SCALE = 8


def build(cls: str, config: dict[str, Any], dtype: torch.dtype) -> nn.Module:
    """The network on the meta device, in ``dtype``."""
    kind = NETWORK_CLASSES[cls]
    module = importlib.import_module(kind.module)
    with torch.device("meta"):
        if kind.config_class:
            network = getattr(module, cls)(getattr(module, kind.config_class)(**_without_names(config)))
        else:
            network = getattr(module, cls).from_config(_without_names(config))
    network.eval().requires_grad_(False)
    replace_tensors(network, lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)
    return network


def _without_names(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if not name.startswith("_") and name != "dtype"}


def place(network: nn.Module, device: str = "cpu") -> None:
    """Give every weight storage on ``device``; under ``FakeTensorMode`` it is fake."""
    replace_tensors(network, lambda t: torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device=device))


def replace_tensors(network: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
    """Every parameter and buffer by ``change`` of it; what is shared stays shared."""
    changed: dict[int, tuple[Tensor, Tensor]] = {}  # with the old one, which keeps its id from being used again
    for module in network.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in list(tensors.items()):
                if tensor is None:
                    continue
                if id(tensor) not in changed:
                    new = change(tensor)
                    is_weight = isinstance(tensor, nn.Parameter)
                    changed[id(tensor)] = tensor, nn.Parameter(new, requires_grad=False) if is_weight else new
                tensors[name] = changed[id(tensor)][1]


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """The network's equal blocks, in their order; none for a VAE."""
    known = NETWORK_CLASSES.get(type(network).__name__)
    for path in (known.blocks,) if known is not None and known.blocks else BLOCKS:
        try:
            found = network.get_submodule(path)
        except AttributeError:
            continue
        if isinstance(found, nn.ModuleList):
            return list(found)
    return []


def call_denoiser(
    network: Any,
    config: dict[str, Any],
    batch: int,
    size: tuple[int, int, int],
    text: int,
    make: Callable[..., Tensor] = torch.empty,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """One pass. ``size``: latent frames, height and width in pixels. ``make`` gives the inputs from their shapes;
    ``dtype`` is that of the arithmetic where it is not that of the weights."""
    frames, height, width = size
    module, _, name = NETWORK_CLASSES[type(network).__name__].call.partition(":")
    call = getattr(importlib.import_module(module), name)
    latent = (frames, height // VAE_SCALE, width // VAE_SCALE)
    output: Tensor = call(network, config, batch, latent, text, make, dtype or network.dtype)
    return output


def call_text(network: Any, tokens: int) -> Any:
    ids = torch.empty(1, tokens, dtype=torch.long)
    if NETWORK_CLASSES[type(network).__name__].tokens:  # a CLIP: hidden layers are what is read of it
        return network(ids, output_hidden_states=True)
    return network(ids)[0]


def decode(network: Any, batch: int, frames: int, height: int, width: int) -> Tensor:
    """Latents to pixels in 0 … 1, on the VAE's device."""
    h, w, channels = height // VAE_SCALE, width // VAE_SCALE, network.config["latent_channels"]
    latents = torch.empty(batch, channels, h, w, dtype=network.dtype)
    if is_video(network):
        count = (frames - 1) // network.config["temporal_compression_ratio"] + 1
        latents = torch.empty(batch, channels, count, h, w, dtype=network.dtype)
    decoded = network.decode(latents, return_dict=False)[0]
    return (decoded * 0.5 + 0.5).clamp(0, 1)


def encode(network: Any, batch: int, frames: int, height: int, width: int) -> Tensor:
    shape = (batch, 3, frames, height, width) if is_video(network) else (batch, 3, height, width)
    return network.encode(torch.empty(shape, dtype=network.dtype)).latent_dist.mode().float()


def is_video(network: Any) -> bool:
    known = NETWORK_CLASSES.get(type(network).__name__)
    return known is not None and known.is_video


def set_tiles(network: Any, tile: tuple[int, int] | None) -> None:
    """Tile a VAE's decoding in ``tile`` pixels (height, width), or not at all.

    A picture's VAE keeps the tile of its training size (1024) unless both of its sizes are set, and then does nothing
    at 1024 pixels and below. A clip's VAE needs sides that its overlaps (a sixth, a fifth) divide, or its seams shift.
    """
    if tile is None:
        network.disable_tiling()
        return
    if is_video(network):
        network.enable_tiling(tile_sample_min_height=tile[0], tile_sample_min_width=tile[1])
        return
    network.enable_tiling()
    network.tile_sample_min_size = tile[0]
    network.tile_latent_min_size = tile[0] // VAE_SCALE


def tile_for(network: Any, height: int, width: int) -> tuple[int, int]:
    """A tile that really divides a frame of ``height`` × ``width`` pixels, as large as memory usually bears."""
    if is_video(network):
        return network.tile_sample_min_height, network.tile_sample_min_width
    side = next((side for side in (512, 256, 128) if side < max(height, width)), 64)
    return side, side


@contextmanager
def tiles(network: Any, tile: tuple[int, int] | None) -> Iterator[None]:
    """``set_tiles`` for as long as the block runs."""
    set_tiles(network, tile)
    try:
        yield
    finally:
        set_tiles(network, None)
