"""Dragging out: the real files, always as copies. A file is never moved or deleted by a drop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QRect, QRectF, Qt, QUrl
from PySide6.QtGui import QColor, QDrag, QFont, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from engine.files import OWN_LIMIT, read_regular
from ui.theme import Theme

MAX_FILES = 500
STACK = 3
THUMB = 96
_IMAGE = "application/x-qt-image"
_PNG = "image/png"


class FilesMime(QMimeData):
    """Files by their URLs; a single PNG is offered as image data too, read only when a target asks for it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        self._picture = paths[0] if len(paths) == 1 and paths[0].suffix.lower() == ".png" else None

    def formats(self) -> list[str]:
        return super().formats() + ([_PNG, _IMAGE] if self._picture is not None else [])

    def hasFormat(self, mimetype: str) -> bool:
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, preferred: Any) -> Any:
        if self._picture is not None and mimetype == _IMAGE:
            return QImage(str(self._picture))
        if self._picture is not None and mimetype == _PNG:
            try:
                return QByteArray(read_regular(self._picture, OWN_LIMIT))
            except OSError:
                return None
        return super().retrieveData(mimetype, preferred)


def mime_for(paths: Sequence[Path]) -> QMimeData | None:
    """What is handed over for ``paths``; None where no file of them is there."""
    there = [path for path in paths[:MAX_FILES] if path.is_file()]
    return FilesMime(there) if there else None


def drag_pixmap(thumbnails: Sequence[QPixmap], count: int, *, theme: Theme, ratio: float = 1.0) -> QPixmap:
    """A small stack of thumbnails with the number of files where there are several."""
    shown = [thumb for thumb in thumbnails[:STACK] if not thumb.isNull()]
    side = THUMB + 6 * (STACK - 1) + 12
    result = QPixmap(round(side * ratio), round(side * ratio))
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    painter.setOpacity(0.92)
    edge = QRect()
    for place, thumb in reversed(list(enumerate(shown))):
        size = thumb.deviceIndependentSize().scaled(THUMB, THUMB, Qt.AspectRatioMode.KeepAspectRatio).toSize()
        edge = QRect(QPoint(6 * place, 6 * place), size)
        painter.drawPixmap(edge, thumb)
    if count > 1:
        painter.setOpacity(1.0)
        font = theme.font(12, QFont.Weight.DemiBold)
        text = str(count)
        painter.setFont(font)
        width = max(20, painter.fontMetrics().horizontalAdvance(text) + 12)
        badge = QRectF(edge.right() - width / 2, max(0, edge.top() - 4), width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.tokens.accent))
        painter.drawRoundedRect(badge, 10, 10)
        painter.setPen(QColor(theme.tokens.accent_text))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return result


def make_drag(source: QWidget, paths: Sequence[Path], pixmap: QPixmap) -> QDrag | None:
    """A drag of ``paths`` from ``source``; None where no file is there. Run it with ``run_drag``."""
    mime = mime_for(paths)
    if mime is None:
        return None
    drag = QDrag(source)
    drag.setMimeData(mime)
    if not pixmap.isNull():
        drag.setPixmap(pixmap)
        drag.setHotSpot(QPoint(12, 12))
    return drag


def run_drag(drag: QDrag) -> Qt.DropAction:
    """Run it to its drop. Copying is the only action on offer, so a target cannot take a file away."""
    return drag.exec(Qt.DropAction.CopyAction, Qt.DropAction.CopyAction)
