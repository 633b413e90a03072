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
        self._drawn_as = ""
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
        self._words, self._drawn_as = (), ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.show()

    def show_words(self, words: Sequence[UnknownWord], drawn_as: str = "") -> None:
        """With what is drawn in their place. Nothing is shown where there is neither."""
        self._words, self._drawn_as = tuple(words), drawn_as
        self._draw()
        self.setVisible(bool(words or drawn_as))

    def _draw(self) -> None:
        drawn_as = self.tr("Drawn as: {prompt}").format(prompt=self._drawn_as) if self._drawn_as else ""
        if not self._words:
            if drawn_as:
                self.setTextFormat(Qt.TextFormat.PlainText)
                self.setText(drawn_as)
                self.setAccessibleName(drawn_as)
            return
        shown = ", ".join(map(self._item, self._words[:SHOWN])) + (" …" if len(self._words) > SHOWN else "")
        self.setTextFormat(Qt.TextFormat.RichText)
        told = self.tr("This model does not know: {words}").format(words=shown)
        self.setText(f"{told}<br>{html.escape(drawn_as)}" if drawn_as else told)
        plain = ", ".join(one.word for one in self._words[:SHOWN])
        name = self.tr("This model does not know: {words}").format(words=plain)
        self.setAccessibleName(f"{name}. {drawn_as}" if drawn_as else name)

    def _item(self, one: UnknownWord) -> str:
        word = html.escape(one.word)
        if not one.near:
            return word
        colour = self._theme.color("accent").name()
        start = f'<a style="color:{colour}" href="{quote(one.word, safe="")}/'
        links = (f'{start}{quote(near, safe="")}">{html.escape(near)}</a>' for near in one.near)
        return f"{word} ({' · '.join(links)})"
