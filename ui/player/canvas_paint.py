"""What the canvas paints over a picture: lines between its pixels, round corners, and the chip that says what it is."""

from __future__ import annotations

import re

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from ui.theme import Theme

RADIUS = 6.0
_PART = re.compile(r"[^\s·](?:[^·]*[^\s·])?")


def pixel_grid(painter: QPainter, rect: QRectF, area: QRectF, step: float, theme: Theme) -> None:
    """Lines ``step`` apart between the pixels of the picture in ``rect``, as far as they are inside ``area``."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    color = QColor(theme.tokens.overlay)
    color.setAlphaF(0.28)
    painter.setPen(QPen(color, 0))
    columns = range(int((area.left() - rect.left()) / step), int((area.right() - rect.left()) / step) + 1)
    rows = range(int((area.top() - rect.top()) / step), int((area.bottom() - rect.top()) / step) + 1)
    lines = [QLineF(x, area.top(), x, area.bottom()) for x in (rect.left() + column * step for column in columns)]
    lines += [QLineF(area.left(), y, area.right(), y) for y in (rect.top() + row * step for row in rows)]
    painter.drawLines(lines)


def round_corners(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Canvas colour over the corners: far cheaper than clipping a scaled picture."""
    path = QPainterPath()
    path.addRect(rect.adjusted(-1, -1, 1, 1))
    path.addRoundedRect(rect, RADIUS, RADIUS)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(path, QColor(theme.tokens.canvas))


def chip(painter: QPainter, rect: QRectF, whole: QRectF, text: str, theme: Theme, *, mirrored: bool) -> None:
    """``text`` at the bottom of the picture in ``rect``, or of the ``whole`` canvas where the picture is too narrow."""
    font = theme.font(12, QFont.Weight.Medium)
    text = _PART.sub("\u2068\\g<0>\u2069", text)  # each reads in its own direction
    area, metrics = rect.intersected(whole), QFontMetricsF(font)
    room = whole.width() - 46
    if metrics.horizontalAdvance(text) > room:
        text = metrics.elidedText(" ".join(text.split()), Qt.TextElideMode.ElideRight, room)
    width = metrics.horizontalAdvance(text) + 22
    if area.width() < width + 24:
        area = whole
    x = area.right() - width - 12 if mirrored else area.left() + 12
    place = QRectF(x, area.bottom() - 38, width, 26)
    color = QColor(theme.tokens.overlay)
    color.setAlphaF(0.78)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(place, 5, 5)
    painter.setPen(QColor(theme.tokens.overlay_text))
    painter.setFont(font)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
