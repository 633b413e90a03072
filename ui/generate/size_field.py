"""Width and height: the model's own sizes, or any."""

from __future__ import annotations

from math import gcd

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.formats import number
from ui.theme import Theme
from ui.widgets.combo import Combo
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import label
from ui.widgets.numbers import IntSpin

CUSTOM = "custom"
TOO_SMALL, TOO_LARGE = 0.7, 1.4  # of the smallest and largest area that the model was made for
SAME_MEGAPIXELS = 0.2


def ratio(width: int, height: int) -> str:
    """ "3:2" where the ratio is a simple one, else nothing."""
    divisor = gcd(width, height)
    w, h = width // divisor, height // divisor
    return f"{w}:{h}" if max(w, h) <= 21 else ""


def size_text(width: int, height: int) -> str:
    simple = ratio(width, height)
    return f"{width} × {height}" + (f"  ({simple})" if simple else "")


class SizeField(QWidget):
    """Signals: ``edited`` after the person changed the size."""

    edited = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes: tuple[tuple[int, int], ...] = ()
        self._native: tuple[int, int] | None = None
        self.combo = Combo(self.tr("Size"), self)
        self.width_spin = IntSpin(self.tr("Width in pixels"), 1, 16384, parent=self)
        self.height_spin = IntSpin(self.tr("Height in pixels"), 1, 16384, parent=self)
        swap = IconButton("swap", self.tr("Swap width and height"), theme=theme)
        self.hint = label("", "muted")
        self.hint.setWordWrap(True)
        self.hint.hide()
        self._custom = QWidget(self)
        row = QHBoxLayout(self._custom)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.width_spin, 1)
        row.addWidget(label("×", "muted"))
        row.addWidget(self.height_spin, 1)
        row.addWidget(swap)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(8)
        column.addWidget(self.combo)
        column.addWidget(self._custom)
        column.addWidget(self.hint)
        self._custom.hide()
        self.setFocusProxy(self.combo)
        self.combo.activated.connect(self._chosen)
        self.width_spin.valueChanged.connect(self._typed)
        self.height_spin.valueChanged.connect(self._typed)
        swap.clicked.connect(self._swap)

    def set_rules(
        self, sizes: tuple[tuple[int, int], ...], multiple: int, native: tuple[int, int] | None = None
    ) -> None:
        """``sizes`` are those that the model was made for, ``native`` the one it does best."""
        self._sizes, self._native = sizes, native
        for spin in (self.width_spin, self.height_spin):
            spin.set_grid(multiple)

    def size_value(self) -> tuple[int, int]:
        return self.width_spin.value(), self.height_spin.value()

    def set_size(self, width: int, height: int) -> None:
        """Without ``edited``."""
        for spin, value in ((self.width_spin, width), (self.height_spin, height)):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)
        preset = (width, height) in self._sizes
        choices: list[tuple[str, object]] = [(self._name(size), f"{size[0]}x{size[1]}") for size in self._sizes]
        choices.append((self.tr("Custom: {size}").format(size=size_text(width, height)), CUSTOM))
        if preset:
            choices[-1] = (self.tr("Custom…"), CUSTOM)
        self.combo.set_choices(choices, f"{width}x{height}" if preset else CUSTOM)
        self._custom.setVisible(not preset)
        self._tell()

    def _name(self, size: tuple[int, int]) -> str:
        text = size_text(*size)
        return self.tr("{size}  ·  native").format(size=text) if size == self._native and len(self._sizes) > 1 else text

    def _tell(self) -> None:
        """Say so where the size leaves what the model was made for."""
        self.hint.setVisible(False)
        if not self._sizes:
            return
        width, height = self.size_value()
        areas = [w * h for w, h in self._sizes]
        if TOO_SMALL * min(areas) <= width * height <= TOO_LARGE * max(areas):
            return
        least, most = min(areas) / 1e6, max(areas) / 1e6
        if len(self._sizes) == 1:
            text = self.tr("This model was made for {size}.").format(size=size_text(*self._sizes[0]))
        elif most - least < SAME_MEGAPIXELS:
            text = self.tr("This model was made for about {most} megapixels.").format(most=number(most, 1))
        else:
            text = self.tr("This model was made for {least} to {most} megapixels.").format(
                least=number(least, 2), most=number(most, 1)
            )
        self.hint.setText(text)
        self.hint.setVisible(True)

    def _chosen(self) -> None:
        value = str(self.combo.currentData())
        if value == CUSTOM:
            self._custom.setVisible(True)
            self.width_spin.setFocus()
            self.width_spin.selectAll()
            return
        width, height = value.split("x")
        self.set_size(int(width), int(height))
        self.edited.emit()

    def _typed(self) -> None:
        index = self.combo.findData(CUSTOM)
        self.combo.setItemText(index, self.tr("Custom: {size}").format(size=size_text(*self.size_value())))
        self.combo.setCurrentIndex(index)
        self._custom.setVisible(True)
        self._tell()
        self.edited.emit()

    def _swap(self) -> None:
        width, height = self.size_value()
        for spin, value in ((self.width_spin, height), (self.height_spin, width)):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)
        self._typed()
