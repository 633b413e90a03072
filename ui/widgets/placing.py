"""Where a window of its own opens: over the one that it belongs to, and never larger than that or the screen."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize
from PySide6.QtWidgets import QWidget

MARGIN = 24
FRAME = QSize(16, 48)  # what a window manager may put around it, in pixels


def place_over(dialog: QWidget, wanted: tuple[int, int]) -> None:
    """Resize ``dialog`` to ``wanted`` as far as there is room, and put it over the middle of its parent's window."""
    parent = dialog.parentWidget()
    over = parent.window() if parent is not None else None
    screen = (over or dialog).screen().availableGeometry()
    room = screen.size() - FRAME
    if over is not None and over.isVisible():
        room = room.boundedTo(over.size() - QSize(2 * MARGIN, 2 * MARGIN))
    dialog.resize(QSize(*wanted).boundedTo(room).expandedTo(dialog.minimumSizeHint()))
    if over is not None and over.isVisible():
        place = over.geometry().center() - QPoint(dialog.width() // 2, dialog.height() // 2)
        last = QPoint(screen.right() - dialog.width(), screen.bottom() - dialog.height())
        x = max(screen.left(), min(place.x(), last.x()))
        dialog.move(x, max(screen.top(), min(place.y(), last.y())))
