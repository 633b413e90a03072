"""Paints one row of the queue: its number or a group's arrow, its title, how it stands, and what a click does."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.queue.queue_model import ROW
from ui.queue.queue_rows import QueueRow, subtitle, title
from ui.theme import Theme

ROW_HEIGHT = 46
ICON = 16
INDENT = 14
_Index = QModelIndex | QPersistentModelIndex


class QueueDelegate(QStyledItemDelegate):
    """Signals: ``remove_clicked(QueueRow)``, ``resume_clicked(QueueRow)``, ``toggle_clicked(int)`` a group's row."""

    remove_clicked = Signal(object)
    resume_clicked = Signal(object)
    toggle_clicked = Signal(int)

    def __init__(self, *, theme: Theme, parent: QAbstractItemView) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def icon_rect(self, option: QStyleOptionViewItem, place: int = 0) -> QRect:
        """The ``place``-th icon from the end: 0 removes, 1 goes on."""
        rect = option.rect
        left = rect.right() - (ICON + 12) * (place + 1)
        return QStyle.visualRect(option.direction, rect, QRect(left, rect.center().y() - ICON // 2, ICON, ICON))

    def arrow_rect(self, option: QStyleOptionViewItem) -> QRect:
        rect = option.rect
        arrow = QRect(rect.left() + 14, rect.center().y() - ICON // 2, ICON, ICON)
        return QStyle.visualRect(option.direction, rect, arrow)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row = index.data(ROW)
        if not isinstance(row, QueueRow):
            return
        tokens = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        states = QStyle.StateFlag
        chosen = bool(option.state & states.State_Selected)
        hovered = bool(option.state & states.State_MouseOver)
        focused = bool(option.state & states.State_HasFocus)
        if chosen or hovered or focused:
            painter.setPen(QColor(tokens.accent) if focused else Qt.PenStyle.NoPen)
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
        begin = rect.left() + 40 + INDENT * row.depth
        icons = 1 + self._goes_on(row)
        text = QRect(begin, rect.top() + 5, rect.right() - begin - (ICON + 12) * icons - 6, 18)
        muted = tokens.muted if row.is_stopped or row.job.state == "paused" else tokens.text
        if row.is_group:
            self._theme.icon("chevron-down" if row.is_open else "chevron-right", "muted").paint(
                painter, self.arrow_rect(option)
            )
        elif not row.is_stopped:
            number = QRect(rect.left() + 12 + INDENT * row.depth, rect.top(), 28, rect.height())
            write(number, str(row.place + 1), tokens.muted, 12)
        write(text, title(row), muted, 13)
        write(text.translated(0, 18), subtitle(row), tokens.muted, 12)
        if self._goes_on(row):
            self._theme.icon("play", "accent").paint(painter, self.icon_rect(option, 1))
        if chosen or hovered or focused:
            self._theme.icon("x", "text" if chosen else "muted").paint(painter, self.icon_rect(option))
        painter.restore()

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: _Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            row, point = index.data(ROW), event.position().toPoint()
            if not isinstance(row, QueueRow) or event.button() != Qt.MouseButton.LeftButton:
                return False
            if self.icon_rect(option).adjusted(-6, -6, 6, 6).contains(point):
                self.remove_clicked.emit(row)
                return True
            if self._goes_on(row) and self.icon_rect(option, 1).adjusted(-6, -6, 6, 6).contains(point):
                self.resume_clicked.emit(row)
                return True
            if row.is_group and self.arrow_rect(option).adjusted(-8, -12, 8, 12).contains(point):
                self.toggle_clicked.emit(index.row())
                return True
        return False

    @staticmethod
    def _goes_on(row: QueueRow) -> bool:
        return row.is_stopped or row.job.state == "paused"
