"""What stands above the gallery's grid: search, the box of kinds, the menu of filters and its chips."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ui.library.filters import Filters
from ui.library.query import Query
from ui.theme import Theme

DEBOUNCE_MS = 90
KINDS: tuple[dict[str, Any], ...] = ({}, {"kind": "image"}, {"kind": "video"}, {"favourite": True}, {"deleted": True})
DELETED = 4


class GalleryHead(QWidget):
    """Signals: ``changed()`` what is asked for is another, told once typing pauses; ``left_down()`` Down was pressed in
    the search field."""

    changed = Signal()
    left_down = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.search = QLineEdit(placeholderText=self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setToolTip(
            self.tr(
                "Words of prompts and tags, model and seed; also “model:mini”, “seed:42”, “date:2026-11”, “tag:owl”,"
                " “album:trip”, “rating:4”, “-snow”, “is:favourite”"
            )
        )
        self.search.setMaxLength(500)
        self._icon = self.search.addAction(theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self._clear = self.search.addAction(theme.icon("x", "muted"), QLineEdit.ActionPosition.TrailingPosition)
        self._clear.setToolTip(self.tr("Clear the search (Esc)"))
        self._clear.setVisible(False)
        self.kinds = QComboBox()
        self.kinds.setAccessibleName(self.tr("Show"))
        self.kinds.addItems(
            [self.tr("All"), self.tr("Pictures"), self.tr("Clips"), self.tr("Favourites"), self.tr("Deleted")]
        )
        self.filters = Filters(theme=theme, parent=self)
        self._debounce = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        row = QHBoxLayout()
        row.setContentsMargins(12, 12, 12, 4)
        row.setSpacing(8)
        row.addWidget(self.search, 1)
        row.addWidget(self.kinds)
        row.addWidget(self.filters.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.filters.chips)
        self.search.textChanged.connect(self._debounce.start)
        self.search.textChanged.connect(lambda text: self._clear.setVisible(bool(text)))
        self.search.installEventFilter(self)
        self._clear.triggered.connect(self.search.clear)
        self._debounce.timeout.connect(self.changed)
        self.kinds.currentIndexChanged.connect(self.changed)
        self.filters.changed.connect(self.changed)
        theme.changed.connect(self._redraw_icons)

    @property
    def shows_deleted(self) -> bool:
        return self.kinds.currentIndex() == DELETED

    def query(self) -> Query:
        """What is asked for now."""
        base = KINDS[max(0, self.kinds.currentIndex())]
        narrowed = replace(self.filters.filter, **base)
        is_stacked = self.filters.stacked and narrowed.prompt is None and not narrowed.deleted
        return Query(self.search.text(), narrowed, is_stacked)

    def focus_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def clear(self) -> None:
        """No search, no filter; told once."""
        self.blockSignals(True)
        self.search.clear()
        self.kinds.setCurrentIndex(0)
        self.filters.clear()
        self._debounce.stop()
        self.blockSignals(False)
        self.changed.emit()

    def stop(self) -> None:
        self._debounce.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field, Down goes to the grid and Escape takes the search back."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down:
                self.left_down.emit()
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def _redraw_icons(self) -> None:
        self._icon.setIcon(self._theme.icon("search", "muted"))
        self._clear.setIcon(self._theme.icon("x", "muted"))
