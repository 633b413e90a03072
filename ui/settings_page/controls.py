"""One control for each kind of setting, all with ``value``, ``set_value`` and ``changed``."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from engine.library.file_names import PLACES, USUAL, render, unknown_places
from engine.models.catalog import MODELS
from ui.settings_page.table import SettingRow
from ui.widgets.combo import Combo
from ui.widgets.labels import ElidedLabel, label
from ui.widgets.numbers import FIELD_HEIGHT, FloatSpin

EXAMPLE = next(iter(MODELS.values())).recipe("an owl at night", seed=1234)
WIDTH = 230


def translated(text: str) -> str:
    return QCoreApplication.translate("Settings", text)


class Control(QWidget):
    """Signals: ``changed`` after the person set another value."""

    changed = Signal()

    def __init__(self, row: SettingRow) -> None:
        super().__init__()
        self.row = row
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def value(self) -> object:
        raise NotImplementedError

    def set_value(self, value: object) -> None:
        """Without ``changed``."""
        raise NotImplementedError

    def _hold(self, part: QWidget) -> None:
        part.setAccessibleName(translated(self.row.text))
        part.setAccessibleDescription(translated(self.row.note))
        self._column.addWidget(part)
        self.setFocusProxy(part)


class Switch(Control):
    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.box = QCheckBox()
        self._hold(self.box)
        self.box.clicked.connect(self.changed)

    def value(self) -> object:
        return self.box.isChecked()

    def set_value(self, value: object) -> None:
        self.box.setChecked(bool(value))


class Choice(Control):
    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.combo = Combo(translated(row.text))
        self.combo.setFixedWidth(WIDTH)
        self._hold(self.combo)
        self.combo.activated.connect(self.changed)

    def value(self) -> object:
        return self.combo.currentData()

    def set_value(self, value: object) -> None:
        choices: list[tuple[str, object]] = [(translated(text), key) for key, text in self.row.choices]
        self.combo.set_choices(choices, value)
        self.combo.setCurrentIndex(max(0, self.combo.findData(value)))


class Number(Control):
    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        low, high, step = row.numbers
        self.spin = FloatSpin(translated(row.text), low, high, step)
        self.spin.setSuffix(translated(row.suffix))
        self.spin.setFixedWidth(110)
        self._hold(self.spin)
        self.spin.valueChanged.connect(self.changed)

    def value(self) -> object:
        return self.spin.exact()

    def set_value(self, value: object) -> None:
        self.spin.blockSignals(True)
        self.spin.set_exact(float(value))  # type: ignore[arg-type]
        self.spin.blockSignals(False)


class Folder(Control):
    def __init__(self, row: SettingRow, usual: Path) -> None:
        super().__init__(row)
        self._usual = usual
        self._value = ""
        self.button = QPushButton(self.tr("Choose…"))
        self.shown = ElidedLabel("", "muted")
        self.shown.setFixedWidth(WIDTH)
        self._hold(self.button)
        self._column.addWidget(self.shown)
        self.button.clicked.connect(self._ask)

    def value(self) -> object:
        return self._value

    def set_value(self, value: object) -> None:
        self._value = str(value)
        self.shown.set_text(self._value or str(self._usual))

    def _ask(self) -> None:
        from ui.dialogs import ask_folder

        ask_folder(self, Path(self._value) if self._value else self._usual, self.choose)

    def choose(self, folder: Path) -> None:
        self.set_value("" if folder == self._usual else str(folder))
        self.changed.emit()


class FileName(Control):
    """A template, with an example of what comes of it and the words that may stand in braces."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.line = QLineEdit()
        self.line.setFixedHeight(FIELD_HEIGHT)
        self.line.setFixedWidth(WIDTH + 60)
        self.line.setPlaceholderText(USUAL)
        self.example = ElidedLabel("", "muted")
        self.example.setFixedWidth(WIDTH + 60)
        self._hold(self.line)
        self._column.addWidget(self.example)
        names = label(" ".join("{" + name + "}" for name in PLACES), "muted")
        names.setWordWrap(True)
        names.setFixedWidth(WIDTH + 60)
        self._column.addWidget(names)
        self.line.textEdited.connect(self._edited)

    def value(self) -> object:
        return self.line.text()

    def set_value(self, value: object) -> None:
        self.line.setText(str(value))
        self._tell()

    def _edited(self) -> None:
        self._tell()
        if not unknown_places(self.line.text()):
            self.changed.emit()

    def _tell(self) -> None:
        unknown = unknown_places(self.line.text())
        if unknown:
            self.example.set_text(self.tr("{name} means nothing here.").format(name="{" + unknown[0] + "}"))
        else:
            self.example.set_text(render(self.line.text() or USUAL, EXAMPLE, time.time()) + ".png")


def make_control(row: SettingRow, usual_folder: Path) -> Control:
    if row.kind == "switch":
        return Switch(row)
    if row.kind == "choice":
        return Choice(row)
    if row.kind == "number":
        return Number(row)
    if row.kind == "folder":
        return Folder(row, usual_folder)
    return FileName(row)
