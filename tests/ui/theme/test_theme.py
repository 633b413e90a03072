from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import resources
from ui.theme import DARK, LIGHT, Theme, Tokens

ICONS = sorted(path.stem for path in resources.ICONS.glob("*.svg"))


def luminance(color: str) -> float:
    parts = [QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF()]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=lambda tokens: tokens.name)
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("text", "panel"),
        ("text", "field"),
        ("muted", "panel"),
        ("muted", "field"),
        ("accent_text", "accent"),
        ("bad", "panel"),
        ("text", "bad_soft"),
        ("text", "accent_soft"),
        ("overlay_text", "overlay"),
    ],
)
def test_text_can_be_read(tokens: Tokens, front: str, back: str) -> None:
    assert contrast(getattr(tokens, front), getattr(tokens, back)) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=lambda tokens: tokens.name)
def test_tokens_are_colors(tokens: Tokens) -> None:
    for field in fields(tokens):
        if field.name != "name":
            assert QColor(getattr(tokens, field.name)).isValid(), field.name


@pytest.mark.parametrize("name", ICONS)
def test_icon_is_drawn_in_its_color(theme: Theme, name: str) -> None:
    image = theme.icon(name, "accent").pixmap(QSize(24, 24)).toImage()
    wanted = QColor(theme.tokens.accent)
    colors = [image.pixelColor(x, y) for x in range(24) for y in range(24)]
    solid = [color for color in colors if color.alpha() > 200]
    assert solid
    assert all(abs(color.red() - wanted.red()) < 12 and abs(color.blue() - wanted.blue()) < 12 for color in solid)


def test_disabled_icon_is_paler(theme: Theme) -> None:
    image = theme.icon("trash").pixmap(QSize(24, 24), QIcon.Mode.Disabled).toImage()
    shown = {
        image.pixelColor(x, y).name() for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 200
    }
    assert theme.tokens.disabled in shown


def test_switching_changes_palette_and_tells(qtbot: QtBot, qapp: QApplication, theme: Theme) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_mode("light")
    assert theme.tokens is LIGHT
    assert qapp.palette().color(QPalette.ColorRole.Accent).name() == LIGHT.accent
    assert LIGHT.accent in qapp.styleSheet() and DARK.field not in qapp.styleSheet()
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_mode("light")
    theme.toggle()
    assert theme.mode == "dark" and theme.is_dark


def test_system_that_tells_nothing_is_dark(qapp: QApplication) -> None:
    assert Theme("system").tokens is DARK


def test_icons_are_cached(theme: Theme) -> None:
    assert theme.icon("play").cacheKey() == theme.icon("play").cacheKey()


def test_shipped_font_is_used(qapp: QApplication, theme: Theme) -> None:
    assert qapp.font().family() == "Inter"
    assert qapp.font().pixelSize() == 13


def test_style_sheet_names_no_missing_file(theme: Theme) -> None:
    for word in theme._style_sheet().split("url(")[1:]:
        assert Path(word.split(")")[0]).is_file()
