"""A network over a picture, tile by tile: memory is that of one tile, and no seam shows.

Each tile reaches beyond the part of it that is used, by at least as far as the network looks (to within half of 1/255).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch

from engine.media.pixels import Pixels
from engine.protocol.upscaling import Upscaling
from engine.worker.finite import check_finite
from engine.worker.upscaling.loading import Network


def enlarged(frame: Pixels, network: Network, how: Upscaling, check: Callable[[], None]) -> Pixels:
    """``frame`` ([H, W, 3] uint8) as [H scale, W scale, 3]. ``check`` is called before each layer, and may raise.
    Raises ``NotFiniteFound``."""
    made = frame
    scale = 1
    while scale < how.scale and (scale == 1 or scale * network.scale <= how.scale):
        made = _pass(made, network, how, check, min(network.scale, how.scale))
        scale *= min(network.scale, how.scale)
    if scale < how.scale:  # a network of 2 cannot make 3
        height, width = frame.shape[:2]
        size = (width * how.scale, height * how.scale)
        made = cv2.resize(made, size, interpolation=cv2.INTER_LANCZOS4).astype(np.uint8)
    return made


def _pass(frame: Pixels, network: Network, how: Upscaling, check: Callable[[], None], scale: int) -> Pixels:
    """Once through the network. A smaller ``scale`` than its own is made by averaging, which stays within what comes of
    one pixel of the source, and so of one tile."""
    height, width = frame.shape[:2]
    made = np.empty((height * scale, width * scale, 3), np.uint8)
    hooks = [
        layer.register_forward_pre_hook(lambda *_: check())
        for layer in network.module.modules()
        if next(layer.children(), None) is None
    ]
    try:
        for top, bottom, y in spans(height, how):
            for left, right, x in spans(width, how):
                check()
                tile = _called(frame[y.start : y.stop, x.start : x.stop], network)
                if scale != network.scale:
                    size = ((x.stop - x.start) * scale, (y.stop - y.start) * scale)
                    tile = cv2.resize(tile, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
                within = tile[
                    (top - y.start) * scale : (bottom - y.start) * scale,
                    (left - x.start) * scale : (right - x.start) * scale,
                ]
                made[top * scale : bottom * scale, left * scale : right * scale] = within
    finally:
        for hook in hooks:
            hook.remove()
    return made


def spans(length: int, how: Upscaling) -> Iterator[tuple[int, int, range]]:
    """For each tile along one side: from where to where it is used, and what it sees."""
    if length <= how.tile:
        yield 0, length, range(length)
        return
    step = how.tile - 2 * how.overlap
    at = 0
    while at < length:
        until = min(length, at + step)
        yield at, until, range(max(0, at - how.overlap), min(length, until + how.overlap))
        at = until


@torch.inference_mode()
def _called(tile: Pixels, network: Network) -> Pixels:
    pixels = torch.from_numpy(np.array(tile, order="C")).to(network.device).permute(2, 0, 1)[None]
    made = network.call(pixels.float().div_(255))
    check_finite(made)
    return made[0].clamp_(0, 1).mul_(255).round_().byte().permute(1, 2, 0).contiguous().cpu().numpy()
