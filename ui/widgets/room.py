"""Room for contents that may be larger than the screen, as at twofold scale on a small one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget

LEAST = QSize(320, 200)
MARGIN = 8


class Room(QScrollArea):
    """Shows ``contents`` as large as there is room; where that is less than the least they need, they are scrolled,
    and what gets the keyboard's focus comes into sight."""

    def __init__(self, contents: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.setWidget(contents)
        contents.setAutoFillBackground(False)  # setWidget turns it on
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._follow)

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self.widget().isAncestorOf(now):
            first = now.mapTo(self.widget(), QPoint())
            for place in (first + QPoint(now.width(), now.height()), first):  # where not all fits, how it begins
                self.ensureVisible(place.x(), place.y(), MARGIN, MARGIN)

    def minimumSizeHint(self) -> QSize:
        return LEAST.boundedTo(self.widget().minimumSizeHint())

    def sizeHint(self) -> QSize:
        return self.widget().sizeHint()
