"""Paints one waiting job: its number, its title, what will be made, and a cross to cancel it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.jobs.job import Job
from ui.library.captions import recipe_title
from ui.queue.queue_model import JOB, details
from ui.theme import Theme

ROW_HEIGHT = 46
CROSS = 16
_Index = QModelIndex | QPersistentModelIndex


class QueueDelegate(QStyledItemDelegate):
    """Signals: ``cancel_clicked(str)`` with the job's id."""

    cancel_clicked = Signal(str)

    def __init__(self, *, theme: Theme, parent: QAbstractItemView) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def cross_rect(self, option: QStyleOptionViewItem) -> QRect:
        rect = option.rect
        cross = QRect(rect.right() - CROSS - 12, rect.center().y() - CROSS // 2, CROSS, CROSS)
        return QStyle.visualRect(option.direction, rect, cross)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        job = index.data(JOB)
        if not isinstance(job, Job):
            return
        tokens = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        states = QStyle.StateFlag
        chosen = bool(option.state & states.State_Selected)
        hovered = bool(option.state & states.State_MouseOver)
        if chosen or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_soft if chosen else tokens.hover))
            painter.drawRoundedRect(option.rect.adjusted(6, 1, -6, -1), 6, 6)
        left = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        aligned = QStyle.visualAlignment(option.direction, left)

        def write(rect: QRect, text: str, color: str, size: int) -> None:
            font = self._theme.font(size)
            painter.setFont(font)
            painter.setPen(QColor(color))
            shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(QStyle.visualRect(option.direction, option.rect, rect), aligned, shown)

        rect = option.rect
        text = QRect(rect.left() + 40, rect.top() + 5, rect.width() - 40 - CROSS - 22, 18)
        write(QRect(rect.left() + 16, rect.top(), 24, rect.height()), str(index.row() + 1), tokens.muted, 12)
        write(text, recipe_title(job.recipe), tokens.text, 13)
        write(text.translated(0, 18), details(job), tokens.muted, 12)
        if chosen or hovered:
            self._theme.icon("x", "text" if chosen else "muted").paint(painter, self.cross_rect(option))
        painter.restore()

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: _Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            near = self.cross_rect(option).adjusted(-6, -6, 6, 6)
            job = index.data(JOB)
            if near.contains(event.position().toPoint()) and isinstance(job, Job):
                self.cancel_clicked.emit(job.id)
                return True
        return False
