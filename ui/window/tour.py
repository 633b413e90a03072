"""The first words: three sentences over the view, at the first start only, with a first picture at one click."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QWidget

from ui.widgets.labels import label

WIDTH = 470
MARGIN = 28


class Tour(QFrame):
    """Floats at the foot of ``host``.

    Signals: ``read`` when the person has read it, ``example_wanted`` when they want to see something made.
    """

    read = Signal()
    example_wanted = Signal()

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.setProperty("role", "message")
        self.setAccessibleName(self.tr("First steps"))
        sentences = (
            self.tr("Describe on the left what you want to see, and press Ctrl+Enter."),
            self.tr("Watch it form here; everything you make stays in the gallery on the right."),
            self.tr("Drag a result out to use it anywhere, or drop one on the window to make it again."),
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(20, 16, 20, 14)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for number, sentence in enumerate(sentences):
            text = label(sentence)
            text.setWordWrap(True)
            grid.addWidget(label(str(number + 1), "title"), number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, number, 1)
        self.done = QPushButton(self.tr("Got it"))
        self.done.setAccessibleName(self.done.text())
        self.done.clicked.connect(self.end)
        self.example = QPushButton(self.tr("Make a first picture"))
        self.example.setAccessibleName(self.example.text())
        self.example.setProperty("role", "primary")
        self.example.clicked.connect(self.example_wanted)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 6, 0, 0)
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.done)
        buttons.addWidget(self.example)
        grid.addLayout(buttons, len(sentences), 0, 1, 2)
        host.installEventFilter(self)
        self._place()

    def end(self) -> None:
        if not self.isHidden():
            self.hide()
            self.read.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self._place()
        return False

    def _place(self) -> None:
        width = min(WIDTH, self._host.width() - 2 * MARGIN)
        height = self.layout().totalHeightForWidth(width)
        self.setGeometry((self._host.width() - width) // 2, self._host.height() - height - MARGIN, width, height)
