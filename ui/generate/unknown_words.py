"""The line under the prompt that names the words a model does not know, and offers known ones in their place."""

from __future__ import annotations

import html
from collections.abc import Sequence
from urllib.parse import quote, unquote

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QWidget

from engine.prompt.known_words import UnknownWord
from ui.theme import Theme

SHOWN = 6


class UnknownWordsLabel(QLabel):
    """Known words are links: a click, or Tab and Return, takes one.

    Signals: ``chosen(word, instead)``.
    """

    chosen = Signal(str, str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words: tuple[UnknownWord, ...] = ()
        self.setProperty("role", "muted")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.linkActivated.connect(lambda link: self.chosen.emit(*map(unquote, link.split("/"))))
        theme.changed.connect(self._draw)
        self.hide()

    def show_hint(self, text: str) -> None:
        self._words = ()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.show()

    def show_words(self, words: Sequence[UnknownWord]) -> None:
        """Nothing is shown where there are none."""
        self._words = tuple(words)
        self._draw()
        self.setVisible(bool(words))

    def _draw(self) -> None:
        if not self._words:
            return
        shown = ", ".join(map(self._item, self._words[:SHOWN])) + (" …" if len(self._words) > SHOWN else "")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText(self.tr("This model does not know: {words}").format(words=shown))
        plain = ", ".join(one.word for one in self._words[:SHOWN])
        self.setAccessibleName(self.tr("This model does not know: {words}").format(words=plain))

    def _item(self, one: UnknownWord) -> str:
        word = html.escape(one.word)
        if not one.near:
            return word
        colour = self._theme.color("accent").name()
        start = f'<a style="color:{colour}" href="{quote(one.word, safe="")}/'
        links = (f'{start}{quote(near, safe="")}">{html.escape(near)}</a>' for near in one.near)
        return f"{word} ({' · '.join(links)})"
