"""Making results larger, from the menu to the jobs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.derive.interpolate.interpolate import interpolated
from engine.derive.upscale.upscale import upscaled
from engine.library.item import Item
from engine.models.upscalers import DEFAULT, Upscalers
from ui.library.enlarging import Enlarging
from ui.library.smoothing import Smoothing
from ui.recipe.described import describe_descent

ITEM = Item(1, Path("/out/apple.png"), "image", 128, 96, 1, 0.0, 0.0, 9, None)


class Asked:
    def __init__(self, qtbot: QtBot) -> None:
        self.items: list[Item] = []
        self.jobs: list[Any] = []
        window = QWidget()
        qtbot.addWidget(window)
        self.enlarging = Enlarging(SimpleNamespace(items=lambda: self.items), self.jobs.extend, Upscalers().all, window)  # type: ignore[arg-type]

    def lines(self) -> list[tuple[str, bool]]:
        menu = self.enlarging.make_menu()
        assert menu is not None
        return [(action.text(), action.isEnabled()) for action in menu.actions() if not action.isSeparator()]

    def choose(self, number: int) -> None:
        menu = self.enlarging.make_menu()
        assert menu is not None
        [action for action in menu.actions() if not action.isSeparator()][number].trigger()


@pytest.fixture
def asked(qtbot: QtBot) -> Asked:
    return Asked(qtbot)


def test_each_line_says_what_comes_of_it(asked: Asked) -> None:
    assert asked.enlarging.make_menu() is None
    asked.items = [ITEM]
    texts = [text for text, _enabled in asked.lines()]
    assert [text.split("  ·  ")[0] for text in texts] == [
        "2 times: 256 × 192",
        "3 times: 384 × 288",
        "4 times: 512 × 384",
    ] * 2
    menu = asked.enlarging.make_menu()
    assert menu is not None
    sections = [action.text() for action in menu.actions() if action.isSeparator()]
    assert sections == [DEFAULT, "Lanczos: invents nothing"]
    (shipped,) = Upscalers().all()
    asked.choose(2)
    asked.choose(5)
    assert asked.jobs == [
        (upscaled("/out/apple.png", shipped.upscaling(4)), None),
        (upscaled("/out/apple.png", 4), None),
    ]


def test_what_would_be_too_large_is_not_offered_and_others_go_on(asked: Asked) -> None:
    large = msgspec.structs.replace(ITEM, id=2, width=9000, height=9000)
    asked.items = [large]
    assert all(text.endswith("too large") and not enabled for text, enabled in asked.lines())
    asked.items = [ITEM, large]
    assert asked.lines() == [(f"{scale} times: 1 files", True) for scale in (2, 3, 4)] * 2
    asked.choose(0)
    assert [job[0].source.path for job in asked.jobs] == ["/out/apple.png"]


def test_what_lies_in_the_trash_is_left_alone(asked: Asked) -> None:
    asked.items = [msgspec.structs.replace(ITEM, trashed=Path("/trash/apple.png"))]
    assert asked.enlarging.make_menu() is None


def test_the_line_of_descent_is_shown(asked: Asked) -> None:
    once = upscaled("/a/first.png", 2)
    asked.items = [msgspec.structs.replace(ITEM, derivation=once)]
    asked.choose(1)
    (derivation, _recipe) = asked.jobs[0]
    assert [line.value for line in describe_descent(derivation)] == [
        f"apple.png  ·  3 times as large by {DEFAULT}",
        "first.png  ·  2 times as large",
    ]
    assert describe_descent(None) == []


def test_clips_are_made_smoother(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    items: list[Item] = [ITEM]
    jobs: list[Any] = []
    smoothing = Smoothing(SimpleNamespace(items=lambda: items), jobs.extend, window)  # type: ignore[arg-type]
    assert smoothing.make_menu() is None, "a picture has nothing in between"
    clip = msgspec.structs.replace(ITEM, kind="video", frames=49, fps=8.0)
    items[:] = [clip]
    menu = smoothing.make_menu()
    assert menu is not None
    texts = [action.text().split("  ·  ")[0] for action in menu.actions()]
    assert texts[0] == "16 frames a second" and "32 frames a second" in texts and "60 frames a second" in texts
    menu.actions()[1].trigger()
    assert jobs == [(interpolated("/out/apple.png", 24), None)]
    items[:] = [clip, msgspec.structs.replace(clip, id=2, fps=30.0)]
    menu = smoothing.make_menu()
    assert menu is not None and menu.actions()[0].text() == "16 frames a second: 1 clips"
