"""Where a picture or clip is dropped, or chosen by keyboard, to reuse its recipe. The window takes the drop itself."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ui.widgets.labels import ElidedLabel
from ui.widgets.style import set_state


class DropZone(QFrame):
    """Signals: ``file_wanted`` when the person clicks it, or presses Enter or Space on it."""

    file_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "dropzone")
        self.setFixedHeight(46)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        text = self.tr("Drop an image or clip to reuse its recipe")
        self.setAccessibleName(text)
        self.setToolTip(self.tr("Or click to choose a file"))
        self._label = ElidedLabel(text)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout(self)
        row.addWidget(self._label)

    def set_over(self, over: bool) -> None:
        """A file is being dragged over the window."""
        set_state(self, "over", over)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.file_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.modifiers():
            self.file_wanted.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        set_state(self, "over", True)

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        set_state(self, "over", False)
