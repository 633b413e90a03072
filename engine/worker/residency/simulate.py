"""What a network needs at any size, by calling it without memory: ``FakeTensorMode`` under a count of live bytes.

The fake device is "cpu": there attention is fused, as it is on a GPU; fake "cuda" and "meta" take the plain one, which
holds whole attention matrices. Peaks do not depend on the number of blocks, work grows with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from engine.families.registry import NETWORK_CLASSES
from engine.memory.footprint import (
    CallCost,
    Footprint,
    Lines,
    denoiser_features,
    relevant,
    text_features,
    vae_features,
)
from engine.worker.residency import networks
from engine.worker.residency.live_bytes import LiveBytes

TEXT_TOKENS = (77, 128, 256, 512)
PICTURES = ((512, 512), (768, 1344), (1024, 1024), (1440, 1440), (2048, 2048))  # height, width in pixels
CLIPS = ((1, 480, 720), (3, 256, 256), (3, 480, 720), (13, 480, 720), (21, 768, 1360))  # latent frames, height, width
VAE_CLIPS = (
    (1, 256, 256), (1, 320, 480), (9, 256, 256), (9, 320, 480), (17, 256, 256), (17, 320, 480), (25, 256, 256),
)  # fmt: skip
"""Frames, height and width in pixels."""

PICTURE_TILES = ((512, 512), (256, 256))
CLIP_TILES = ((240, 360), (144, 240), (96, 160))
"""Multiples of 6·8 and 5·8 pixels: the overlaps of a clip's VAE divide only those without a shift."""

TILED_PICTURES = ((1.25, 1.0, 1), (2.0, 2.0, 1), (2.0, 3.0, 1), (3.0, 4.0, 1))
TILED_CLIPS = ((2.0, 2.0, 17), (2.0, 2.0, 25), (2.0, 1.0, 17))
"""Sizes that are simulated in tiles: rows and columns in sides of a tile, and frames."""

TILED_FEATURES = (0, 2)
"""A tile's own work is always the same; what grows is the results."""

Point = tuple[tuple[float, ...], CallCost]


@dataclass(frozen=True)
class SimulatedNetwork:
    """A network of fake tensors in its ``FakeTensorMode``."""

    network: nn.Module
    config: dict[str, Any]
    mode: FakeTensorMode

    def run(self, call: Callable[[Any], Any]) -> CallCost:
        """One call of ``call(network)``; peaks without the weights."""
        with torch.no_grad(), self.mode:
            weights = [*self.network.parameters(), *self.network.buffers()]
            with LiveBytes(weights) as counter:
                held = counter.live
                call(self.network)
        found = counter.cost()
        return CallCost(found.peak - held, found.flops, found.moved, found.ops)


def open_network(cls: str, config: dict[str, Any], dtype: torch.dtype) -> SimulatedNetwork:
    """A fake network of ``config`` in ``dtype``. Takes a second or two for the largest.

    Tiles are put together without blending their seams: that is done in place, row by row, and takes no memory.
    """
    network = networks.build(cls, config, dtype)
    if NETWORK_CLASSES[cls].kind == "vae":
        network.blend_v = network.blend_h = lambda one, other, extent: other
    mode = FakeTensorMode()
    with mode:
        networks.place(network)
    return SimulatedNetwork(network, config, mode)


@dataclass(frozen=True)
class Stack:
    """A transformer of many equal blocks by a few small ones: work grows by the same for each block, peaks do not.

    ``parts`` are networks with how often each one's work counts.
    """

    config: dict[str, Any]
    parts: tuple[tuple[int, SimulatedNetwork], ...]

    def run(self, call: Callable[[Any], Any]) -> CallCost:
        works = [(count, part.run(call)) for count, part in self.parts]
        return CallCost(
            max(work.peak for _, work in works),
            sum(count * work.flops for count, work in works),
            sum(count * work.moved for count, work in works),
            sum(count * work.ops for count, work in works),
        )


def open_stack(cls: str, config: dict[str, Any], dtype: torch.dtype) -> Stack:
    """``config``'s transformer. With d dual blocks among n: A (one of each kind and the last) + (d - 1) (B - A)
    + (n - d - 1) (C - A), where B has one dual block more and C one plain block more."""

    other = NETWORK_CLASSES[cls].other_blocks

    def small(dual: int, plain: int) -> SimulatedNetwork:
        layers: dict[str, Any] = {"num_layers": dual + plain}
        if other in config:
            layers[other] = list(range(dual))
        return open_network(cls, config | layers, dtype)

    dual, layers = len(config.get(other) or ()), int(config["num_layers"])
    if layers < 3 or dual >= layers:
        return Stack(config, ((1, open_network(cls, config, dtype)),))
    some = min(1, dual)
    more_plain = layers - dual - 2 if some == 0 else layers - dual - 1
    base = small(some, 1 if some else 2)
    parts = [(1 - more_plain - (dual - some), base), (more_plain, small(some, 2 if some else 3))]
    if dual > some:
        parts.append((dual - some, small(some + 1, 1)))
    return Stack(config, tuple(parts))


def footprint(cls: str, config: dict[str, Any]) -> Footprint:
    """Simulate ``cls`` over its usual sizes and put lines through what it needed. Takes seconds to a minute.

    In bfloat16; float32 holds and moves twice the bytes (nearly: what is kept in float32 either way counts twice).
    """
    if NETWORK_CLASSES[cls].kind == "denoiser":
        points = _denoiser(cls, open_stack(cls, anywhere(cls, config), torch.bfloat16))
    elif NETWORK_CLASSES[cls].kind == "text":
        points = _text(open_network(cls, config, torch.bfloat16))
    else:
        points = _vae(open_network(cls, config, torch.bfloat16))
    calls: dict[str, Lines] = {}
    for call, found in points.items():
        lines = fit(found, TILED_FEATURES if "/" in call else None)
        calls[f"{call}@2"] = lines
        calls[f"{call}@4"] = Lines(_twice(lines.peak), lines.flops, _twice(lines.moved), lines.ops)
    whole = networks.build(cls, config, torch.bfloat16)
    in_blocks = [_parameters(block) for block in networks.blocks_of(whole)]
    layers = [_parameters(module) for module in whole.modules() if not list(module.children())]
    return Footprint(
        cls=cls,
        config=relevant(cls, config),
        parameters=_parameters(whole),
        in_blocks=sum(in_blocks),
        largest_block=max(in_blocks, default=0),
        largest_layer=max(layers, default=0),
        blocks=len(in_blocks),
        calls=calls,
    )


def anywhere(cls: str, config: dict[str, Any]) -> dict[str, Any]:
    """``config`` as it takes every size."""
    instead = NETWORK_CLASSES[cls].any_size
    return config | {name: value for name, value in instead.items() if config.get(name)}


def _twice(line: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(2 * value for value in line)


def _parameters(module: nn.Module) -> int:
    found = {id(tensor): tensor.numel() for tensor in (*module.parameters(), *module.buffers())}
    return sum(found.values())


def _denoiser(cls: str, network: Stack) -> dict[str, list[Point]]:
    config, points, known = network.config, [], NETWORK_CLASSES[cls]
    sizes = list(CLIPS) if known.is_video else [(1, *size) for size in PICTURES]
    usual, *others = known.texts(config)
    largest = known.largest(config)
    if largest:
        sizes = [size for size in sizes if max(size[1:]) <= largest] or [
            (1, largest, largest),
            (1, largest, largest // 2),
            (1, largest // 2, largest // 2),
        ]
    cases = [(batch, size, usual) for size in sizes for batch in (1, 2)]
    cases += [(1, sizes[0], others[0]), (2, sizes[-1], others[1])] if others else []
    cases += [(4, sizes[1 % len(sizes)], usual)]
    patch_t = int(config.get("patch_size_t") or 1)
    for batch, size, text in cases:
        tokens = -(-size[0] // patch_t) * (size[1] // 16) * (size[2] // 16)

        def call(net: Any, batch: int = batch, size: tuple[int, int, int] = size, text: int = text) -> Any:
            return networks.call_denoiser(net, config, batch, size, text)

        points.append((denoiser_features(batch, tokens, text), network.run(call)))
    return {"call": points}


def _text(network: SimulatedNetwork) -> dict[str, list[Point]]:
    longest = int(network.config.get("max_position_embeddings", 10_000))
    lengths = [tokens for tokens in TEXT_TOKENS if tokens <= longest] or [longest]
    return {
        "call": [
            (text_features(tokens), network.run(lambda net, tokens=tokens: networks.call_text(net, tokens)))
            for tokens in lengths
        ]
    }


def _vae(network: SimulatedNetwork) -> dict[str, list[Point]]:
    is_video = networks.is_video(network.network)
    sizes = VAE_CLIPS if is_video else [(1, *size) for size in PICTURES]
    found: dict[str, list[Point]] = {"decode": [], "encode": []}
    cases = [(1, *size) for size in sizes] + [(2, *sizes[0])]
    for batch, frames, height, width in cases:
        features = vae_features(batch, height * width, frames)

        def decode(net: Any, case: tuple[int, ...] = (batch, frames, height, width)) -> Any:
            return networks.decode(net, *case)

        def encode(net: Any, case: tuple[int, ...] = (batch, frames, height, width)) -> Any:
            return networks.encode(net, *case)

        found["decode"].append((features, network.run(decode)))
        found["encode"].append((features, network.run(encode)))
    for tile in CLIP_TILES if is_video else PICTURE_TILES:
        points = []
        for rows, columns, frames in TILED_CLIPS if is_video else TILED_PICTURES:
            height, width = round(tile[0] * rows / 16) * 16, round(tile[1] * columns / 16) * 16

            def decode_in_tiles(
                net: Any, case: tuple[int, ...] = (1, frames, height, width), tile: tuple[int, int] = tile
            ) -> Any:
                with networks.tiles(net, tile):
                    return networks.decode(net, *case)

            points.append((vae_features(1, height * width, frames), network.run(decode_in_tiles)))
        found[f"decode/{tile[0]}x{tile[1]}"] = points
    return found


def fit(points: list[Point], features: tuple[int, ...] | None = None) -> Lines:
    """Lines through ``points`` with the least relative errors, over all features or those that are named."""
    matrix = torch.tensor([features for features, _ in points], dtype=torch.float64)

    def line(name: str) -> tuple[float, ...]:
        wanted = torch.tensor([getattr(work, name) for _, work in points], dtype=torch.float64)
        scale = wanted.abs().clamp(min=1.0)
        rows = matrix / scale[:, None]
        if features is not None:
            rows = rows * torch.tensor([float(i in features) for i in range(rows.shape[1])], dtype=torch.float64)
        columns = rows.abs().amax(0)
        columns = torch.where(columns > 0, columns, 1.0)
        solution = torch.linalg.lstsq(rows / columns, wanted / scale, rcond=1e-9, driver="gelsd").solution / columns
        return tuple(float(f"{value:.8g}") for value in solution.tolist())

    return Lines(line("peak"), line("flops"), line("moved"), line("ops"))


def errors(lines: Lines, points: list[Point]) -> dict[str, float]:
    """The largest relative error of each line over ``points``."""
    found = {}
    for name in ("peak", "flops", "moved", "ops"):
        line = getattr(lines, name)
        found[name] = max(
            abs(sum(a * b for a, b in zip(line, features, strict=True)) - getattr(work, name))
            / max(1.0, getattr(work, name))
            for features, work in points
        )
    return found
