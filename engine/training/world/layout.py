"""What a caption of the world says, as classes, and the head that reads it back from the text encoders' output.

As `text.LayoutHead`, with a colour and a count for each cell, and a style. Shapes: B = batch, D = joint width.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from engine.world.looks import BACKGROUNDS, COLOURS, MOST, SIZES, STYLES
from engine.world.things import THINGS

from ..catalogue import PLACES
from .composition import Composition

_COLOURS = ("", *COLOURS)
_WHOLE = (len(SIZES), len(BACKGROUNDS), len(STYLES))
IGNORED = -100  # cross_entropy skips it


class Targets:
    """`things`, `colours`, `counts` `[B, 9]` by place (thing + 1, colour + 1, number; 0: nothing there), `whole`
    `[B, 3]`: the first item's size, the background (IGNORED where the caption leaves it open), the style."""

    def __init__(self, compositions: list[Composition], open_background: list[bool]) -> None:
        shape = (len(compositions), len(PLACES))
        self.things, self.colours, self.counts = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        whole = []
        for row, composition in enumerate(compositions):
            for item in composition.items:
                cell = PLACES.index(item.place)
                self.things[row, cell] = item.thing + 1
                self.colours[row, cell] = _COLOURS.index(item.colour)
                self.counts[row, cell] = item.count
            background = IGNORED if open_background[row] else composition.background
            first = composition.items[0]
            size = IGNORED if first.count > 1 or len(composition.items) > 2 else SIZES.index(first.size)
            whole.append((size, background, STYLES.index(composition.style)))
        self.whole = torch.tensor(whole)


class Layout(nn.Module):
    """One learned query for each place and one for the whole."""

    def __init__(self, width: int, pooled_width: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(len(PLACES) + 1, width) * 0.3)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, width // 32, batch_first=True)
        self.things = nn.Linear(width, len(THINGS) + 1)
        self.colours = nn.Linear(width, len(_COLOURS))
        self.counts = nn.Linear(width, MOST + 1)
        self.whole = nn.Linear(width, sum(_WHOLE))
        self.pooled = nn.Linear(pooled_width, sum(_WHOLE) + len(THINGS))

    def _found(self, sequence: torch.Tensor) -> torch.Tensor:
        states = self.norm(sequence)
        return self.attention(self.queries.expand(len(states), -1, -1), states, states, need_weights=False)[0]

    def forward(self, sequence: torch.Tensor, pooled: torch.Tensor, targets: Targets) -> torch.Tensor:
        found = self._found(sequence)
        cells, filled = found[:, :-1], targets.things > 0
        loss = self._by_cell(self.things(cells), targets.things, filled)
        loss = loss + self._by_cell(self.counts(cells), targets.counts, filled)
        loss = loss + F.cross_entropy(self.colours(cells[filled]), targets.colours[filled])
        loss = loss + self._of_whole(self.whole(found[:, -1]), targets)
        whole, things = self.pooled(pooled).split((sum(_WHOLE), len(THINGS)), -1)
        present = F.one_hot(targets.things, len(THINGS) + 1).amax(1)[:, 1:].float()
        loss = loss + 0.5 * self._of_whole(whole, targets)
        return loss + F.binary_cross_entropy_with_logits(things, present) * 20

    @staticmethod
    def _by_cell(logits: torch.Tensor, wanted: torch.Tensor, filled: torch.Tensor) -> torch.Tensor:
        """The mean over what is filled and the mean over what is empty, with equal weight."""
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").reshape(wanted.shape)
        return loss[filled].mean() + loss[~filled].mean()

    @staticmethod
    def _of_whole(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
        losses = []
        for part, wanted in zip(logits.split(_WHOLE, -1), targets.whole.T, strict=True):
            if (wanted != IGNORED).any():
                losses.append(F.cross_entropy(part, wanted, ignore_index=IGNORED))
        return torch.stack(losses).sum()

    @torch.no_grad()
    def accuracy(self, sequence: torch.Tensor, targets: Targets) -> dict[str, float]:
        """Shares of captions of which all things (with counts), all colours, and the whole are read back right."""
        found = self._found(sequence)
        cells, filled = found[:, :-1], targets.things > 0
        things = self.things(cells).argmax(-1) == targets.things
        counts = self.counts(cells).argmax(-1) == targets.counts
        colours = (self.colours(cells).argmax(-1) == targets.colours) | ~filled
        whole = torch.ones(len(found), dtype=torch.bool)
        for part, wanted in zip(self.whole(found[:, -1]).split(_WHOLE, -1), targets.whole.T, strict=True):
            whole &= (part.argmax(-1) == wanted) | (wanted == IGNORED)
        parts = {"things": things.all(-1), "counts": counts.all(-1), "colours": colours.all(-1), "whole": whole}
        parts["all"] = torch.stack(list(parts.values())).all(0)
        return {name: round(right.float().mean().item(), 4) for name, right in parts.items()}
