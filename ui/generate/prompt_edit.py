"""The prompt's text field: each draft keeps its own undo, weights by key, words that complete as one types."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout, QPlainTextEdit, QWidget

from ui.generate.marks import Marks
from ui.generate.suggestions import SuggestionList
from ui.generate.weights import step_weight
from ui.theme import Theme

MARGIN = 3


class PromptEdit(QPlainTextEdit):
    """Tab goes to the next control, dropped files are left to the window.

    Signals: ``edited`` after the text changed by the person, ``typed`` after they typed, ``weighed(bool)`` after
    Ctrl+Up or Ctrl+Down: whether a weight was set, False where this model reads none.
    """

    edited = Signal()
    typed = Signal()
    weighed = Signal(bool)

    def __init__(self, name: str, placeholder: str, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.reads_weights = True
        self._setting = False
        self._given = ("", "")
        self._documents: dict[str, QTextDocument] = {}
        self._shown = ""
        self.marks = Marks(self, theme)
        self.vocabulary: tuple[str, ...] = ()
        self._show_document("", "")
        self.suggestions = SuggestionList(self, theme=theme)
        self.suggestions.chosen.connect(self._complete)
        self.textChanged.connect(self._changed)

    def sizeHint(self) -> QSize:
        return QSize(200, self.minimumHeight())  # it takes what room is left and asks for no more

    # --- text

    def text(self) -> str:
        """What was set, to the character, until it is changed: the field itself knows no no-break spaces, for one."""
        shown = self.toPlainText()
        return self._given[0] if shown == self._given[1] else shown

    def set_text(self, text: str, draft: str = "") -> None:
        """Without ``edited``. Every ``draft`` has its undo history; a change to its text from outside can be undone."""
        if draft != self._shown:
            self._show_document(draft, text)
        if text == self.text():
            return
        self._setting = True
        if self.document().isEmpty() and not self.document().isUndoAvailable():
            self.setPlainText(text)
        else:
            self._replace_all(text)
        self._setting = False
        self._given = (text, self.toPlainText())

    def replace_text(self, text: str) -> None:
        """As if the person had typed it: it can be undone."""
        self._replace_all(text)

    def _replace_all(self, text: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def _show_document(self, draft: str, text: str) -> None:
        self._shown = draft
        document = self._documents.get(draft)
        if document is None:
            document = self._documents[draft] = QTextDocument(self)
            document.setDocumentLayout(QPlainTextDocumentLayout(document))
            document.setDocumentMargin(MARGIN)
            document.setDefaultFont(self.font())
            document.setPlainText(text)
            document.clearUndoRedoStacks()
        self._setting = True
        self.setDocument(document)
        self.marks.setDocument(document)
        self._setting = False

    def _changed(self) -> None:
        if not self._setting:
            self.edited.emit()

    # --- marks

    def set_vocabulary(self, words: Iterable[str]) -> None:
        self.vocabulary = tuple(words)
        self.marks.set_vocabulary(self.vocabulary)

    def unknown_words(self) -> list[str]:
        return self.marks.unknown_in(self.toPlainText())

    # --- what is typed

    def before_cursor(self) -> str:
        cursor = self.textCursor()
        return "" if cursor.hasSelection() else cursor.block().text()[: cursor.positionInBlock()]

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText():
            self.insertPlainText(source.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        control = modifiers & Qt.KeyboardModifier.ControlModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and control:
            self.suggestions.hide()
            event.ignore()  # Ctrl+Return generates
            return
        if control and key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._weigh(key == Qt.Key.Key_Up)
            return
        if self.suggestions.take_key(event):
            return
        before = self.textCursor().position()
        super().keyPressEvent(event)
        if event.text() and event.text().isprintable():
            self.suggestions.type_on(event.text())
            self.typed.emit()
        elif self.textCursor().position() != before or key == Qt.Key.Key_Backspace:
            self.suggestions.hide()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab takes the first suggestion while there are some; Qt asks here before it shows us the key."""
        if forward and self.suggestions.take_first():
            return True
        return super().focusNextPrevChild(forward)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.suggestions.hide()

    def _weigh(self, up: bool) -> None:
        if not self.reads_weights:
            self.weighed.emit(False)
            return
        cursor = self.textCursor()
        edit = step_weight(self.text(), cursor.selectionStart(), cursor.selectionEnd(), up)
        if edit is None:
            return
        cursor.setPosition(edit.start)
        cursor.setPosition(edit.end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(edit.text)
        cursor.setPosition(edit.select_from)
        cursor.setPosition(edit.select_from + edit.selected, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.weighed.emit(True)

    def _complete(self, typed: str, text: str) -> None:
        """Put ``text`` in the place of what was typed of it."""
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, len(typed))
        if cursor.selectedText().casefold() == typed.casefold():
            cursor.insertText(text)
            self.setTextCursor(cursor)
