"""The person's own prompts, newest first, searched as one types (Ctrl+H)."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ui.prompt_tools import PromptTools
from ui.widgets.labels import label

ASK_AFTER_MS = 120
MOST = 200
SIZE = (420, 380)
_LIST_KEYS = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)


class PromptHistory(QFrame):
    """Signals: ``chosen(str)`` a prompt."""

    chosen = Signal(str)

    def __init__(self, tools: PromptTools, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._tools = tools
        self._asked = 0
        self.setProperty("role", "popup")
        self.setAccessibleName(self.tr("Your prompts"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search your prompts"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setProperty("role", "suggestions")
        self.list.setAccessibleName(self.tr("Your prompts"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.empty = label(self.tr("Prompts that you have used show here."), "muted")
        self.empty.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.search)
        column.addWidget(self.empty)
        column.addWidget(self.list, 1)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(ASK_AFTER_MS)
        self._later.timeout.connect(self._ask)
        self.search.textEdited.connect(self._later.start)
        self.search.returnPressed.connect(lambda: self._take(self.list.currentItem()))
        self.list.itemClicked.connect(self._take)

    def open_below(self, anchor: QWidget) -> None:
        self.search.clear()
        self.resize(*SIZE)
        place = anchor.mapToGlobal(QPoint(0, anchor.height() + 4))
        screen = anchor.screen().availableGeometry()
        place.setX(max(screen.left(), min(place.x(), screen.right() - self.width())))
        place.setY(max(screen.top(), min(place.y(), screen.bottom() - self.height())))
        self.move(place)
        self.show()
        self.search.setFocus()
        self._ask()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _LIST_KEYS:
            self.list.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def _ask(self) -> None:
        self._asked += 1
        number = self._asked

        def found(prompts: list[str]) -> None:
            if number == self._asked:
                self._show(prompts)

        self._tools.find_prompts(self.search.text(), MOST, found)

    def _show(self, prompts: list[str]) -> None:
        self.list.clear()
        for prompt in prompts:
            item = QListWidgetItem(" ".join(prompt.split()))
            item.setData(Qt.ItemDataRole.UserRole, prompt)
            item.setToolTip(prompt)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.empty.setText(
            self.tr("Nothing found.") if self.search.text() else self.tr("Prompts that you have used show here.")
        )
        self.empty.setVisible(not prompts)
        self.list.setVisible(bool(prompts))

    def _take(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.hide()
            self.chosen.emit(str(item.data(Qt.ItemDataRole.UserRole)))
