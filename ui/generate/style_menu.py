"""The style of a draft: a button with what is chosen, and a menu of all of them."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from engine.prompt.styles import Style
from ui.prompt_tools import PromptTools

T = QT_TRANSLATE_NOOP
NAMES = (
    T("Styles", "Photo"),
    T("Styles", "Portrait photo"),
    T("Styles", "Film still"),
    T("Styles", "Analogue photo"),
    T("Styles", "3D render"),
    T("Styles", "Low poly"),
    T("Styles", "Line art"),
    T("Styles", "Pencil sketch"),
    T("Styles", "Oil painting"),
    T("Styles", "Watercolour"),
    T("Styles", "Anime"),
    T("Styles", "Comic"),
    T("Styles", "Concept art"),
    T("Styles", "Pixel art"),
    T("Styles", "Flat illustration"),
    T("Styles", "Poster with lettering"),
    T("Styles", "Clay figure"),
    T("Styles", "Product photo"),
)


def style_name(style: Style) -> str:
    """As a person reads it: those that ship are translated."""
    return style.name if style.own else QCoreApplication.translate("Styles", style.name)


class StyleButton(QPushButton):
    """Signals: ``style_chosen(str)`` with its id, empty for none; ``write_wanted`` to have the style's words in the
    prompt itself; ``edit_wanted`` to change styles."""

    style_chosen = Signal(str)
    write_wanted = Signal()
    edit_wanted = Signal()

    def __init__(self, tools: PromptTools, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self._id = ""
        self.setProperty("role", "quiet")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        tools.changed.connect(self._tell)
        self._tell()

    def style_id(self) -> str:
        return self._id

    def set_style_id(self, id: str) -> None:
        """Without ``style_chosen``."""
        self._id = id
        self._tell()

    def _tell(self) -> None:
        style = self._tools.style(self._id)
        name = style_name(style) if style is not None else self.tr("none")
        text = self.tr("Style: {name}").format(name=name)
        self.setText(text.replace("&", "&&"))
        self.setAccessibleName(text)
        self.setToolTip(style.prompt if style is not None else self.tr("Words around your prompt, by one choice"))

    def _fill(self) -> None:
        self._menu.clear()
        group = QActionGroup(self._menu)
        self._add(group, self.tr("None"), "")
        self._menu.addSeparator()
        styles = self._tools.styles
        for index, style in enumerate(styles):
            if style.own and index and not styles[index - 1].own:
                self._menu.addSeparator()
            self._add(group, style_name(style), style.id, style.prompt)
        self._menu.addSeparator()
        write = self._menu.addAction(self.tr("Write it into the prompt"), self.write_wanted.emit)
        write.setEnabled(self._tools.style(self._id) is not None)
        self._menu.addAction(self.tr("Edit styles…"), self.edit_wanted.emit)

    def _add(self, group: QActionGroup, text: str, id: str, tip: str = "") -> QAction:
        action = self._menu.addAction(text.replace("&", "&&"), lambda: self.style_chosen.emit(id))
        action.setCheckable(True)
        action.setChecked(id == self._id)
        action.setToolTip(tip)
        group.addAction(action)
        return action
