"""A list that floats under the cursor while one types. It never takes the focus: Tab takes its first line, Down enters
it, Esc or typing on lets it go."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QPlainTextEdit

from ui.theme import Theme

MOST = 7
WIDTH = 300
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SuggestionList(QListWidget):
    """Signals: ``chosen(typed, text)``: take ``text`` in the place of ``typed``."""

    chosen = Signal(str, str)

    def __init__(self, edit: QPlainTextEdit, *, theme: Theme) -> None:
        super().__init__(edit)
        self._edit = edit
        self._typed = ""
        self.setProperty("role", "suggestions")
        self.setAccessibleName(self.tr("Suggestions"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.itemClicked.connect(lambda item: self._take(item.text()))
        self.hide()

    def offer(self, typed: str, texts: Sequence[str]) -> None:
        """Show ``texts`` in the place of ``typed``, which stands before the cursor; nothing hides the list."""
        self.clear()
        self._typed = typed
        self.addItems(list(texts[:MOST]))
        if not self.count() or not self._edit.hasFocus():
            self.hide()
            return
        self.setCurrentRow(-1)
        window = self._edit.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        row = self.sizeHintForRow(0)
        height = row * self.count() + 2 * self.frameWidth() + 10
        width = min(WIDTH, window.width() - 16)
        place = self._edit.viewport().mapTo(window, self._edit.cursorRect().bottomLeft() + QPoint(-8, 4))
        if place.y() + height > window.height():
            place.setY(self._edit.viewport().mapTo(window, self._edit.cursorRect().topLeft()).y() - height - 4)
        place.setX(max(8, min(place.x(), window.width() - width - 8)))
        self.setGeometry(place.x(), place.y(), width, height)
        self.show()
        self.raise_()

    def take_key(self, event: QKeyEvent) -> bool:
        """Use a key that the text field got; False leaves it to the field."""
        if self.isHidden() or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        key, row = event.key(), self.currentRow()
        if key == Qt.Key.Key_Escape:
            self.hide()
        elif key == Qt.Key.Key_Down:
            self.setCurrentRow((row + 1) % self.count())
        elif key == Qt.Key.Key_Up and row >= 0:
            self.setCurrentRow(row - 1)
        elif key in _TAKE and row >= 0:
            self._take(self.item(row).text())
        else:
            return False
        event.accept()
        return True

    def type_on(self, text: str) -> None:
        """More was typed: what still fits stays, until the next answer."""
        if self.isHidden():
            return
        self._typed += text
        low = self._typed.casefold()
        fitting = [one for one in self._texts() if len(one) > len(low) and one.casefold().startswith(low)]
        if fitting != self._texts():
            self.offer(self._typed, fitting)

    def _texts(self) -> list[str]:
        return [self.item(row).text() for row in range(self.count())]

    def take_first(self) -> bool:
        """Take the chosen line, or the first; False while nothing is offered."""
        if self.isHidden():
            return False
        self._take(self.item(max(self.currentRow(), 0)).text())
        return True

    def _take(self, text: str) -> None:
        self.hide()
        self.chosen.emit(self._typed, text)
