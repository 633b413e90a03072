"""One LoRA of the form: on or off, its strength, and what keeps it from being used."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.models.lora_shelf import LoraState
from engine.protocol.family_info import MAX_ADAPTER_STRENGTH
from engine.protocol.recipe import Adapter
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, ErrorLabel
from ui.widgets.numbers import FloatSpin, SliderSpin

USUAL_STRENGTHS = (0.0, 1.5)


class LoraRow(QFrame):
    """``adapter()`` is what it was shown, with the strength that the person set.

    Signals: ``edited`` after the person changed something, ``remove_wanted`` and ``find_wanted`` by its buttons.
    """

    edited = Signal()
    remove_wanted = Signal()
    find_wanted = Signal()

    def __init__(self, adapter: Adapter, is_on: bool, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = adapter.name
        self._adapter = adapter
        self.setProperty("role", "card")
        self.setAccessibleName(name)
        self.switch = QCheckBox()
        self.switch.setFixedWidth(20)
        self.switch.setAccessibleName(self.tr("Use {name}").format(name=name))
        self.switch.setToolTip(self.tr("Use this LoRA"))
        self.name = ElidedLabel(name.removesuffix(".safetensors"))
        self.note = ElidedLabel("", "muted")
        self.remove = IconButton(
            "x", self.tr("{name}: take it out").format(name=name), theme=theme, role="muted", size=14
        )
        self.strength = SliderSpin(
            self.tr("{name}: strength").format(name=name),
            USUAL_STRENGTHS,
            FloatSpin(self.tr("{name}: strength").format(name=name), -MAX_ADAPTER_STRENGTH, MAX_ADAPTER_STRENGTH, 0.05),
            steps=20,
        )
        self.strength.set_mark(1.0)
        self.strength.setToolTip(self.tr("How strongly it acts: 1 is how it was trained, 0 is not at all."))
        self.problem = ErrorLabel()
        self.find = QPushButton(self.tr("Choose its file…"))
        self.find.setProperty("role", "message")
        self.find.hide()
        self._lay_out()
        self.show_adapter(adapter, is_on)
        self.switch.toggled.connect(self._changed)
        self.strength.edited.connect(self._changed)
        self.remove.clicked.connect(self.remove_wanted)
        self.find.clicked.connect(self.find_wanted)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.switch)
        head.addWidget(self.name, 1)
        head.addWidget(self.note)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 3, 6, 5)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.strength)
        column.addWidget(self.problem)
        column.addSpacing(2)
        column.addWidget(self.find, 0, Qt.AlignmentFlag.AlignLeft)

    def adapter(self) -> Adapter:
        return self._adapter

    def is_on(self) -> bool:
        return self.switch.isChecked()

    def show_adapter(self, adapter: Adapter, is_on: bool) -> None:
        """Without ``edited``; of the same name as the one before."""
        self._adapter = adapter
        self.switch.blockSignals(True)
        self.switch.setChecked(is_on)
        self.switch.blockSignals(False)
        self.strength.set_value(adapter.strength)
        self.strength.setEnabled(is_on)
        text = adapter.text_strength
        if text is not None and text != adapter.strength:
            self.note.set_text(self.tr("text encoders × {strength}").format(strength=f"{text:.3g}"))
        else:
            self.note.set_text("")
        self.note.setVisible(bool(self.note.text_whole()))

    def show_state(self, state: LoraState, model: str) -> None:
        """How its file is on this machine, for the model of that name."""
        sentence = self._sentence(state, model)
        self.problem.set_sentence(sentence)
        self.switch.setAccessibleDescription(sentence)
        self.find.setVisible(state.problem in ("missing", "changed", "unreadable"))
        tip = [state.path or self._adapter.name]
        if state.rank:
            tip.append(self.tr("rank {rank}").format(rank=state.rank))
        self.name.set_text(self.name.text_whole(), "\n".join(tip))

    def _sentence(self, state: LoraState, model: str) -> str:
        match state.problem:
            case "missing":
                return self.tr("This file is not on this machine.")
            case "changed":
                return self.tr("The file of this name is not the one that the recipe was made with.")
            case "unreadable":
                return self.tr("This file is no LoRA that can be read.")
            case "another family":
                return self.tr("Made for {other}: it does not fit {model}.").format(other=state.made_for, model=model)
            case "another size" if state.made_for:
                return self.tr("Made for {other}: it does not fit {model}.").format(other=state.made_for, model=model)
            case "another size":
                return self.tr("Made for a model of another size: it does not fit {model}.").format(model=model)
        return ""

    def _changed(self) -> None:
        self._adapter = msgspec.structs.replace(self._adapter, strength=self.strength.value())
        self.strength.setEnabled(self.is_on())
        self.edited.emit()
