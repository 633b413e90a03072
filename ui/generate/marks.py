"""What is marked in a prompt: words that the model does not know, what no encoder reads, alternatives and wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat

from ui.theme import Theme

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
TEMPLATE = re.compile(r"(?<!\\)[{}|]|__[A-Za-z0-9][\w\-./]*?__")
WILDCARD = re.compile(r"__[A-Za-z0-9][\w\-./]*?__")
MAX_MARKED_CHARS = 5_000  # in a longer text nothing but the cut is marked, to keep the form quick
Underline = QTextCharFormat.UnderlineStyle


class Marks(QSyntaxHighlighter):
    def __init__(self, parent: QObject, theme: Theme) -> None:
        """Give it a document with ``setDocument``; one of several that ``parent`` shows."""
        super().__init__(parent)
        self._theme = theme
        self._known: frozenset[str] = frozenset()
        self._templates = False
        self._cuts: tuple[int, int] | None = None
        theme.changed.connect(self.rehighlight)

    def set_vocabulary(self, words: Iterable[str]) -> None:
        known = frozenset(part for word in words for part in words_of(word))
        if known != self._known:
            self._known = known
            self.rehighlight()

    def set_templates(self, on: bool) -> None:
        """Whether braces and wildcards mean something, which they do where the text holds alternatives."""
        if on != self._templates:
            self._templates = on
            self.rehighlight()

    def set_cuts(self, first: int | None, last: int | None) -> None:
        """From ``first`` on one encoder at least reads nothing, from ``last`` on none does (None: they read all)."""
        cuts = None if first is None else (first, last if last is not None else 1 << 30)
        if cuts != self._cuts:
            self._cuts = cuts
            self.rehighlight()

    def unknown_in(self, text: str) -> list[str]:
        if not self._known or len(text) > MAX_MARKED_CHARS:
            return []
        words = words_of(_without_wildcards(text))
        return list(dict.fromkeys(word for word in words if word not in self._known))

    def highlightBlock(self, text: str) -> None:
        if len(text) <= MAX_MARKED_CHARS:
            if self._known:
                style = self._underline(Underline.WaveUnderline, "warn")
                for match in WORD.finditer(_without_wildcards(text)):
                    if match.group().lower().replace("’", "'") not in self._known:
                        self.setFormat(match.start(), len(match.group()), style)
            if self._templates:
                for match in TEMPLATE.finditer(text):
                    style = self.format(match.start())
                    style.setForeground(QColor(self._theme.tokens.accent))
                    style.setUnderlineStyle(Underline.NoUnderline)
                    self.setFormat(match.start(), len(match.group()), style)
        if self._cuts is not None:
            begin = self.currentBlock().position()
            first, last = (max(0, cut - begin) for cut in self._cuts)
            self._mark(first, min(last, len(text)), self._underline(Underline.DotLine, "muted"))
            self._mark(last, len(text), self._underline(Underline.DashUnderline, "bad", "muted"))

    def _mark(self, start: int, end: int, style: QTextCharFormat) -> None:
        if start < end:
            self.setFormat(start, end - start, style)

    def _underline(self, kind: Underline, role: str, text_role: str = "") -> QTextCharFormat:
        style = QTextCharFormat()
        style.setUnderlineStyle(kind)
        style.setUnderlineColor(self._theme.color(role))
        if text_role:
            style.setForeground(self._theme.color(text_role))
        return style


def _without_wildcards(text: str) -> str:
    """``text`` with blanks in the place of wildcards' names."""
    return WILDCARD.sub(lambda match: " " * len(match[0]), text)


def words_of(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]
