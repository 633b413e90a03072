from __future__ import annotations

import pytest

from ui.library.geometry import GAP, MARGIN, GridGeometry


@pytest.mark.parametrize(("width", "columns"), [(200, 2), (329, 2), (480, 3), (1000, 6)])
def test_columns_follow_the_width(width: int, columns: int) -> None:
    assert GridGeometry(width, 100).columns == columns


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("width", [200, 331, 517, 1203])
def test_every_tile_is_found_at_its_own_place(width: int, mirrored: bool) -> None:
    grid = GridGeometry(width, 57, mirrored)
    for row in range(57):
        cell = grid.cell(row)
        assert cell.x >= 0 and cell.x + cell.width <= width
        for x, y in ((0, 0), (cell.width - 1, 0), (0, cell.height - 1), (cell.width // 2, cell.height // 2)):
            assert grid.row_at(cell.x + x, cell.y + y) == row


def test_gaps_and_the_empty_end_hold_no_row() -> None:
    grid = GridGeometry(341, 3)
    first, second = grid.cell(0), grid.cell(1)
    assert grid.row_at(first.x + first.width + GAP // 2, first.y + 5) == -1
    assert grid.row_at(first.x + 5, first.y + first.height + 2) == -1
    assert grid.row_at(second.x + 5, grid.cell(2).y + 5) == -1
    assert grid.row_at(-5, 20) == -1
    assert grid.row_at(MARGIN + 5, -300) == -1


def test_content_ends_below_the_last_tile() -> None:
    grid = GridGeometry(341, 101)
    last = grid.cell(100)
    assert last.y + last.height <= grid.height <= last.y + grid.pitch + MARGIN
    assert GridGeometry(341, 0).height == 0


def test_mirrored_begins_at_the_right() -> None:
    plain, mirrored = GridGeometry(341, 4), GridGeometry(341, 4, mirrored=True)
    assert mirrored.cell(0).x == plain.cell(1).x
    assert mirrored.cell(1).x == plain.cell(0).x


def test_visible_rows_are_those_whose_lines_touch() -> None:
    grid = GridGeometry(341, 1000)
    rows = grid.rows_between(0, 700)
    assert rows.start == 0
    assert grid.cell(rows.stop - 1).y <= 700 < grid.cell(rows.stop).y
    middle = grid.rows_between(10 * grid.pitch, 10 * grid.pitch + 300)
    assert middle.start == 2 * ((10 * grid.pitch - MARGIN // 2) // grid.pitch)
    assert not grid.rows_between(10**7, 10**7 + 500)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_rectangle_takes_exactly_the_tiles_it_touches(mirrored: bool) -> None:
    grid = GridGeometry(700, 23, mirrored)
    for box in ((0, 0, 50, 50), (160, 30, 420, 300), (100, 100, 101, 900), (690, 0, 699, 900), (13, 0, 13, 5)):
        expected = set()
        for row in range(23):
            cell = grid.cell(row)
            across = cell.x <= box[2] and box[0] < cell.x + cell.width
            down = cell.y <= box[3] and box[1] < cell.y + cell.height
            if across and down:
                expected.add(row)
        assert {row for run in grid.rows_in(*box) for row in run} == expected
