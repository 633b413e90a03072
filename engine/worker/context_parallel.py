"""Temporal context parallelism: the 3D causal VAE decodes one clip on several processes, exactly.

The reference decodes a clip in chunks of a few latent frames. Group norms see one chunk alone, and the only thing that
passes from a chunk to the next is each causal convolution's cache: the last frames of that layer's own input. So rank
``k mod P`` decodes chunk k, and as soon as a layer has its input it sends the last frames to the rank of the next chunk
(CogVideoX, Yang et al. 2024, arXiv:2408.06072, does the same for training its VAE). The next chunk runs one layer
behind, not one chunk; blocks of neighbouring chunks for each rank would wait for one another. Every number is computed
as in one process, so the result is equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

_HALO, _SHAPE, _RESULT = 1, 2, 3  # message tags


def chunk_bounds(latent_frames: int, size: int) -> list[tuple[int, int]]:
    """The chunks of ``AutoencoderKLCogVideoX._decode``: ``size`` latent frames each, the first takes what is left."""
    left = latent_frames % size
    count = max(latent_frames // size, 1)
    return [(size * i + (left if i else 0), size * (i + 1) + left) for i in range(count)]


@torch.no_grad()
def decode(vae: Any, latents: Tensor) -> Tensor | None:
    """Latents [B, C, T, h, w], the same on every rank of the default process group, to frames [B, 3, T', H, W] on rank
    0; None on the others. ``vae`` is an ``AutoencoderKLCogVideoX`` without tiling."""
    rank, ranks = dist.get_rank(), dist.get_world_size()
    bounds = chunk_bounds(latents.shape[2], vae.num_latent_frames_batch_size)
    own: dict[int, Tensor] = {}
    for chunk in range(rank, len(bounds), ranks):
        start, end = bounds[chunk]
        part = latents[:, :, start:end]
        if vae.post_quant_conv is not None:
            part = vae.post_quant_conv(part)
        with _halo(vae.decoder, chunk, len(bounds)):
            own[chunk] = vae.decoder(part, conv_cache=None)[0]
    if rank:
        for result in own.values():
            shape = torch.tensor(result.shape)
            dist.send(shape, 0, tag=_SHAPE)
            dist.send(result.contiguous(), 0, tag=_RESULT)
        return None
    return torch.cat([own[i] if i in own else _receive(i % ranks, latents) for i in range(len(bounds))], dim=2)


def _receive(rank: int, like: Tensor) -> Tensor:
    shape = torch.empty(5, dtype=torch.int64)
    dist.recv(shape, rank, tag=_SHAPE)
    result = like.new_empty(shape.tolist())
    dist.recv(result, rank, tag=_RESULT)
    return result


@contextmanager
def _halo(decoder: torch.nn.Module, chunk: int, chunks: int) -> Iterator[None]:
    """Each causal convolution takes its cache from the rank of the chunk before, and passes its own on, before it
    computes. Layers run in the same order on every rank, so messages need no names."""
    ranks = dist.get_world_size()
    sending: list[tuple[Any, Tensor]] = []

    def exchange(module: Any, inputs: tuple[Tensor], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        (x,) = inputs
        keep = module.time_kernel_size - 1
        before = [x[:, :, :1]] * keep
        if chunk:
            cache = x.new_empty(*x.shape[:2], keep, *x.shape[3:])
            dist.recv(cache, (chunk - 1) % ranks, tag=_HALO)
            options["conv_cache"] = cache
            before = [cache]
        if chunk + 1 < chunks:
            tail = torch.cat([*before, x], dim=2)[:, :, -keep:].contiguous()
            sending.append((dist.isend(tail, (chunk + 1) % ranks, tag=_HALO), tail))
        return inputs, options

    hooks = [
        module.register_forward_pre_hook(exchange, with_kwargs=True)
        for module in decoder.modules()
        if getattr(module, "time_kernel_size", 1) > 1
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    for work, _ in sending:
        work.wait()
