"""Number fields that keep the exact value they were given and leave the mouse wheel to the scrolling form."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLocale, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

from ui.widgets.style import set_state

FIELD_HEIGHT = 30
LEAST_WIDTH = 84


def _dress(spin: QAbstractSpinBox) -> None:
    locale = QLocale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator | QLocale.NumberOption.RejectGroupSeparator)
    spin.setLocale(locale)
    spin.setFixedHeight(FIELD_HEIGHT)
    spin.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach into a spin box


class IntSpin(QSpinBox):
    """``QSpinBox`` with an accessible name; out-of-range values are the validation's business, so ranges are wide."""

    def __init__(self, name: str, low: int, high: int, suffix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setRange(low, high)
        self.setSuffix(suffix)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._offset = 0
        _dress(self)

    def set_grid(self, step: int, offset: int = 0) -> None:
        """Arrows and Page keys go to the next ``step * N + offset``; other values can be typed."""
        self._offset = offset
        self.setSingleStep(max(1, step))

    def stepBy(self, steps: int) -> None:
        step = self.singleStep()
        beyond = (self.value() - self._offset) % step
        if beyond and steps:  # to the grid first, which counts as one step
            self.setValue(self.value() - beyond + (step if steps > 0 else 0))
            steps -= 1 if steps > 0 else -1
        super().stepBy(steps)

    def minimumSizeHint(self) -> QSize:
        """In a narrow form it gives way: the widest number that it could hold is seldom in it."""
        return super().minimumSizeHint().boundedTo(QSize(LEAST_WIDTH, FIELD_HEIGHT))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class FloatSpin(QDoubleSpinBox):
    """Shows two decimals at most and keeps the exact number it was set to until the person changes it.

    It shows a comma where the window's language has one, and takes a point as well as a comma.
    """

    def __init__(self, name: str, low: float, high: float, step: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exact = low
        self.setAccessibleName(name)
        self.setDecimals(2)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        _dress(self)
        self.valueChanged.connect(self._follow)

    def set_exact(self, value: float) -> None:
        self._exact = value
        self.setValue(value)
        self._exact = value

    def exact(self) -> float:
        return self._exact

    def textFromValue(self, value: float) -> str:
        text = f"{value:.2f}".rstrip("0")
        return self._local(text + "0" if text.endswith(".") else text)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(self._local(text))

    def validate(self, text: str, at: int) -> object:
        return super().validate(self._local(text), at)

    def _local(self, text: str) -> str:
        return text.translate(str.maketrans(".,", 2 * self.locale().decimalPoint()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _follow(self, value: float) -> None:
        self._exact = value


class QuietSlider(QSlider):
    """A horizontal slider that does not take the wheel from the form."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setAccessibleName(name)
        self._mark: int | None = None
        self._follow_direction()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._follow_direction()

    def _follow_direction(self) -> None:
        """A style sheet's slider is turned round in a mirrored layout, but not what fills its groove."""
        set_state(self, "mirrored", self.layoutDirection() == Qt.LayoutDirection.RightToLeft)

    def set_mark(self, value: int | None) -> None:
        """A small mark below the groove, at the value that is the usual one."""
        if value != self._mark:
            self._mark = value
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._mark in (None, self.value()) or not self.minimum() <= self._mark <= self.maximum():
            return
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        option.sliderPosition = option.sliderValue = self._mark
        part = QStyle.SubControl.SC_SliderHandle
        handle = self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().placeholderText())
        painter.drawEllipse(QPointF(handle.center().x() + 0.5, self.height() - 3.0), 1.75, 1.75)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class SliderSpin(QWidget):
    """A slider for the usual values and a field for all of them; of fractions the slider makes ``steps`` from 0 to 1.

    Signals: ``edited`` after the person changed the value.
    """

    edited = Signal()

    def __init__(
        self,
        name: str,
        slider_range: tuple[float, float],
        spin: IntSpin | FloatSpin,
        steps: int = 10,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._scale = steps if isinstance(spin, FloatSpin) else 1
        self.slider = QuietSlider(name, self)
        self.spin = spin
        self.set_slider_range(*slider_range)
        spin.setParent(self)
        spin.setFixedWidth(64)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(spin)
        self.setFocusProxy(spin)
        self.slider.valueChanged.connect(self._slid)
        spin.valueChanged.connect(self._spun)

    def set_slider_range(self, low: float, high: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setRange(round(low * self._scale), round(high * self._scale))
        self.slider.setPageStep(max(1, (self.slider.maximum() - self.slider.minimum()) // 10))
        self.slider.blockSignals(False)

    def set_mark(self, value: float | None) -> None:
        """Show on the slider where the usual value lies."""
        self.slider.set_mark(None if value is None else round(value * self._scale))

    def value(self) -> float:
        return self.spin.exact() if isinstance(self.spin, FloatSpin) else self.spin.value()

    def set_value(self, value: float) -> None:
        """Without ``edited``."""
        self.spin.blockSignals(True)
        if isinstance(self.spin, FloatSpin):
            self.spin.set_exact(float(value))
        else:
            self.spin.setValue(int(value))
        self.spin.blockSignals(False)
        self._place_slider()

    def _place_slider(self) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(self.value() * self._scale))
        self.slider.blockSignals(False)

    def _slid(self, value: int) -> None:
        self.spin.blockSignals(True)
        if isinstance(self.spin, FloatSpin):
            self.spin.set_exact(value / self._scale)
        else:
            self.spin.setValue(value)
        self.spin.blockSignals(False)
        self.edited.emit()

    def _spun(self) -> None:
        if isinstance(self.spin, FloatSpin):
            self.spin.set_exact(self.spin.value())
        self._place_slider()
        self.edited.emit()
