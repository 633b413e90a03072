"""``Theme``: which token set is shown, and everything drawn from it (palette, style sheet, icons, font).

Laterna owns its palette: ``QStyleHints.setColorScheme`` does nothing on bare X11. "System" follows the desktop where
it tells, and is dark where it does not.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from resources import ROOT
from ui.theme.icons import draw_icon
from ui.theme.tokens import DARK, LIGHT, Tokens

Mode = Literal["system", "dark", "light"]
FONT_FAMILY = "Inter"
FONT_FACES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")
TEXT_SIZE = 13


class Theme(QObject):
    """Signals: ``changed`` after another token set is shown; whoever paints or holds icons takes them anew."""

    changed = Signal()

    def __init__(self, mode: Mode = "system", resources: Path = ROOT, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._resources = resources
        self._mode: Mode = mode
        self._tokens = DARK
        self._icons: dict[tuple[str, str, str], QIcon] = {}
        self._app: QApplication | None = None
        self._tokens = self._wanted()

    @property
    def mode(self) -> Mode:
        return self._mode

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    @property
    def is_dark(self) -> bool:
        return self._tokens.name == "dark"

    def color(self, role: str) -> QColor:
        """The colour of a token, by its field name."""
        return QColor(getattr(self._tokens, role))

    def icon(self, name: str, role: str = "text") -> QIcon:
        """The line icon ``resources/icons/<name>.svg`` in the colour of token ``role``."""
        key = (self._tokens.name, name, role)
        if key not in self._icons:
            svg = (self._resources / "icons" / f"{name}.svg").read_text("utf-8")
            disabled = self._tokens.disabled
            self._icons[key] = draw_icon(svg, getattr(self._tokens, role), disabled)
        return self._icons[key]

    def font(self, size: int = TEXT_SIZE, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """The interface font; ``size`` in device-independent pixels."""
        font = QFont(FONT_FAMILY)
        font.setPixelSize(size)
        font.setWeight(weight)
        return font

    def set_mode(self, mode: Mode) -> None:
        self._mode = mode
        self._refresh()

    def toggle(self) -> None:
        """Dark becomes light and light dark, and stays so whatever the desktop says."""
        self.set_mode("light" if self.is_dark else "dark")

    def apply(self, app: QApplication) -> None:
        """Dress ``app``: Fusion, the shipped font, palette and style sheet; from now on it follows the theme."""
        self._app = app
        app.setStyle("Fusion")
        for face in FONT_FACES:
            QFontDatabase.addApplicationFont(str(self._resources / "fonts" / face))
        app.setFont(self.font())
        app.styleHints().colorSchemeChanged.connect(self._refresh)
        self._tokens = self._wanted()
        self._dress()

    def _wanted(self) -> Tokens:
        if self._mode == "system":
            app = QApplication.instance()
            scheme = app.styleHints().colorScheme() if isinstance(app, QApplication) else Qt.ColorScheme.Unknown
            return LIGHT if scheme == Qt.ColorScheme.Light else DARK
        return LIGHT if self._mode == "light" else DARK

    def _refresh(self) -> None:
        wanted = self._wanted()
        if wanted is self._tokens:
            return
        self._tokens = wanted
        self._dress()
        self.changed.emit()

    def _dress(self) -> None:
        if self._app is None:
            return
        self._app.setPalette(palette_of(self._tokens))
        self._app.setStyleSheet(self._style_sheet())

    def _style_sheet(self) -> str:
        folder = self._resources / "theme"
        template = Template((folder / "laterna.qss").read_text("utf-8"))
        return template.substitute(asdict(self._tokens), images=(folder / self._tokens.name).as_posix())


def palette_of(tokens: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    colors = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.field,
        role.AlternateBase: tokens.panel,
        role.Text: tokens.text,
        role.PlaceholderText: tokens.placeholder,
        role.Button: tokens.panel,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.bad,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.accent_text,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.Light: tokens.hover,
        role.Midlight: tokens.hover,
        role.Mid: tokens.border,
        role.Dark: tokens.border,
        role.Shadow: tokens.canvas,
    }
    for where, color in colors.items():
        palette.setColor(where, QColor(color))
    for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText, role.PlaceholderText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(tokens.disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tokens.border))
    return palette
