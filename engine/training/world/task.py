"""The second generation's picture model: the first one's transformer and latents, taught the wider world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from engine.world.looks import BACKGROUNDS, COLOURS, STYLES
from engine.world.things import THINGS

from ..flow import draw_sigmas, mix
from ..grids import grid
from ..image import ImageShape, ImageTask, token_weights
from ..pca import ImagePCA
from ..scenes import Domain
from ..schedule import Schedule
from ..text import TextStack
from .composition import Composition, Pool, World, draw, draw_bare, exchanged, render
from .layout import IGNORED, Layout, Targets
from .wording import caption

POOL_STEPS = 200  # a new pool of backgrounds every so many steps
SHARES = {"single": 0.44, "several": 0.18, "pair": 0.26, "triple": 0.12}  # pairs and triples next to their twins
_NO_DOMAIN = Domain((0,))  # of the first generation, whose scenes are not drawn here
BARE = 0.05  # share of pictures whose caption is a noun alone
OPEN_BACKGROUND = 0.16  # of the others: share whose caption names no background


@dataclass
class Batch:
    """As `image.SceneBatch`; `colours` `[B, 8, 8]` beside `things`."""

    compositions: list[Composition]
    captions: list[str]
    open_background: list[bool]
    pixels: torch.Tensor
    things: torch.Tensor
    colours: torch.Tensor
    shared: torch.Tensor


def make_batch(rng: np.random.Generator, world: World, pool: Pool, count: int) -> Batch:
    compositions: list[Composition] = []
    seeds, shared = [], []

    def add(composition: Composition, seed: int, row: int) -> None:
        compositions.append(composition)
        seeds.append(seed)
        shared.append(row)

    bare = round(BARE * count)
    numbers = {kind: round(share * count) for kind, share in SHARES.items()}
    for row in range(bare):
        add(draw_bare(rng, world), int(rng.integers(2**62)), row)
    for _ in range(numbers["several"]):
        add(draw(rng, world, "several"), int(rng.integers(2**62)), len(compositions))
    for kind in ("pair", "triple"):
        for _ in range(numbers[kind] // 2):
            while True:
                one, seed, row = draw(rng, world, kind), int(rng.integers(2**62)), len(compositions)
                other = exchanged(one)
                if not other.held_out:
                    break
            add(one, seed, row)
            add(other, seed, row)
    while len(compositions) < count:
        add(draw(rng, world, "single"), int(rng.integers(2**62)), len(compositions))
    rendered = [render(c, np.random.default_rng(s), pool) for c, s in zip(compositions, seeds, strict=True)]
    open_background = [row < bare or rng.random() < OPEN_BACKGROUND for row in range(count)]
    captions = [caption(c, rng, not o) for c, o in zip(compositions, open_background, strict=True)]
    pixels = torch.from_numpy(np.stack([r.pixels for r in rendered])).permute(0, 3, 1, 2) * 2 - 1
    things, colours = (torch.from_numpy(np.stack([getattr(r, n) for r in rendered])) for n in ("things", "colours"))
    return Batch(compositions, captions, open_background, pixels, things, colours, torch.tensor(shared))


class WorldTask(ImageTask):
    def __init__(self, world: World, shape: ImageShape, pca: ImagePCA, text: TextStack, layout: Layout,
                 compiled: bool = False) -> None:  # fmt: skip
        super().__init__(_NO_DOMAIN, shape, pca, text, layout, compiled=compiled)
        self.world = world
        width = shape.width
        self.modules["token_objects"] = nn.Linear(width, len(THINGS) + 1)
        self.modules["token_background"] = nn.Linear(width, len(BACKGROUNDS) + len(STYLES) + len(COLOURS) + 1)
        self._pool: tuple[tuple[int, int], Pool] | None = None

    def pool(self, step: int, seed: int) -> Pool:
        """Decided by step and seed alone, so that a resumed training sees the same."""
        key = (seed, step // POOL_STEPS)
        if self._pool is None or self._pool[0] != key:
            self._pool = (key, Pool(np.random.default_rng((seed, 1, key[1])), self.world.backgrounds))
        return self._pool[1]

    def loss(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, dict[str, float]]:
        rng, generator = schedule.rng(step), schedule.generator(step)
        batch = make_batch(rng, self.world, self.pool(step, schedule.seed), schedule.batch)
        captions = ["" if rng.random() < 0.1 else c for c in batch.captions]
        clean = self.pca.encode(batch.pixels)
        noise = torch.randn(clean.shape, generator=generator)[batch.shared]
        sigmas = draw_sigmas(len(clean), generator)[batch.shared]
        sequence, pooled = self.modules["text"](captions)
        velocity = self.modules["transformer"](
            mix(clean, noise, sigmas), sequence, pooled, sigmas * 1000, return_dict=False
        )[0].float()
        weights = token_weights(batch.things).repeat_interleave(2, 1).repeat_interleave(2, 2).unsqueeze(1)
        error = (velocity - (noise - clean)).square()
        flow = (error * weights).mean()

        kept = [i for i, c in enumerate(captions) if c]
        targets = Targets([batch.compositions[i] for i in kept], [batch.open_background[i] for i in kept])
        layout = self.modules["layout"](sequence[kept].float(), pooled[kept].float(), targets)
        total = flow + 0.1 * layout
        helper = 0.15 * max(0.0, 1 - schedule.progress(step) / 0.6)
        if helper > 0:
            middle = self._middle[kept].float()
            total = total + helper * self._helped(middle, batch.things[kept], batch.colours[kept], targets)
        self._middle = None
        return total, {"flow": error.mean().item(), "weighted": flow.item(), "layout": layout.item()}

    def _helped(self, middle: torch.Tensor, things: torch.Tensor, colours: torch.Tensor,
                targets: Targets) -> torch.Tensor:  # fmt: skip
        """What is this token, in which colour, and what are background and style, from the middle block."""
        split = (len(BACKGROUNDS), len(STYLES), len(COLOURS) + 1)
        loss = F.cross_entropy(self.modules["token_objects"](middle).flatten(0, 1), things.flatten())
        head = self.modules["token_background"]
        background, style, _ = head(middle.mean(1)).split(split, -1)
        loss = loss + F.cross_entropy(background, targets.whole[:, 1], ignore_index=IGNORED)
        loss = loss + F.cross_entropy(style, targets.whole[:, 2])
        return loss + F.cross_entropy(head(middle).split(split, -1)[2].flatten(0, 1), colours.flatten())

    def pictures(self, sample=None) -> np.ndarray:
        """Thirty-two held-out prompts, for the log."""
        return grid((sample or self.sample)([text for _, text in watched(self.world, 8)], 7), 8)


def watched(world: World, each: int, seed: int = 7) -> list[tuple[Composition, str]]:
    """Held-out compositions of every kind with one wording each."""
    rng = np.random.default_rng(seed)
    found = [draw(rng, world, kind, held_out=True) for kind in SHARES for _ in range(each)]
    return [(c, caption(c, rng)) for c in found]
