"""A part of the schedule: two fields and the bar between them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.generate.timeline import Timeline
from ui.widgets.labels import label
from ui.widgets.numbers import FloatSpin


class RangeField(QWidget):
    """A part of the schedule, from start to end, as fractions.

    Signals: ``edited`` after the person changed it.
    """

    edited = Signal()

    def __init__(self, start_name: str, end_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.start = FloatSpin(start_name, 0.0, 1.0, 0.05)
        self.end = FloatSpin(end_name, 0.0, 1.0, 0.05)
        self.timeline = Timeline(self.tr("Drag the ends"))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.start, 1)
        row.addWidget(label(self.tr("to"), "muted"))
        row.addWidget(self.end, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.timeline)
        self.setFocusProxy(self.start)
        self.start.valueChanged.connect(self._typed)
        self.end.valueChanged.connect(self._typed)
        self.timeline.range_dragged.connect(self._dragged)

    def _typed(self) -> None:
        self.timeline.set_range(*self.values())
        self.edited.emit()

    def _dragged(self, start: float, end: float) -> None:
        self.set_range(start, end)
        self.edited.emit()

    def set_range(self, start: float, end: float) -> None:
        """Without ``edited``."""
        self.timeline.set_range(start, end)
        for spin, value in ((self.start, start), (self.end, end)):
            spin.blockSignals(True)
            spin.set_exact(value)
            spin.blockSignals(False)

    def values(self) -> tuple[float, float]:
        return self.start.exact(), self.end.exact()
