"""Messages as a small stack that floats over the view: never modal, never taking the focus."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.messages import Message
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.placing import place_over

MOST_SHOWN = 3
MARGIN = 14
MAX_WIDTH = 560
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
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(text, 1)
        if message.detail:
            self._add_button(row, self.tr("Details"), self._show_detail)
        if message.button and message.action is not None:
            self._add_button(row, message.button, self._act)
        close = IconButton("x", self.tr("Close this message"), theme=theme, role="muted", size=14)
        close.clicked.connect(self.closed)
        row.addWidget(close)
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

    def _act(self) -> None:
        action = self.message.action
        self.closed.emit()
        if action is not None:
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
    """Floats at the top of ``host``. ``show_message`` adds one; the oldest goes when there are too many."""

    def __init__(self, host: QWidget, *, theme: Theme, top: int = 0) -> None:
        super().__init__(host)
        self._host = host
        self._theme = theme
        self._top = top
        self._frames: list[MessageFrame] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        host.installEventFilter(self)
        self.hide()

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
        if watched is self._host and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place()
        return False

    def _remove(self, frame: MessageFrame) -> None:
        if frame in self._frames:
            self._frames.remove(frame)
            self._column.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
            self._place()

    def _place(self) -> None:
        if not self._frames:
            self.hide()
            return
        width = min(MAX_WIDTH, max(200, self._host.width() - 2 * MARGIN))
        height = self._column.heightForWidth(width) if self._column.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry((self._host.width() - width) // 2, self._top + MARGIN, width, height)
        self.show()
        self.raise_()
