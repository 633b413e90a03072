"""One model: what it makes, what it needs, how it is here, and the buttons that fit that."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.models.download import DownloadProgress
from engine.models.states import Card, Installed
from engine.protocol.errors import ErrorInfo
from ui.models import texts
from ui.sentences import said
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import ErrorLabel, label

STEPS = 1000


class ModelCard(QFrame):
    """Signals: ``wanted(str, str)`` with an action (download, update, complete, pause, resume, cancel, verify, repair,
    remove) and the name of the folder; for download the precision.
    """

    wanted = Signal(str, str)

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self._has_update = False
        self._busy = False
        self.setProperty("role", "card")
        self.setAccessibleName(card.name)
        self.name = _wrapped(card.name, "title")
        self.state = label("", "state")
        self.makes = _wrapped(texts.makes(card))
        self.needs = _wrapped(texts.needs(card), "muted")
        self.licence = _wrapped(texts.licence(card), "muted")
        self.precision = QComboBox()
        self.precision.setAccessibleName(self.tr("Precision of {name}").format(name=card.name))
        for precision in card.precisions:
            text = self.tr("as published") if precision == "native" else self.tr("smaller T5 (fp8)")
            self.precision.addItem(text, precision)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of {name}").format(name=card.name))
        self.progress = _wrapped("", "muted")
        self.error = ErrorLabel()
        self.error.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)  # addresses in it are long
        self.buttons: dict[str, QPushButton] = {}
        self._build()
        self.show_card(card)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.state, 0, Qt.AlignmentFlag.AlignTop)
        row = FlowLayout(gap=8)
        row.addWidget(self.precision)
        for action, text, role in (
            ("download", self.tr("Download"), "primary"),
            ("update", self.tr("Update"), "primary"),
            ("complete", self.tr("Get what is missing"), "primary"),
            ("resume", self.tr("Go on"), "primary"),
            ("pause", self.tr("Pause"), ""),
            ("cancel", self.tr("Give up"), ""),
            ("repair", self.tr("Repair"), "primary"),
            ("verify", self.tr("Check files"), "quiet"),
            ("remove", self.tr("Forget") if self.card.role == "import" else self.tr("Remove…"), "quiet"),
        ):
            button = QPushButton(text)
            button.setProperty("role", role)
            button.setAccessibleName(f"{text} {self.card.name}")
            button.clicked.connect(lambda _checked=False, action=action: self._emit(action))
            self.buttons[action] = button
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(4)
        column.addLayout(head)
        for widget in (self.makes, self.needs, self.licence):
            column.addWidget(widget)
            widget.setVisible(bool(widget.text()))
        column.addSpacing(4)
        for widget in (self.bar, self.progress, self.error):
            column.addWidget(widget)
        column.addSpacing(2)
        column.addLayout(row)

    @property
    def installed(self) -> Installed | None:
        """The folder that the buttons act on: the one in the best state."""
        return next((one for one in self.card.installed if one.state == self.card.state), None)

    def show_card(self, card: Card, has_update: bool = False) -> None:
        self.card, self._has_update = card, has_update
        self.needs.setText(texts.needs(card))
        if card.state == "ready":
            self.error.set_sentence("")
        self._refresh()

    def show_progress(self, now: DownloadProgress) -> None:
        self._busy = True
        self.error.set_sentence("")
        self.bar.setValue(round(STEPS * now.done / now.total) if now.total else 0)
        self.progress.setText(texts.progress(now))
        self._refresh()

    def show_checking(self, done: int, total: int) -> None:
        self.bar.setValue(round(STEPS * done / total) if total else STEPS)
        self.progress.setText(self.tr("Checking the files"))
        self.bar.setVisible(done < total)
        self.progress.setVisible(done < total)

    def show_queued(self) -> None:
        self._busy = True
        self.error.set_sentence("")
        self.bar.setValue(0)
        self.progress.setText(self.tr("Waiting for its turn"))
        self._refresh()

    def show_ended(self, error: ErrorInfo | None) -> None:
        self._busy = False
        stopped = error is not None and error.kind == "Cancelled"
        self.error.set_sentence("" if error is None or stopped else said(error))
        self._refresh()

    def _refresh(self) -> None:
        installed = self.installed
        state = self.card.state
        runs_without = state == "ready" and installed is not None and bool(installed.without)
        shown = {
            "download": not self._busy and state == "absent",
            "update": not self._busy and state == "ready" and self._has_update,
            "complete": not self._busy and (state == "incomplete" or runs_without),
            "resume": not self._busy and state == "unfinished",
            "pause": self._busy,
            "cancel": self._busy or state == "unfinished",
            "repair": not self._busy and state == "damaged",
            "verify": not self._busy and state in ("ready", "damaged") and not (installed and installed.is_import),
            "remove": not self._busy and installed is not None and state != "unfinished",
        }
        for action, button in self.buttons.items():
            button.setVisible(shown[action])
        self.precision.setVisible(shown["download"] and self.precision.count() > 1)
        self.bar.setVisible(self._busy)
        self.progress.setVisible(self._busy)
        text, kind = texts.state(self.card, installed, self._has_update)
        self.state.setText(self.tr("Downloading") if self._busy else text)
        _set_kind(self.state, "busy" if self._busy else kind)
        self.progress.setVisible(self._busy or runs_without or bool(installed and installed.missing))
        if not self._busy and installed is not None and installed.missing:
            self.progress.setText(self.tr("It lacks: {parts}.").format(parts=", ".join(installed.missing)))
        elif not self._busy and runs_without and installed is not None:
            parts = ", ".join(installed.without)
            self.progress.setText(
                self.tr("It runs, and reads prompts less well, without: {parts}.").format(parts=parts)
            )

    def _emit(self, action: str) -> None:
        if action in ("download", "update"):
            self.wanted.emit(action, str(self.precision.currentData()))
        else:
            self.wanted.emit(action, self.installed.name if self.installed else self._download_name())

    def _download_name(self) -> str:
        precision = str(self.precision.currentData())
        return self.card.id if precision == "native" else f"{self.card.id}-{precision}"


def _wrapped(text: str, role: str = "") -> QLabel:
    made = label(text, role)
    made.setWordWrap(True)
    made.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return made


def _set_kind(shown: QLabel, kind: str) -> None:
    """Let the style sheet colour ``shown`` by ``kind`` (good, warn, bad, busy, plain)."""
    if shown.property("kind") != kind:
        shown.setProperty("kind", kind)
        shown.style().unpolish(shown)
        shown.style().polish(shown)
