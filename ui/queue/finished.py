"""What the queue has finished: the newest results as small pictures, to look at and to drag out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem, QWidget

from engine.jobs.notices import JobEnded
from engine.library.changes import LibraryChanged
from engine.library.item import Item
from engine.protocol.errors import LaternaError
from ui.background import Background
from ui.library.captions import item_title, spoken
from ui.library.drag import drag_pixmap, make_drag, run_drag
from ui.library.model import ItemSource
from ui.library.thumbnails import ThumbnailSource, cut
from ui.theme import Theme

MOST = 24
THUMB = QSize(66, 44)
SIDE = 256
_ITEM = Qt.ItemDataRole.UserRole


class FinishedStrip(QListWidget):
    """The newest first. Signals: ``item_wanted(int)`` its id, by Enter or a click; ``message(str)``."""

    item_wanted = Signal(int)
    message = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._library: ItemSource | None = None
        self._thumbnails: ThumbnailSource | None = None
        self._background = Background(1, self)
        self.setAccessibleName(self.tr("Finished"))
        self.setProperty("role", "bare")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(THUMB)
        self.setGridSize(THUMB + QSize(8, 8))
        self.setUniformItemSizes(True)
        self.setFixedHeight(THUMB.height() + 12)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.viewport().setAutoFillBackground(False)
        self.itemClicked.connect(lambda row: self.item_wanted.emit(row.data(_ITEM).id))
        self.hide()

    def attach(self, library: ItemSource, thumbnails: ThumbnailSource) -> None:
        self._library, self._thumbnails = library, thumbnails

    def close_down(self) -> None:
        self._background.close()

    def items(self) -> list[Item]:
        return [self.item(place).data(_ITEM) for place in range(self.count())]

    def job_ended(self, ended: JobEnded) -> None:
        library, thumbnails = self._library, self._thumbnails
        if library is None or thumbnails is None or not ended.item_ids:
            return
        ratio = self.devicePixelRatioF()

        def read() -> list[tuple[Item, QImage]]:
            return [(item, _picture(thumbnails, item, ratio)) for item in library.items(ended.item_ids)]

        self._background.run(read, self._add, lambda _error: None)

    def library_changed(self, change: LibraryChanged) -> None:
        """What was deleted is no longer here."""
        for place in reversed(range(self.count())):
            if self.item(place).data(_ITEM).id in change.removed:
                self.takeItem(place)
        self.setVisible(self.count() > 0)

    def _add(self, found: list[tuple[Item, QImage]]) -> None:
        for item, picture in found:
            row = QListWidgetItem(QIcon(QPixmap.fromImage(picture)), "")
            row.setData(_ITEM, item)
            row.setToolTip(item_title(item))
            row.setData(Qt.ItemDataRole.AccessibleTextRole, spoken(item))
            self.insertItem(0, row)
        while self.count() > MOST:
            self.takeItem(self.count() - 1)
        self.setVisible(self.count() > 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current is not None:
            self.item_wanted.emit(current.data(_ITEM).id)
        else:
            super().keyPressEvent(event)

    def startDrag(self, supported: Qt.DropAction) -> None:
        """The real files of all that is chosen."""
        rows = sorted(self.selectedItems(), key=self.row)
        items = [row.data(_ITEM) for row in rows]
        thumbs = [row.icon().pixmap(THUMB) for row in rows[:3]]
        pixmap = drag_pixmap(thumbs, len(items), theme=self._theme, ratio=self.devicePixelRatioF())
        drag = make_drag(self, [item.file for item in items], pixmap)
        if drag is not None:
            drag.setHotSpot(QPoint(12, 12))
            run_drag(drag)
        elif items:
            self.message.emit(self.tr("The file is not there any more: {0}.").format(items[0].file))


def _picture(thumbnails: ThumbnailSource, item: Item, ratio: float) -> QImage:
    """A small picture of ``item``; an empty field where there is none."""
    image = QImage()
    try:
        source = thumbnails.get(item, SIDE)
        image = QImage(str(source)) if isinstance(source, Path) else QImage.fromData(source or b"")
    except LaternaError:
        pass
    if image.isNull():
        image = QImage(THUMB, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.darkGray)
    return cut(image, THUMB * ratio, ratio, 5)
