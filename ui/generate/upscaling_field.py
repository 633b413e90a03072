"""``UpscalingField``: whether results are made larger once they are there, how many times, and by what."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from engine.models.upscalers import Upscaler, Upscalers
from engine.protocol.upscaling import SCALES, Upscaling
from ui.widgets.combo import Combo

USUAL_SCALE = 2


class UpscalingField(QWidget):
    """Signals: ``edited`` after the person changed it."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._upscalers: tuple[Upscaler, ...] = Upscalers().all()
        self._size = (0, 0)
        self.on = QCheckBox()
        self.on.setAccessibleName(self.tr("Make results larger"))
        self.how = Combo(self.tr("How much larger, and by what"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.on)
        row.addWidget(self.how, 1)
        self.setFocusProxy(self.on)
        self.on.toggled.connect(self._switched)
        self.how.activated.connect(self._chosen)
        self.set_upscaling(None)

    def set_upscalers(self, upscalers: Sequence[Upscaler]) -> None:
        """Those that are here; what is set stays."""
        self._upscalers = tuple(upscalers)
        self.set_upscaling(self.upscaling())

    def set_size(self, width: int, height: int) -> None:
        """Of a result before."""
        self._size = (width, height)
        self._tell()

    def set_upscaling(self, how: Upscaling | None) -> None:
        """Without ``edited``. One of a recipe from elsewhere gets an entry of its own."""
        offered = [one.upscaling(scale) for one in self._upscalers for scale in SCALES]
        if how is not None and how not in offered:
            offered.append(how)
        kept = how or self.how.currentData()
        usual = next((one for one in offered if one.scale == USUAL_SCALE), None)
        choices: list[tuple[str, object]] = [(f"{one.scale} ×  {one.by}", one) for one in offered]
        self.how.set_choices(choices, kept if kept in offered else usual)
        self.on.blockSignals(True)
        self.on.setChecked(how is not None)
        self.on.blockSignals(False)
        self._tell()

    def upscaling(self) -> Upscaling | None:
        found = self.how.currentData()
        return found if self.on.isChecked() and isinstance(found, Upscaling) else None

    def _switched(self) -> None:
        self._tell()
        self.edited.emit()

    def _chosen(self) -> None:
        """Whoever chooses how wants it."""
        self.on.blockSignals(True)
        self.on.setChecked(True)
        self.on.blockSignals(False)
        self._switched()

    def _tell(self) -> None:
        width, height = self._size
        how = self.upscaling()
        scale = how.scale if how is not None else 1
        self.on.setText(f"{width * scale} × {height * scale}" if width else "")
        self.on.setToolTip(
            self.tr("Saved at this size. Without the tick: as the model makes it, {width} × {height}.").format(
                width=width, height=height
            )
        )
