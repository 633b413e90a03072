"""The sheet of shortcuts (F1), made from the actions themselves, and the keys that single parts of the window take."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ui.action_table import ITEM, LATERNA, MAKE, RATING, ROWS, VIEW
from ui.widgets.labels import label
from ui.widgets.placing import place_over

T = QT_TRANSLATE_NOOP
# What no action of the window is: group, and name with keys.
PARTS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        T("Keys", "In the prompt"),
        (
            (T("Keys", "More weight, less weight"), "Ctrl+Up, Ctrl+Down"),
            (T("Keys", "Take the first suggestion"), "Tab"),
            (T("Keys", "Choose another suggestion"), "Down, Enter"),
        ),
    ),
    (
        T("Keys", "In the view"),
        (
            (T("Keys", "Zoom"), "+, -"),
            (T("Keys", "Fit; one pixel for one"), "0, 1"),
            (T("Keys", "Frame by frame, or another picture"), "Left, Right"),
            (T("Keys", "First and last frame"), "Home, End"),
        ),
    ),
    (
        T("Keys", "In a comparison"),
        (
            (T("Keys", "Side by side or slider"), "S"),
            (T("Keys", "Move the slider"), "Left, Right"),
            (T("Keys", "End it"), "Esc"),
        ),
    ),
    (
        T("Keys", "In the queue"),
        (
            (T("Keys", "Pause or go on"), "P"),
            (T("Keys", "Edit"), "E"),
            (T("Keys", "Duplicate"), "D"),
            (T("Keys", "Move"), "Alt+Up, Alt+Down"),
        ),
    ),
)
SIZE = (1080, 760)


def shown_keys(keys: tuple[str, ...]) -> str:
    """The first of ``keys`` as keyboards name it: the key that Qt calls Return is labelled Enter."""
    return _named(keys[0]) if keys else ""


def _named(key: str) -> str:
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) or key
    return text.replace("Return", "Enter")


def _action(text: str) -> str:
    return QCoreApplication.translate("Actions", text)


def _key(text: str) -> str:
    return QCoreApplication.translate("Keys", text)


class ShortcutSheet(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        inner = QWidget()
        inner.setProperty("role", "scrolled")
        columns = QHBoxLayout(inner)
        columns.setContentsMargins(0, 0, 12, 0)
        columns.setSpacing(36)
        for column in (
            [*self._actions(MAKE, LATERNA), *self._parts(PARTS[3:])],
            [*self._actions(ITEM, RATING), *self._parts(PARTS[:1])],
            [*self._actions(VIEW), *self._parts(PARTS[1:3])],
        ):
            columns.addLayout(self._column(column), 1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 12, 16)
        outer.addWidget(scroll, 1)
        outer.addWidget(buttons)
        place_over(self, SIZE)

    @staticmethod
    def _actions(*groups: str) -> list[tuple[str, list[tuple[str, str]]]]:
        return [
            (_action(group), [(_action(row.text), shown_keys(row.keys)) for row in ROWS if row.group == group])
            for group in groups
        ]

    @staticmethod
    def _parts(parts: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> list[tuple[str, list[tuple[str, str]]]]:
        return [
            (_key(group), [(_key(text), ", ".join(map(_named, keys.split(", ")))) for text, keys in rows])
            for group, rows in parts
        ]

    @staticmethod
    def _column(groups: list[tuple[str, list[tuple[str, str]]]]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        for group, rows in groups:
            column.addWidget(label(group.upper(), "section"))
            grid = QGridLayout()
            grid.setHorizontalSpacing(16)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(0, 1)
            for number, (text, keys) in enumerate((text, keys) for text, keys in rows if keys):
                name = label(text)
                name.setWordWrap(True)
                shown = label(keys, "muted")
                shown.setAlignment(Qt.AlignmentFlag.AlignRight)
                grid.addWidget(name, number, 0)
                grid.addWidget(shown, number, 1)
            column.addLayout(grid)
            column.addSpacing(12)
        column.addStretch(1)
        return column
