"""Messages as a small stack that floats over the view: never modal, never taking the focus."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.messages import Message
from ui.sentences import shipped
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.placing import place_over

MOST_SHOWN = 3
MARGIN = 14
MAX_WIDTH = 560
LEAST_WIDTH = 300
LEAST_TEXT = 220  # pixels: where the buttons would leave the sentence less, they go below it
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.LayoutRequest, QEvent.Type.Show, QEvent.Type.Hide)
ICONS = {"info": ("info", "accent"), "warning": ("warning", "warn"), "error": ("warning", "bad")}


class MessageFrame(QFrame):
    """One message. Signals: ``closed`` when it should go."""

    closed = Signal()

    def __init__(self, message: Message, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = message
        self._theme = theme
        self.setProperty("role", "message")
        self.setProperty("severity", message.severity)
        self.setAccessibleName(message.text)
        self._icon = QLabel()
        self._icon.setFixedSize(18, 18)
        text = QLabel(message.text)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons = QWidget(self)
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(6)
        if message.detail:
            self._add_button(buttons, self.tr("Details"), self._show_detail)
        for name, action in ((message.other_button, message.other_action), (message.button, message.action)):
            if name and action is not None:
                self._add_button(buttons, name, partial(self._act, action))
        self._buttons.setVisible(buttons.count() > 0)
        close = IconButton("x", self.tr("Close this message"), theme=theme, role="muted", size=14)
        close.clicked.connect(self.closed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(12, 8, 8, 8)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._icon, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, 0, 1)
        self._grid.addWidget(self._buttons, 0, 2, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(close, 0, 3, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self._draw)
        self._draw()
        if message.seconds > 0:
            QTimer.singleShot(round(message.seconds * 1000), self, self.closed.emit)

    def _add_button(self, row: QHBoxLayout, text: str, slot: object) -> None:
        button = QPushButton(text)
        button.setProperty("role", "plain" if slot == self._show_detail else "message")
        button.setAccessibleName(text)
        button.clicked.connect(slot)
        row.addWidget(button)

    def _draw(self) -> None:
        name, role = ICONS[self.message.severity]
        self._icon.setPixmap(self._theme.icon(name, role).pixmap(QSize(18, 18), self.devicePixelRatioF()))

    def fit(self, width: int) -> None:
        """Put the buttons where they leave the sentence room, in a frame of that width."""
        others = self._buttons.sizeHint().width() + 90
        below = width - others < LEAST_TEXT
        row, column = (1, 1) if below else (0, 2)
        if self._grid.getItemPosition(self._grid.indexOf(self._buttons))[:2] != (row, column):
            side = Qt.AlignmentFlag.AlignLeft if below else Qt.AlignmentFlag.AlignTop
            self._grid.addWidget(self._buttons, row, column, 1, 3 if below else 1, side)

    def _act(self, action: Callable[[], None]) -> None:
        self.closed.emit()
        action()

    def _show_detail(self) -> None:
        dialog = QDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Details"))
        text = QPlainTextEdit(f"{self.message.text}\n\n{self.message.detail}")
        text.setReadOnly(True)
        text.setAccessibleName(self.tr("Details"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(text.toPlainText()))
        buttons.rejected.connect(dialog.reject)
        column = QVBoxLayout(dialog)
        column.addWidget(text)
        column.addWidget(buttons)
        place_over(dialog, (640, 420))
        dialog.open()


class MessageStack(QWidget):
    """Floats at the top of ``host``, or over the part of it that ``keep_over`` names while that is shown. Where that
    part is too narrow to read a message in, it takes a place of its own at the top of the host's layout.

    ``show_message`` adds one; the oldest goes when there are too many.
    """

    def __init__(self, host: QWidget, *, theme: Theme, top: int = 0) -> None:
        super().__init__(host)
        self._host = host
        self._theme = theme
        self._top = top
        self._over: QWidget | None = None
        self._frames: list[MessageFrame] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        host.installEventFilter(self)
        self.hide()

    def keep_over(self, part: QWidget) -> None:
        """Cover nothing of the host but ``part``."""
        self._over = part
        part.installEventFilter(self)
        self._place()

    def messages(self) -> list[Message]:
        return [frame.message for frame in self._frames]

    def show_message(self, message: Message) -> None:
        for frame in list(self._frames):
            if frame.message.text == message.text or (message.topic and frame.message.topic == message.topic):
                self._remove(frame)
        if len(self._frames) >= MOST_SHOWN:
            self._remove(next((f for f in self._frames if f.message.severity == "info"), self._frames[0]))
        frame = MessageFrame(message, theme=self._theme, parent=self)
        frame.closed.connect(lambda: self._remove(frame))
        self._frames.append(frame)
        self._column.addWidget(frame)
        frame.show()
        self._place()

    def say(self, text: str) -> None:
        """A sentence, which may be one of the engine's."""
        self.show_message(Message(shipped().sentence(text)))

    def clear(self) -> None:
        """Take everything away."""
        for frame in list(self._frames):
            self._remove(frame)

    def dismiss(self, topic: str) -> None:
        """Take away what was said about ``topic``."""
        for frame in [frame for frame in self._frames if frame.message.topic == topic]:
            self._remove(frame)

    def dismiss_about(self, done: object) -> None:
        """Take away what speaks of ``done``."""
        for frame in [frame for frame in self._frames if frame.message.about is done]:
            self._remove(frame)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES and watched in (self._host, self._over):
            self._place()
        return False

    def _remove(self, frame: MessageFrame) -> None:
        if frame in self._frames:
            self._frames.remove(frame)
            self._column.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
            self._place()

    def _dock(self, layout: QLayout, docks: bool) -> None:
        """Take a place in the host's layout, or float again."""
        if docks and isinstance(layout, QBoxLayout):
            layout.insertWidget(0, self)
        else:
            layout.removeWidget(self)
        margin = MARGIN if docks else 0
        self._column.setContentsMargins(margin, margin, margin, margin)

    def _place(self) -> None:
        if not self._frames:
            self.hide()
            return
        area = self._host.rect().adjusted(0, self._top, 0, 0)
        if self._over is not None and self._over.isVisibleTo(self._host):
            area = QRect(self._over.mapTo(self._host, QPoint(0, 0)), self._over.size())
        layout = self._host.layout()
        docks = area.width() < LEAST_WIDTH + 2 * MARGIN and layout is not None
        if docks:
            area = self._host.rect()
        width = min(MAX_WIDTH, max(200, area.width() - 2 * MARGIN))
        for frame in self._frames:
            frame.fit(width)
        if layout is not None and docks != (layout.indexOf(self) >= 0):
            self._dock(layout, docks)
        if docks:
            self.show()
            return
        height = self._column.heightForWidth(width) if self._column.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry(area.left() + (area.width() - width) // 2, area.top() + MARGIN, width, height)
        self.show()
        self.raise_()
