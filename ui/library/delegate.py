"""Paints one tile of the gallery: picture with rounded corners, badges, ring, caption; or the running job."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QAbstractItemDelegate, QStyle, QStyleOptionViewItem, QWidget

from engine.library.item import Item
from ui.library.captions import duration, item_title
from ui.library.filters import STAR
from ui.library.geometry import CAPTION, GridGeometry
from ui.library.model import ITEM, RUNNING, STACKED, RunningTile
from ui.library.thumbnails import ThumbnailLoader
from ui.theme import Theme

RADIUS = 6.0
RING = 2.0
_Index = QModelIndex | QPersistentModelIndex


def cover(source: QSize, target: QRectF) -> QRectF:
    """The part of ``source`` that fills ``target``'s shape, cut evenly at the sides that are too long."""
    if source.isEmpty() or target.isEmpty():
        return QRectF(0, 0, source.width(), source.height())
    scale = min(source.width() / target.width(), source.height() / target.height())
    width, height = target.width() * scale, target.height() * scale
    return QRectF((source.width() - width) / 2, (source.height() - height) / 2, width, height)


class TileDelegate(QAbstractItemDelegate):
    """Asks ``thumbnails`` for pictures; draws a quiet field until one is there."""

    def __init__(
        self,
        thumbnails: ThumbnailLoader,
        *,
        theme: Theme,
        playing: Callable[[int], QImage | None] = lambda _id: None,
        parent: QWidget,
    ) -> None:
        """``playing`` gives the frame that an item's tile shows now instead of its thumbnail."""
        super().__init__(parent)
        self._playing = playing
        self._thumbnails = thumbnails
        self._theme = theme
        self._caption_font = theme.font(12)
        self._badge_font = theme.font(12, QFont.Weight.Medium)
        self._percent_font = theme.font(14, QFont.Weight.Medium)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        grid = GridGeometry(option.rect.width() or 320, 1)
        return QSize(grid.tile_width, grid.pitch)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        picture = QRectF(option.rect.adjusted(0, 0, 0, -CAPTION))
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        running = index.data(RUNNING)
        if isinstance(running, RunningTile):
            title = running.title
            self._paint_running(painter, picture, running)
        else:
            item = index.data(ITEM)
            title = item_title(item) if item is not None else ""
            self._paint_item(painter, picture, item)
            stacked = index.data(STACKED) or 1
            if stacked > 1:
                self._paint_badge(painter, picture, self.tr("{0} ×").format(stacked), at_top=True)
        if selected:
            self._paint_ring(painter, picture, QPen(QColor(self._theme.tokens.accent), RING))
        elif option.state & QStyle.StateFlag.State_HasFocus:
            self._paint_ring(painter, picture, QPen(QColor(self._theme.tokens.muted), 1.5, Qt.PenStyle.DotLine))
        self._paint_caption(painter, option, title, selected)

    def _paint_item(self, painter: QPainter, picture: QRectF, item: Item | None) -> None:
        tokens = self._theme.tokens
        pixmap = self._thumbnails.pixmap(item.id) if item is not None and not item.missing else None
        frame = self._playing(item.id) if item is not None else None
        if frame is not None:
            painter.drawImage(picture, frame)
        elif item is not None and pixmap is not None:
            painter.drawPixmap(picture, pixmap, QRectF(pixmap.rect()))
        else:
            painter.setPen(QPen(QColor(tokens.border), 1))
            painter.setBrush(QColor(tokens.field))
            painter.drawRoundedRect(picture.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        if item is None:
            return
        if item.missing or self._thumbnails.failed(item.id):
            self._paint_missing(painter, picture, item)
        if item.kind == "video" and item.seconds:
            self._paint_badge(painter, picture, duration(item.seconds))
        if item.rating:
            self._paint_badge(painter, picture, STAR * item.rating, leading=True)
        if item.favourite:
            self._paint_star(painter, picture)

    def _paint_missing(self, painter: QPainter, picture: QRectF, item: Item) -> None:
        text = self.tr("No preview")
        if item.missing:
            text = self.tr("File missing") if item.trashed is None else self.tr("Not in the trash any more")
        icon = self._theme.icon("warning" if item.missing else item.kind, "muted")
        center = picture.center()
        icon.paint(painter, QRect(round(center.x()) - 9, round(center.y()) - 20, 18, 18))
        painter.setPen(QColor(self._theme.tokens.muted))
        painter.setFont(self._caption_font)
        wrapped = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(picture.left() + 4, center.y() + 2, picture.width() - 8, 40), wrapped, text)

    def _paint_badge(
        self, painter: QPainter, picture: QRectF, text: str, *, leading: bool = False, at_top: bool = False
    ) -> None:
        metrics = QFontMetrics(self._badge_font)
        width = metrics.horizontalAdvance(text) + 11
        left = picture.left() + 5 if leading or at_top else picture.right() - width - 5
        top = picture.top() + 6 if at_top else picture.bottom() - 22
        badge = QRectF(left, top, width, 16.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._overlay(0.78))
        painter.drawRoundedRect(badge, 4, 4)
        painter.setPen(QColor(self._theme.tokens.overlay_text))
        painter.setFont(self._badge_font)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_star(self, painter: QPainter, picture: QRectF) -> None:
        circle = QRectF(picture.right() - 26, picture.top() + 5, 21, 21)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._overlay(0.62))
        painter.drawEllipse(circle)
        # The overlay is dark in both themes, so the star takes a fixed bright colour rather than the accent.
        self._theme.icon("star-filled", "overlay_text").paint(painter, circle.adjusted(4, 4, -4, -4).toRect())

    def _paint_running(self, painter: QPainter, picture: QRectF, tile: RunningTile) -> None:
        tokens = self._theme.tokens
        painter.save()
        clip = QPainterPath()
        clip.addRoundedRect(picture, RADIUS, RADIUS)
        painter.setClipPath(clip)
        painter.fillRect(picture, QColor(tokens.overlay))
        if tile.preview is not None:
            painter.drawImage(picture, tile.preview, cover(tile.preview.size(), picture))
        painter.fillRect(picture, self._overlay(0.5))
        bar = QRectF(picture.left(), picture.bottom() - 4, picture.width(), 4)
        painter.fillRect(bar, self._overlay(0.6))
        done = bar.width() * min(1.0, max(0.0, tile.fraction))
        if self.parent().isRightToLeft():
            bar.setLeft(bar.right() - done)
        else:
            bar.setWidth(done)
        painter.fillRect(bar, QColor(tokens.accent))
        painter.restore()
        painter.setPen(QColor(tokens.overlay_text))
        painter.setFont(self._percent_font)
        text = self.tr("{0} %").format(round(tile.fraction * 100))
        painter.drawText(picture, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_ring(self, painter: QPainter, picture: QRectF, pen: QPen) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(picture.adjusted(-2, -2, 2, 2), RADIUS + 2, RADIUS + 2)

    def _paint_caption(self, painter: QPainter, option: QStyleOptionViewItem, title: str, selected: bool) -> None:
        line = option.rect.adjusted(1, option.rect.height() - CAPTION + 5, -1, 0)
        tokens = self._theme.tokens
        painter.setPen(QColor(tokens.text if selected else tokens.muted))
        painter.setFont(self._caption_font)
        text = QFontMetrics(self._caption_font).elidedText(title, Qt.TextElideMode.ElideRight, line.width())
        left = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop
        painter.drawText(line, QStyle.visualAlignment(option.direction, left), text)

    def _overlay(self, opacity: float) -> QColor:
        color = QColor(self._theme.tokens.overlay)
        color.setAlphaF(opacity)
        return color
