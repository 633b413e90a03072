"""Several prompts and negative prompts, each over its part of the schedule."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.protocol.conditioning import WHOLE, Conditioning, Entry, Range, complement
from engine.protocol.conditioning_rules import MAX_ENTRIES
from ui.generate.conditioning_entry import EntryCard
from ui.theme import Theme
from ui.widgets.labels import label


class SideEditor(QWidget):
    """One side's entries; empty while its one prompt says everything.

    Signals: ``edited`` after the person changed them.
    """

    edited = Signal()

    def __init__(
        self,
        title: str,
        name: str,
        usual: Callable[[], tuple[Entry, ...]],
        *,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        """``name`` numbers the cards ("Negative {number}"); ``usual()`` are the entries that the prompt alone means."""
        super().__init__(parent)
        self._name = name
        self._usual = usual
        self._theme = theme
        self._cards: list[EntryCard] = []
        self.add = QPushButton(self.tr("Add a prompt"))
        self.add.setAccessibleName(f"{title}: {self.add.text()}")
        self.open = QPushButton(self.tr("More settings"))
        self.open.setAccessibleName(f"{title}: {self.open.text()}")
        self.open.setToolTip(self.tr("Its own texts for CLIP-L and CLIP-G, its part of the schedule, averages"))
        for button in (self.add, self.open):
            button.setProperty("role", "plain")
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(label(title, "muted"), 1)
        head.addWidget(self.open)
        head.addWidget(self.add)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addLayout(head)
        self.add.clicked.connect(self._add)
        self.open.clicked.connect(self._open)

    def entries(self) -> tuple[Entry, ...]:
        return tuple(card.entry() for card in self._cards)

    def cards(self) -> list[EntryCard]:
        return list(self._cards)

    def show_entries(self, entries: tuple[Entry, ...]) -> None:
        """Without ``edited``; cards that say the same already are left alone."""
        while len(self._cards) > len(entries):
            self._drop(self._cards[-1])
        while len(self._cards) < len(entries):
            number = len(self._cards)
            card = EntryCard(self._name.format(number=number + 1), number == 0, theme=self._theme)
            card.edited.connect(self.edited)
            card.remove_wanted.connect(lambda card=card: self._remove(card))
            self._cards.append(card)
            self._column.addWidget(card)
        for card, entry in zip(self._cards, entries, strict=True):
            if card.entry() != entry or entry == Entry():
                card.show_entry(entry)
        self.open.setVisible(not entries)
        self.add.setEnabled(len(entries) < MAX_ENTRIES)
        for number, card in enumerate(self._cards):
            card.remove.setVisible(number > 0 or len(self._cards) == 1)

    def _drop(self, card: EntryCard) -> None:
        self._cards.remove(card)
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()

    def _add(self) -> None:
        self.show_entries((*(self.entries() or self._usual()), Entry("")))
        self._cards[-1].text.edit.setFocus()
        self.edited.emit()

    def _open(self) -> None:
        self.show_entries(self._usual())
        self._cards[0].more.setChecked(True)
        self.edited.emit()

    def _remove(self, card: EntryCard) -> None:
        """The first goes only as the last one: the others need its prompt."""
        left = tuple(one.entry() for one in self._cards if one is not card)
        self.show_entries(left)
        self.edited.emit()


class ConditioningEditor(QWidget):
    """Signals: ``edited`` after the person changed something."""

    edited = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Conditioning | None = None
        self._negative_range = WHOLE
        self.positive = SideEditor(self.tr("Prompts"), self.tr("Prompt {number}"), lambda: (Entry(),), theme=theme)
        self.negative = SideEditor(
            self.tr("Negative prompts"), self.tr("Negative {number}"), self._usual_negative, theme=theme
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 6)
        column.setSpacing(10)
        for side in (self.positive, self.negative):
            column.addWidget(side)
            side.edited.connect(self.edited)

    def show_conditioning(self, conditioning: Conditioning | None, negative_range: Range) -> None:
        """Without ``edited``."""
        self._shown, self._negative_range = conditioning, negative_range
        said = conditioning or Conditioning()
        self.positive.show_entries(said.positive)
        self.negative.show_entries(said.negative)

    def set_negative_range(self, negative_range: Range) -> None:
        """What a first entry of the negative side takes over."""
        self._negative_range = negative_range

    def conditioning(self) -> Conditioning | None:
        made = Conditioning(self.positive.entries(), self.negative.entries())
        if made == (self._shown or Conditioning()):
            return self._shown
        return made if made != Conditioning() else None

    def summary(self) -> str:
        positive, negative = len(self.positive.entries()), len(self.negative.entries())
        parts = []
        if positive:
            parts.append(self.tr("{count} prompts").format(count=positive) if positive > 1 else self.tr("own settings"))
        if negative:
            parts.append(self.tr("{count} negative").format(count=negative))
        return ", ".join(parts)

    def _usual_negative(self) -> tuple[Entry, ...]:
        """The negative prompt in its range, and zeros in the rest, as the range alone means."""
        zeros = (Entry(zero=True, range=part) for part in complement(self._negative_range))
        return (Entry(range=self._negative_range), *zeros)
