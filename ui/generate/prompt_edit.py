"""The prompt field: plain text, words and characters counted, words that a model cannot know underlined."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui.theme import Theme

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
MAX_MARKED_CHARS = (
    5_000  # a longer text is no prompt of a model with a vocabulary; leave it unmarked and the form quick
)


class PromptEdit(QPlainTextEdit):
    """Tab goes to the next control, dropped files are left to the window.

    Signals: ``edited`` after the text changed by the person.
    """

    edited = Signal()

    def __init__(self, name: str, placeholder: str, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(3)
        self._marker = _UnknownWords(self, theme)
        self.textChanged.connect(self._changed)
        self._setting = False
        self._given = ("", "")

    def sizeHint(self) -> QSize:
        return QSize(200, self.minimumHeight())  # it takes what room is left and asks for no more

    def text(self) -> str:
        """What was set, to the character, until it is changed: the field itself knows no no-break spaces, for one."""
        shown = self.toPlainText()
        return self._given[0] if shown == self._given[1] else shown

    def set_text(self, text: str) -> None:
        """Without ``edited``; the cursor and the undo history stay where the text is the same."""
        if text != self.text():
            self._setting = True
            self.setPlainText(text)
            self._setting = False
            self._given = (text, self.toPlainText())

    def replace_text(self, text: str) -> None:
        """As if the person had typed it: it can be undone."""
        self.selectAll()
        self.insertPlainText(text)

    def set_vocabulary(self, words: Iterable[str]) -> None:
        self._marker.set_vocabulary(words)

    def unknown_words(self) -> list[str]:
        return self._marker.unknown_in(self.toPlainText())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText():
            self.insertPlainText(source.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # Ctrl+Return generates
            return
        super().keyPressEvent(event)

    def _changed(self) -> None:
        if not self._setting:
            self.edited.emit()


class _UnknownWords(QSyntaxHighlighter):
    def __init__(self, edit: QPlainTextEdit, theme: Theme) -> None:
        super().__init__(edit.document())
        self._edit = edit
        self._theme = theme
        self._known: frozenset[str] = frozenset()
        theme.changed.connect(self.rehighlight)

    def set_vocabulary(self, words: Iterable[str]) -> None:
        known = frozenset(part for word in words for part in _words(word))
        if known != self._known:
            self._known = known
            self.rehighlight()

    def unknown_in(self, text: str) -> list[str]:
        if not self._known or len(text) > MAX_MARKED_CHARS:
            return []
        return list(dict.fromkeys(word for word in _words(text) if word not in self._known))

    def highlightBlock(self, text: str) -> None:
        if not self._known or len(text) > MAX_MARKED_CHARS:
            return
        style = QTextCharFormat()
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        style.setUnderlineColor(QColor(self._theme.tokens.warn))
        for match in WORD.finditer(text):
            if match.group().lower().replace("’", "'") not in self._known:
                self.setFormat(match.start(), match.end() - match.start(), style)


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]
