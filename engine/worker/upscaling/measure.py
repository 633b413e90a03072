"""What has to be known of a network before a picture is made larger with it: how far it looks, what it needs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.worker.residency.live_bytes import LiveBytes
from engine.worker.upscaling.loading import Network

OVERLAPS = (16, 32, 48, 64)
"""Multiples of the windows of all known networks."""
SIDE, CORE = 208, 48
_HALF = 0.5 / 255


@dataclass(frozen=True)
class Measured:
    """As in ``UpscalerFacts``."""

    overlap: int
    memory: int
    seconds: float


@torch.inference_mode()
def measured(network: Network) -> Measured:
    """Call ``network``, which is on the processor, on a picture of edges, slopes and noise."""
    picture = sample_picture().to(network.device)
    with LiveBytes([*network.module.parameters(), *network.module.buffers()]) as counter:
        held = counter.live
        network.call(picture[..., :64, :64])
    memory = (counter.cost().peak - held) // 64**2
    began = time.process_time()  # a busy machine shows less in it
    whole = network.call(picture)
    seconds = (time.process_time() - began) / torch.get_num_threads() / (SIDE**2 / 1e6)
    return Measured(_overlap(network, picture, whole), int(memory), round(seconds, 2))


def _overlap(network: Network, picture: Tensor, whole: Tensor) -> int:
    """The least overlap from which on a part of the picture comes out as in the whole; the most, where none does."""
    scale, begin, end = network.scale, (SIDE - CORE) // 2, (SIDE + CORE) // 2
    for overlap in OVERLAPS:
        first, last = begin - overlap, end + overlap
        part = network.call(picture[..., first:last, first:last])
        inner = slice(overlap * scale, (overlap + CORE) * scale)
        outer = slice(begin * scale, end * scale)
        if (part[..., inner, inner] - whole[..., outer, outer]).abs().max() <= _HALF:
            return overlap
    return OVERLAPS[-1]


def sample_picture() -> Tensor:
    """[1, 3, SIDE, SIDE] in 0 … 1, the same on every machine."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    slopes = torch.stack([x / SIDE, y / SIDE, (x + y) / (2 * SIDE)])
    edges = ((x // 13 + y // 17) % 2).float() * 0.5
    stripes = ((x + 2 * y) % 7 < 3).float() * 0.3
    noise = torch.rand(3, SIDE, SIDE, generator=generator) * 0.2
    return (0.3 * slopes + edges + torch.where(x > y, stripes, noise)).clamp(0, 1)[None]
