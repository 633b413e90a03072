"""The examination of this machine as a dialog: what is here, what is wrong, and what mends it; to be copied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import msgspec
from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.doctor.finding import Finding, as_text
from engine.protocol.errors import LaternaError
from ui.background import Background
from ui.sentences import CONTEXT, shipped
from ui.widgets.labels import label
from ui.widgets.placing import place_over

SIZE = (780, 620)
LEVELS = {"good": "fits", "note": "", "wrong": "too-much"}
SIGNS = {"good": "✓", "note": "•", "wrong": "✗"}
T = QT_TRANSLATE_NOOP
WORDS = (
    T("Sentences", "packages"),
    T("Sentences", "folders"),
    T("Sentences", "space"),
    T("Sentences", "window"),
    T("Sentences", "clips"),
    T("Sentences", "keyring"),
    T("Sentences", "disk speed"),
    T("Sentences", "device"),
    T("Sentences", "memory"),
    T("Sentences", "link"),
    T("Sentences", "kernels"),
    T("Sentences", "hub"),
    T("Sentences", "settings"),
    T("Sentences", "data"),
    T("Sentences", "models"),
    T("Sentences", "caches"),
    T("Sentences", "logs"),
    T("Sentences", "pictures and clips"),
)

Examination = Callable[[bool, Callable[[str, float], None]], Iterator[Finding]]
"""``app.examination.examination`` over the folders in use: whether to try the network, and who hears how far it is."""


class Examining(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name."""

    def __init__(self, examination: Examination, background: Background, parent: QWidget) -> None:
        super().__init__(parent)
        self._examination = examination
        self._background = background
        self._over = parent
        self.answers: dict[str, Callable[[], object]] = {"examine": self.show}

    def show(self) -> None:
        ExaminationDialog(self._examination, self._background, self._over).open()


class ExaminationDialog(QDialog):
    """It begins to look when it is shown. The network is tried only when asked for."""

    begun = Signal(str, float)

    def __init__(self, examination: Examination, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("This machine"))
        self._examination = examination
        self._background = background
        self._findings: tuple[Finding, ...] = ()
        self._since = 0.0
        explained = label(self.tr("What is here, what is wrong with it, and what mends it. Nothing is sent."), "muted")
        self.progress = QProgressBar(maximum=100, textVisible=False)
        self.progress.setFixedHeight(6)
        self.doing = label("", "muted")
        self._rows = QGridLayout()
        self._rows.setColumnStretch(2, 1)
        self._rows.setHorizontalSpacing(10)
        self._rows.setVerticalSpacing(8)
        inner = QWidget()
        inner.setProperty("role", "scrolled")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 12, 0)
        column.addLayout(self._rows)
        column.addStretch(1)
        self.scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.scroll.setWidget(inner)
        self.network = QCheckBox(self.tr("Try whether the model hub is reached, too"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.again_button = buttons.addButton(self.tr("Look again"), QDialogButtonBox.ButtonRole.ActionRole)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 12, 16)
        for part in (explained, self.doing, self.progress):
            whole.addWidget(part)
        whole.addWidget(self.scroll, 1)
        whole.addWidget(self.network)
        whole.addWidget(buttons)
        self.copy_button.clicked.connect(self.copy)
        self.again_button.clicked.connect(self.look)
        self.begun.connect(self._told, Qt.ConnectionType.QueuedConnection)
        buttons.rejected.connect(self.reject)
        place_over(self, SIZE)
        self.look()

    def look(self) -> None:
        """Examine anew, on a thread."""
        network, told = self.network.isChecked(), self.begun.emit
        self._since = time.monotonic()
        self._set_looking(True)
        self._background.run(lambda: tuple(self._examination(network, told)), self._found, self._failed)

    def copy(self) -> None:
        """In the words of the command, in English: it is for those who are asked for help."""
        QApplication.clipboard().setText(as_text(list(self._findings)))

    def _set_looking(self, looking: bool) -> None:
        self.progress.setVisible(looking)
        for part in (self.copy_button, self.again_button, self.network):
            part.setEnabled(not looking)

    def _told(self, topic: str, done: float) -> None:
        if not self.again_button.isEnabled():
            self.progress.setValue(round(100 * done))
            self.doing.setText(self.tr("Looking at: {topic}").format(topic=_word(topic)))

    def _found(self, findings: Iterable[Finding]) -> None:
        self._findings = tuple(findings)
        self._set_looking(False)
        faults = sum(finding.state == "wrong" for finding in self._findings)
        seconds = f"{time.monotonic() - self._since:.0f}"
        text = self.tr("To be mended: {count}.").format(count=faults) if faults else self.tr("Everything is in order.")
        self.doing.setText(f"{text} " + self.tr("Looked for {seconds} s.").format(seconds=seconds))
        while (item := self._rows.takeAt(0)) is not None:
            if (shown := item.widget()) is not None:
                shown.deleteLater()
        order = {"wrong": 0, "note": 1, "good": 2}
        for number, finding in enumerate(sorted(self._findings, key=lambda finding: order[finding.state])):
            self._add(number, finding)

    def _add(self, row: int, finding: Finding) -> None:
        said = msgspec.structs.replace(
            finding, text=shipped().sentence(finding.text), remedy=shipped().sentence(finding.remedy)
        )
        sign = label(SIGNS[said.state], "muted")
        sign.setProperty("level", LEVELS[said.state])
        text = label(f"{said.text}\n{said.remedy}" if said.remedy else said.text)
        text.setWordWrap(True)
        text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        text.setAccessibleName(f"{_word(said.topic)}: {text.text()}")
        for place, part in enumerate((sign, label(_word(said.topic), "muted"), text)):
            self._rows.addWidget(part, row, place, Qt.AlignmentFlag.AlignTop if place < 2 else Qt.AlignmentFlag(0))

    def _failed(self, error: LaternaError) -> None:
        self._set_looking(False)
        self.doing.setText(shipped().error(error.info()).sentence())


def _word(topic: str) -> str:
    return QCoreApplication.translate(CONTEXT, topic)
