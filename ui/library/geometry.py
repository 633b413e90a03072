"""Where the tiles of the grid lie: plain arithmetic on fixed cells, so any row's place costs O(1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

MARGIN = 14
GAP = 10
LINE_GAP = 12
CAPTION = 24
MIN_TILE = 140
MIN_COLUMNS = 2
ASPECT = 2 / 3


class Cell(NamedTuple):
    """A rectangle in content coordinates (before scrolling), in device-independent pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class GridGeometry:
    """``count`` tiles in a viewport ``width`` wide. A tile is a picture of 3 : 2 with a caption line below.

    ``mirrored`` lays the first column at the right, for languages read from right to left.
    """

    width: int
    count: int
    mirrored: bool = False

    @cached_property
    def columns(self) -> int:
        return max(MIN_COLUMNS, (self.width - 2 * MARGIN + GAP) // (MIN_TILE + GAP))

    @cached_property
    def tile_width(self) -> int:
        return max(16, (self.width - 2 * MARGIN - GAP * (self.columns - 1)) // self.columns)

    @cached_property
    def tile_height(self) -> int:
        """Height of the picture part."""
        return max(12, round(self.tile_width * ASPECT))

    @cached_property
    def pitch(self) -> int:
        """Distance between the tops of two lines."""
        return self.tile_height + CAPTION + LINE_GAP

    @property
    def lines(self) -> int:
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        """Height of the whole content."""
        return self.lines * self.pitch + MARGIN if self.count else 0

    def line_top(self, row: int) -> int:
        return MARGIN // 2 + row // self.columns * self.pitch

    def cell(self, row: int) -> Cell:
        column = row % self.columns
        if self.mirrored:
            column = self.columns - 1 - column
        x = MARGIN + column * (self.tile_width + GAP)
        return Cell(x, self.line_top(row), self.tile_width, self.tile_height + CAPTION)

    def row_at(self, x: int, y: int) -> int:
        """The row whose tile or caption holds the point; −1 where there is none."""
        line, inside_y = divmod(y - MARGIN // 2, self.pitch)
        column, inside_x = divmod(x - MARGIN, self.tile_width + GAP)
        if inside_y >= self.tile_height + CAPTION or inside_x >= self.tile_width or not 0 <= column < self.columns:
            return -1
        if self.mirrored:
            column = self.columns - 1 - column
        row = line * self.columns + column
        return row if line >= 0 and row < self.count else -1

    def rows_between(self, top: int, bottom: int) -> range:
        """Rows of all lines that touch ``top`` … ``bottom``."""
        if not self.count or bottom < top:
            return range(0)
        first = max(0, (top - MARGIN // 2) // self.pitch)
        last = max(-1, (bottom - MARGIN // 2) // self.pitch)
        return range(min(self.count, first * self.columns), min(self.count, (last + 1) * self.columns))

    def rows_in(self, left: int, top: int, right: int, bottom: int) -> list[range]:
        """Rows whose tiles touch the rectangle, as one run for each line."""
        step = self.tile_width + GAP
        first = max(0, (left - MARGIN + GAP - 1) // step)
        last = min(self.columns - 1, (right - MARGIN) // step)
        if last < first:
            return []
        if self.mirrored:
            first, last = self.columns - 1 - last, self.columns - 1 - first
        runs = []
        lines = self.rows_between(top, bottom)
        for start in range(lines.start, lines.stop, self.columns):
            y = self.line_top(start)
            run = range(min(self.count, start + first), min(self.count, start + last + 1))
            if run and y <= bottom and y + self.tile_height + CAPTION > top:
                runs.append(run)
        return runs
