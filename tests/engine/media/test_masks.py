"""Masks as they are painted: what each tool touches, and undo of every stroke."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media.mask_overlay import Overlay
from engine.media.masks import NOTHING, PaintedMask, Rect


def test_a_stroke_is_a_round_line_and_tells_what_it_touched() -> None:
    mask = PaintedMask(100, 60)
    rect = mask.stroke((20, 30), (60, 30), 10, 1.0)
    assert mask.pixels[30, 15:65].min() == 255 and mask.pixels[22, 40] == 255
    assert mask.pixels[12, 40] == 0 and mask.pixels[30, 75] == 0
    outside = np.ones_like(mask.pixels, bool)
    outside[rect.top : rect.bottom, rect.left : rect.right] = False
    assert not mask.pixels[outside].any()
    mask.stroke((40, 30), (40, 30), 5, 1.0, erase=True)
    assert mask.pixels[30, 40] == 0 and mask.pixels[30, 20] == 255


def test_hardness_is_where_it_begins_to_fall() -> None:
    mask = PaintedMask(101, 101)
    mask.stroke((50.5, 50.5), (50.5, 50.5), 40, 0.5)
    row = mask.pixels[50, 50:].astype(int)
    assert row[0] == 255 and row[18] == 255 and 100 < row[30] < 200 and row[42] == 0
    assert (np.diff(row) <= 0).all()


def _change(mask: PaintedMask, step: int, random: np.random.Generator, picture: np.ndarray) -> None:
    a, b, c = (tuple(random.uniform(-5, 45, 2)) for _ in range(3))
    changes = [
        lambda: mask.stroke(a, b, random.uniform(0.5, 20), random.uniform(0, 1)),
        lambda: mask.stroke(a, b, 6, 1, erase=True),
        lambda: mask.lasso([a, b, c]),
        lambda: mask.rectangle(a, b),
        lambda: mask.fill(*a),
        mask.invert,
        lambda: mask.grow(int(random.integers(-3, 4))),
        lambda: mask.feather(3),
        lambda: mask.from_colour(picture, *a, 40),
    ]
    changes[step]()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_undo_of_everything_gives_every_state_back(steps: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = PaintedMask(40, 30)
    picture = random.integers(0, 256, (30, 40, 3), np.uint8)
    states = [mask.pixels.copy()]
    for step in steps:
        _change(mask, step, random, picture)
        if mask.finish():
            states.append(mask.pixels.copy())
    for state in reversed(states[:-1]):
        assert mask.undo() != NOTHING
        assert np.array_equal(mask.pixels, state)
    assert not mask.can_undo and mask.undo() == NOTHING
    for state in states[1:]:
        mask.redo()
        assert np.array_equal(mask.pixels, state)
    assert not mask.can_redo


def test_outlines_areas_and_colours() -> None:
    mask = PaintedMask(50, 50)
    assert mask.lasso([(1, 1), (2, 2)]) == NOTHING
    mask.lasso([(10, 10), (40, 10), (40, 40), (10, 40)])
    assert mask.pixels[25, 25] == 255 and mask.pixels[5, 5] == 0
    mask.rectangle((30, 30), (20, 20), erase=True)
    assert mask.pixels[25, 25] == 0 and mask.pixels[15, 15] == 255
    mask.fill(25, 25)
    assert mask.pixels[10:40, 10:40].min() == 255 and mask.pixels[5, 5] == 0
    assert mask.fill(99, 99) == NOTHING
    mask.grow(5)
    assert mask.pixels[25, 6] == 255 and mask.pixels[25, 3] == 0
    mask.grow(-5)
    assert mask.pixels[25, 6] == 0 and mask.pixels[25, 12] == 255
    mask.feather(6)
    assert 0 < mask.pixels[25, 10] < 255
    mask.clear()
    picture = np.zeros((50, 50, 3), np.uint8)
    picture[:, 20:30] = (200, 100, 50)
    mask.from_colour(picture, 25, 25, 10)
    assert mask.pixels[:, 20:30].min() == 255 and not mask.pixels[:, :20].any()


@pytest.mark.parametrize(("scale", "left"), [(0.13, 3.0), (1.0, 0.0), (7.5, -40.25)])
def test_a_part_of_the_tint_made_anew_is_as_all_of_it(scale: float, left: float) -> None:
    mask = PaintedMask(300, 200)
    overlay = Overlay(mask, (255, 128, 0))
    overlay.look(left, 5.0, scale, 120, 90)
    for x in (10, 150, 290):
        overlay.refresh(mask.stroke((x, 20), (x - 60, 150), 17, 0.3))
    parts = overlay.buffer.copy()
    overlay.look(left, 5.0, scale, 120, 90)
    assert np.array_equal(parts, overlay.buffer) and parts.any()
    assert overlay.refresh(Rect(-50, -50, -10, -10)).is_empty


def test_a_step_of_a_stroke_on_a_huge_picture_takes_less_than_a_frame() -> None:
    """4096 × 4096, shown at 1000 × 1000: the bound is 8 ms, of which the painting of the widget needs its part too.
    The machine may be busy, so the best of many is taken."""
    mask = PaintedMask(4096, 4096)
    overlay = Overlay(mask, (255, 128, 0))
    overlay.look(0, 0, 1000 / 4096, 1000, 1000)
    for radius in (20, 200, 1000):
        mask.stroke((0, 2000), (0, 2000), radius, 0.5)
        best = 1.0
        for x in range(200, 3800, 90):
            began = time.perf_counter()
            overlay.refresh(mask.stroke((x, 2000), (x + 24, 2010), radius, 0.5))
            best = min(best, time.perf_counter() - began)
        assert best < 0.008, f"{best * 1000:.1f} ms with a radius of {radius}"


def test_a_picture_without_transparency_has_no_alpha(tmp_path: Path) -> None:
    from PIL import Image

    from engine.media.masks import read_alpha

    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    assert read_alpha((tmp_path / "a.png").read_bytes(), tmp_path / "a.png") is None
