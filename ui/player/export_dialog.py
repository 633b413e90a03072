"""How a part of a clip is exported: format, part, speed, size. It stays open while it works, and can be stopped."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.media.export import SUFFIXES, ClipExport, export_clips
from engine.protocol.errors import Cancelled, LaternaError
from ui.background import Background
from ui.dialogs import AskTarget
from ui.formats import number
from ui.player.export import named_as
from ui.sentences import said
from ui.widgets.combo import Combo
from ui.widgets.labels import ErrorLabel
from ui.widgets.numbers import IntSpin

SIZES = (1.0, 0.75, 0.5, 0.25)
SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0, 4.0)


class ExportDialog(QDialog):
    """Signals: ``chosen(ClipExport)`` when it begins, ``done_with(str)`` with a sentence when it is done."""

    chosen = Signal(object)
    done_with = Signal(str)
    _told = Signal(float)

    def __init__(self, source: Path, export: ClipExport, ask_target: AskTarget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._export = export
        self._ask_target = ask_target
        self._stop = threading.Event()
        self._background = Background(1, self)
        self.setWindowTitle(self.tr("Export the clip"))
        self.format = Combo(self.tr("Format"))
        self.format.set_choices(
            [
                (self.tr("MP4: small, plays everywhere"), "mp4"),
                (self.tr("WebP: loops by itself, fine colours"), "webp"),
                (self.tr("GIF: loops by itself, 256 colours"), "gif"),
            ],
            export.format,
        )
        self.speed = Combo(self.tr("Speed"))
        self.speed.set_choices([(f"{number(speed)}×", speed) for speed in SPEEDS], export.speed)
        self.size_choice = Combo(self.tr("Size"))
        self.size_choice.set_choices([(f"{round(size * 100)} %", size) for size in SIZES], export.scale)
        self.to_and_fro = QCheckBox(self.tr("To and fro"))
        self.to_and_fro.setAccessibleName(self.to_and_fro.text())
        self.to_and_fro.setChecked(export.to_and_fro)
        self.backwards = QCheckBox(self.tr("Backwards"))
        self.backwards.setAccessibleName(self.backwards.text())
        self.backwards.setChecked(export.backwards)
        self.times = IntSpin(self.tr("How many times"), 1, 100, "×")
        self.times.setValue(export.times)
        self.more: list[Path] = []
        self.add = QPushButton(self.tr("Add a clip…"))
        self.add.setToolTip(self.tr("It comes after this one, at this one's size; what both show comes once."))
        self.joined = QLabel()
        self.joined.setWordWrap(True)
        self.joined.hide()
        self.bar = QProgressBar()
        self.bar.setAccessibleName(self.tr("Progress of the export"))
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.error = ErrorLabel()
        self.start = QPushButton(self.tr("Export…"))
        self.start.setDefault(True)
        self._lay_out()
        self._told.connect(lambda fraction: self.bar.setValue(round(fraction * 1000)))

    def _lay_out(self) -> None:
        self.part = QLabel(self._part())
        form = QFormLayout()
        form.addRow(self.tr("Part"), self.part)
        form.addRow(self.tr("Then"), self.add)
        form.addRow("", self.joined)
        form.addRow(self.tr("Format"), self.format)
        form.addRow(self.tr("Speed"), self.speed)
        form.addRow(self.tr("Size"), self.size_choice)
        form.addRow("", self.to_and_fro)
        form.addRow("", self.backwards)
        form.addRow(self.tr("Times"), self.times)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        self.start.clicked.connect(self._ask)
        self.add.clicked.connect(self._ask_more)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 14)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self.bar)
        column.addWidget(self.error)
        column.addWidget(buttons)
        self.setMinimumWidth(400)

    def _ask_more(self) -> None:
        dialog = QFileDialog(self, self.tr("Add clips"), str(self._source.parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(self.tr("Clips ({endings})").format(endings="*.mp4"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.join([Path(name) for name in names]))
        dialog.open()

    def join(self, clips: list[Path]) -> None:
        """Put ``clips`` after this one; then all of it is exported."""
        self.more += clips
        self.joined.setText(", ".join(clip.name for clip in self.more))
        self.joined.setVisible(bool(self.more))
        self.part.setText(self._part())

    def _part(self) -> str:
        if self.more:
            return self.tr("all clips, whole")
        if self._export.last is None:
            return self.tr("the whole clip")
        return self.tr("frames {first} to {last}").format(first=self._export.first + 1, last=self._export.last + 1)

    def choice(self) -> ClipExport:
        return msgspec.structs.replace(
            self._export,
            format=self.format.currentData(),
            speed=self.speed.currentData(),
            scale=self.size_choice.currentData(),
            to_and_fro=self.to_and_fro.isChecked(),
            backwards=self.backwards.isChecked(),
            times=self.times.value(),
            **({"first": 0, "last": None} if self.more else {}),
        )

    def _ask(self) -> None:
        export = self.choice()
        part = (
            "-joined"
            if self.more
            else ""
            if export.last is None and SUFFIXES[export.format] != self._source.suffix
            else "-part"
        )
        suggestion = self._source.with_name(self._source.stem + part + SUFFIXES[export.format])
        self._ask_target(self, self.tr("Export the clip"), suggestion, lambda path: self._begin(export, path))

    def _begin(self, export: ClipExport, path: Path) -> None:
        target, more = named_as(path, SUFFIXES[export.format]), tuple(self.more)
        self.chosen.emit(export)
        self.error.set_sentence("")
        self.bar.show()
        self.start.setEnabled(False)
        self._background.run(
            lambda: export_clips([self._source, *more], target, export, self._told.emit, self._stop.is_set),
            self._done,
            self._failed,
        )

    def _done(self, path: Path) -> None:
        self.done_with.emit(self.tr("Saved as {0}.").format(path.name))
        self.accept()

    def _failed(self, error: LaternaError) -> None:
        self.bar.hide()
        self.start.setEnabled(True)
        if not isinstance(error, Cancelled):
            self.error.set_sentence(said(error.info()))

    def done(self, result: int) -> None:
        self._stop.set()
        self._background.close()
        super().done(result)
        self.deleteLater()
