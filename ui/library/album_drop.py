"""Where dragged items can be let go of to put them into an album: a list that comes up over the gallery meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

ROW_HEIGHT = 32
MOST_ROWS = 6


class AlbumDrop(QListWidget):
    """Signals: ``dropped(str)`` with the album's name, "" for a new one."""

    dropped = Signal(str)

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.setAccessibleName(self.tr("Albums"))
        self.setProperty("role", "suggestions")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(True)
        self.hide()

    def show_for(self, albums: Sequence[str]) -> None:
        """At the bottom of the host."""
        self.clear()
        for name, shown in [*((album, album) for album in albums), ("", self.tr("New album…"))]:
            row = QListWidgetItem(self.tr("Into “{0}”").format(shown) if name else shown)
            row.setSizeHint(QSize(0, ROW_HEIGHT))
            row.setData(Qt.ItemDataRole.UserRole, name)
            self.addItem(row)
        host = self.parentWidget()
        height = ROW_HEIGHT * min(MOST_ROWS, self.count()) + 12
        self.setGeometry(10, host.height() - height - 10, host.width() - 20, height)
        self.raise_()
        self.show()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if isinstance(event.source(), QWidget) and self.parentWidget().isAncestorOf(event.source()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        row = self.itemAt(event.position().toPoint())
        self.setCurrentItem(row)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept() if row is not None else event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        row = self.itemAt(event.position().toPoint())
        if row is None:
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.dropped.emit(row.data(Qt.ItemDataRole.UserRole))
