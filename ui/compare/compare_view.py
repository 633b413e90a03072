"""``CompareView``: two to four results side by side with one zoom for all, or two under a slider (S changes)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from engine.library.item import Item
from ui.compare.cell import CompareCell
from ui.compare.slider_canvas import SliderCanvas
from ui.library.captions import item_title
from ui.player.canvas import Canvas
from ui.player.viewport import Look
from ui.recipe.described import NEGATIVE, PROMPT, differences, field_name, shown
from ui.theme import Theme
from ui.widgets.labels import ElidedLabel
from ui.widgets.segments import Segments

MOST = 4
SHOWN_DIFFERENCES = 4


class CompareView(QWidget):
    """Signals: ``closed`` when the person is done, ``message(str)``."""

    closed = Signal()
    message = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.cells: list[CompareCell] = []
        self.setAccessibleName(self.tr("Comparison"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.title = ElidedLabel(self.tr("Comparison"), "title")
        self.mode = Segments(
            self.tr("How to compare"), [("side", self.tr("Side by side")), ("slider", self.tr("Slider"))]
        )
        self.mode.setFixedHeight(34)
        self.back = QPushButton(self.tr("Done"))
        self.back.setToolTip(self.tr("Esc"))
        self.slider = SliderCanvas(theme=theme)
        self._grid_page = QWidget()
        self._grid = QGridLayout(self._grid_page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._grid_page)
        self._stack.addWidget(self.slider)
        head = QFrame()
        head.setProperty("role", "panel")
        head.setFixedHeight(47)
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 6, 12, 6)
        row.addWidget(self.title, 1)
        row.addWidget(self.mode)
        row.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self._stack, 1)
        self.mode.chosen.connect(self._set_mode)
        self.back.clicked.connect(self.closed)
        self.mode.set_current("side")

    def show_items(self, items: Sequence[Item]) -> None:
        """Two to four of them."""
        self.clear()
        chosen = list(items[:MOST])
        captions = _captions(chosen)
        columns = 2 if len(chosen) in (2, 4) else len(chosen)
        for number, (item, caption) in enumerate(zip(chosen, captions, strict=True)):
            cell = CompareCell(item, caption, theme=self._theme)
            cell.canvas.looked.connect(lambda look, canvas=cell.canvas: self._look_at(look, canvas))
            cell.failed.connect(self.message)
            cell.playback.opened.connect(self._begin_together)
            row, column = divmod(number, columns)
            self._grid.addWidget(cell, row, column)
            self._grid.setColumnStretch(column, 1)
            self._grid.setRowStretch(row, 1)
            self.cells.append(cell)
        self.title.set_text(self._title(chosen))
        self.mode.button("slider").setEnabled(len(chosen) == 2)
        if len(chosen) == 2:
            first, second = self.cells
            size = QSize(first.item.width, first.item.height)
            first.picture_changed.connect(lambda image: self.slider.set_image(image, size, moving=first.is_clip))
            second.picture_changed.connect(self.slider.set_second)
            self.slider.set_captions(*captions)
        else:
            self._set_mode("side")
        for cell in self.cells:
            cell.open()
        self.setFocus()

    def clear(self) -> None:
        for cell in self.cells:
            cell.close_down()
            self._grid.removeWidget(cell)
            cell.hide()
            cell.deleteLater()
        self.cells = []
        for line in range(MOST):
            self._grid.setColumnStretch(line, 0)
            self._grid.setRowStretch(line, 0)
        self.slider.clear()

    def close_down(self) -> None:
        self.clear()
        self.slider.close_down()

    def _title(self, items: Sequence[Item]) -> str:
        recipes = [item.recipe for item in items if item.recipe is not None]
        fields = differences(recipes) if len(recipes) == len(items) else []
        if not fields:
            return self.tr("Comparison")
        names = ", ".join(field_name(field) for field in fields[:SHOWN_DIFFERENCES])
        return self.tr("Different: {names}").format(names=names)

    def _set_mode(self, mode: str) -> None:
        self.mode.set_current(mode)
        self._stack.setCurrentWidget(self.slider if mode == "slider" else self._grid_page)
        (self.slider if mode == "slider" else self).setFocus()

    def _look_at(self, look: Look, source: Canvas) -> None:
        """The same part of every other picture."""
        for cell in self.cells:
            if cell.canvas is not source:
                cell.canvas.look_at(look)

    def _begin_together(self) -> None:
        """Once all clips are there."""
        clips = [cell.playback for cell in self.cells if cell.is_clip]
        if all(clip.info is not None for clip in clips):
            for clip in clips:
                clip.seek(0)

    def toggle_play(self) -> None:
        """All clips together, from the same moment."""
        clips = [cell.playback for cell in self.cells if cell.is_clip]
        if any(clip.playing for clip in clips):
            for clip in clips:
                clip.pause()
        else:
            for clip in clips:
                clip.seek(clips[0].index)
                clip.play()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.closed.emit()
        elif key == Qt.Key.Key_S and len(self.cells) == 2:
            self._set_mode("side" if self._stack.currentWidget() is self.slider else "slider")
        elif key == Qt.Key.Key_Space:
            self.toggle_play()
        elif self.cells and self._stack.currentWidget() is self._grid_page and key in _ZOOM_KEYS:
            self.cells[0].canvas.keyPressEvent(event)
        else:
            super().keyPressEvent(event)


_ZOOM_KEYS = (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus, Qt.Key.Key_0, Qt.Key.Key_1)


def _captions(items: Sequence[Item]) -> list[str]:
    """What is different about each; its title where nothing is known to be."""
    recipes = [item.recipe for item in items]
    known = [recipe for recipe in recipes if recipe is not None]
    fields = differences(known) if len(known) == len(items) else []
    if not fields:
        return [item_title(item) for item in items]
    captions = []
    for item, recipe in zip(items, known, strict=True):
        parts = []
        for field in fields[:SHOWN_DIFFERENCES]:
            value = shown(recipe, field)
            if field not in (PROMPT, NEGATIVE):
                parts.append(f"{field_name(field)} {value}")
            elif getattr(recipe, field):
                parts.append(value)
        captions.append("  ·  ".join(parts) or item_title(item))
    return captions
