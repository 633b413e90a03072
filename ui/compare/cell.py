"""One of the results that are compared: its picture or clip, and what is different about it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from engine.library.item import Item
from ui.background import Background
from ui.player.canvas import Canvas
from ui.player.picture import read_picture
from ui.player.playback import Playback
from ui.theme import Theme
from ui.widgets.labels import ElidedLabel


class CompareCell(QWidget):
    """Signals: ``picture_changed(QImage)`` when its picture, or the next frame, is there; ``failed(str)``."""

    picture_changed = Signal(QImage)
    failed = Signal(str)

    def __init__(self, item: Item, caption: str, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item = item
        self.image = QImage()
        self.canvas = Canvas(theme=theme)
        self.canvas.setAccessibleName(caption)
        self.caption = ElidedLabel(caption)
        self.caption.setContentsMargins(14, 6, 14, 6)
        self.caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # all cells are as wide
        self.playback = Playback(parent=self)
        self.playback.frame_shown.connect(lambda _index, image: self._show(image))
        self.playback.failed.connect(self.failed)
        self._background = Background(1, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.caption)

    @property
    def is_clip(self) -> bool:
        return self.item.kind == "video"

    def open(self) -> None:
        if self.is_clip:
            self.playback.open(self.item.file)
            return
        self._background.run(
            lambda: read_picture(self.item.file), self._show, lambda error: self.failed.emit(str(error))
        )

    def close_down(self) -> None:
        self.playback.wait()
        self._background.close()
        self.canvas.close_down()

    def _show(self, image: QImage) -> None:
        if image.isNull():
            self.failed.emit(self.tr("{0} cannot be shown.").format(self.item.path.name))
            return
        self.image = image
        self.canvas.set_image(image, QSize(self.item.width, self.item.height), moving=self.is_clip)
        self.picture_changed.emit(image)
