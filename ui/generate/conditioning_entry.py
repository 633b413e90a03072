"""One prompt of several: its text, its part of the schedule, and on demand what else a prompt can have."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.protocol.conditioning import Entry, Mix, Range, Words
from engine.protocol.conditioning_rules import MAX_ENTRIES, MAX_STRENGTH
from ui.generate.conditioning_mix import MixRow
from ui.generate.own_text import OwnText
from ui.generate.range_field import RangeField
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, label
from ui.widgets.numbers import FloatSpin


class EntryCard(QFrame):
    """``entry()`` is what it was shown, with what the person changed.

    Signals: ``edited`` after the person changed something, ``remove_wanted`` by its button.
    """

    edited = Signal()
    remove_wanted = Signal()

    def __init__(self, name: str, is_first: bool, *, theme: Theme, parent: QWidget | None = None) -> None:
        """``name`` as in "Negative 2". The first of a side reads the prompt of the form and has no text of its own."""
        super().__init__(parent)
        self._theme = theme
        self._is_first = is_first
        self._entry = Entry()
        self.setProperty("role", "card")
        self.setAccessibleName(name)
        self.note = ElidedLabel("", "muted")
        self.more = IconButton("more", self.tr("{name}: more settings").format(name=name), theme=theme, role="muted")
        self.more.setCheckable(True)
        self.remove = IconButton(
            "x", self.tr("{name}: take it out").format(name=name), theme=theme, role="muted", size=14
        )
        self.text = OwnText(self.tr("Its own text"), self.tr("{name}: text").format(name=name), theme=theme)
        self.text.switch.hide()
        self.text.setVisible(not is_first)
        self.range = RangeField(
            self.tr("{name}: from, as a fraction of the schedule").format(name=name),
            self.tr("{name}: to, as a fraction of the schedule").format(name=name),
        )
        self.strength = FloatSpin(self.tr("{name}: strength").format(name=name), 0.0, MAX_STRENGTH, 0.1)
        self.zero = QCheckBox(self.tr("Zeros in its place"))
        self.zero.setAccessibleName(self.zero.text())
        self.zero.setToolTip(self.tr("The text is not read; the model is told zeros of its length."))
        self.clip_l = OwnText(self.tr("Another text for CLIP-L"), self.tr("Text for CLIP-L"), theme=theme)
        self.clip_g = OwnText(self.tr("Another text for CLIP-G"), self.tr("Text for CLIP-G"), theme=theme)
        self.average = QPushButton(self.tr("Average with another text"))
        self.average.setProperty("role", "plain")
        self._mixes: list[MixRow] = []
        self._lay_out(name)
        self.more.toggled.connect(self._open)
        self.remove.clicked.connect(self.remove_wanted)
        self.average.clicked.connect(self._add_mix)
        self.zero.toggled.connect(self._changed)
        self.strength.valueChanged.connect(self._changed)
        for part in (self.text, self.range, self.clip_l, self.clip_g):
            part.edited.connect(self._changed)

    def _lay_out(self, name: str) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(label(name))
        head.addWidget(self.note, 1)
        head.addWidget(self.more)
        head.addWidget(self.remove)
        strength = QHBoxLayout()
        strength.addWidget(label(self.tr("Strength"), "muted"))
        strength.addWidget(self.strength, 1)
        self.details = QWidget()
        self._details = QVBoxLayout(self.details)
        self._details.setContentsMargins(0, 4, 0, 0)
        self._details.setSpacing(6)
        self._details.addLayout(strength)
        for part in (self.zero, self.clip_l, self.clip_g, self.average):
            self._details.addWidget(part)
        self.details.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 6)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addWidget(self.range)
        column.addWidget(self.details)

    def _open(self, is_open: bool) -> None:
        self.details.setVisible(is_open)
        self.text.switch.setVisible(is_open)

    def show_entry(self, entry: Entry) -> None:
        """Without ``edited``."""
        self._entry = entry
        self.text.set_value(entry.text)
        self.range.set_range(entry.range.start, entry.range.end)
        self.clip_l.set_value(entry.clip_l)
        self.clip_g.set_value(entry.clip_g)
        for control in (self.zero, self.strength):
            control.blockSignals(True)
        self.zero.setChecked(entry.zero)
        self.strength.set_exact(entry.strength)
        for control in (self.zero, self.strength):
            control.blockSignals(False)
        self._show_mixes(entry.mix)
        self._tell()

    def entry(self) -> Entry:
        return self._entry

    def _show_mixes(self, mixes: tuple[Mix, ...]) -> None:
        while len(self._mixes) > len(mixes):
            row = self._mixes.pop()
            self._details.removeWidget(row)
            row.hide()
            row.deleteLater()
        for row, mix in zip(self._mixes, mixes, strict=False):
            row.show_mix(mix)
        for mix in mixes[len(self._mixes) :]:
            row = MixRow(mix, theme=self._theme)
            row.edited.connect(self._changed)
            row.remove_wanted.connect(lambda row=row: self._remove_mix(row))
            self._mixes.append(row)
            self._details.insertWidget(self._details.count() - 1, row)
        self.average.setEnabled(len(mixes) < MAX_ENTRIES)

    def _add_mix(self) -> None:
        self._show_mixes((*(row.mix() for row in self._mixes), Mix(Words(""), 0.5)))
        self._changed()
        self._mixes[-1].edit.setFocus()

    def _remove_mix(self, row: MixRow) -> None:
        self._show_mixes(tuple(one.mix() for one in self._mixes if one is not row))
        self._changed()

    def _changed(self) -> None:
        start, end = self.range.values()
        self._entry = msgspec.structs.replace(
            self._entry,
            text=None if self._is_first else self.text.value(),
            clip_l=self.clip_l.value(),
            clip_g=self.clip_g.value(),
            zero=self.zero.isChecked(),
            mix=tuple(row.mix() for row in self._mixes),
            range=Range(start, end),
            strength=self.strength.exact(),
        )
        self._tell()
        self.edited.emit()

    def _tell(self) -> None:
        """What the hidden settings say, beside the name."""
        entry, parts = self._entry, []
        if entry.zero:
            parts.append(self.tr("zeros"))
        elif entry.text is None:
            parts.append(self.tr("reads the prompt above"))
        if entry.clip_l is not None or entry.clip_g is not None:
            parts.append(self.tr("CLIP texts"))
        if entry.mix:
            parts.append(self.tr("averaged"))
        if entry.strength != 1:
            parts.append(f"× {entry.strength:.3g}")
        self.note.set_text(", ".join(parts))
