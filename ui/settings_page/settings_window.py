"""The page itself (Ctrl+,): a search field, groups of rows, each with its note, its default and a way back to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from ui.formats import number
from ui.preferences import Preferences
from ui.settings_page.controls import Control, make_control, translated
from ui.settings_page.table import GROUPS, RESTART, SETTINGS, SettingRow
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import label
from ui.widgets.placing import place_over

SIZE = (720, 720)


class SettingsWindow(QDialog):
    """Non-modal. ``apply(field, value)`` is called after a change, and has it take effect."""

    def __init__(
        self,
        preferences: Preferences,
        apply: Callable[[str, object], None],
        usual_folder: Path,
        *,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._defaults = type(preferences)()
        self._apply = apply
        self._theme = theme
        self.controls: dict[str, Control] = {}
        self._rows: dict[str, tuple[QWidget, IconButton]] = {}
        self._titles: dict[str, QWidget] = {}
        self.setWindowTitle(self.tr("Settings"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search settings"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.nothing = label(self.tr("No setting is called that."), "muted")
        self.nothing.hide()
        inner = QWidget()
        inner.setProperty("role", "scrolled")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(4, 4, 12, 12)
        self._column.setSpacing(4)
        for group in GROUPS:
            title = label(translated(group).upper(), "section")
            title.setContentsMargins(0, 14, 0, 2)
            self._titles[group] = title
            self._column.addWidget(title)
            for row in SETTINGS:
                if row.group == group:
                    self._column.addWidget(self._make_row(row, usual_folder))
        self._column.addWidget(self.nothing)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes from the search field to what was found
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 12, 12)
        column.addWidget(self.search)
        column.addWidget(scroll, 1)
        self.search.textChanged.connect(self._filter)
        self.setMinimumWidth(480)
        place_over(self, SIZE)

    def _make_row(self, row: SettingRow, usual_folder: Path) -> QWidget:
        control = make_control(row, usual_folder)
        self.controls[row.field] = control
        title = label(translated(row.text))
        title.setBuddy(control)
        title.setWordWrap(True)
        notes = [translated(row.note), self._default_text(row)]
        if row.at_next_start:
            notes.append(translated(RESTART))
        note = label(" ".join(part for part in notes if part), "muted")
        note.setWordWrap(True)
        reset = IconButton("reset", self.tr("Back to the default"), theme=self._theme, role="muted", size=15)
        reset.setFixedSize(26, 26)
        reset.setAccessibleName(self.tr("{name}: back to the default").format(name=translated(row.text)))
        whole = QWidget()
        grid = QGridLayout(whole)
        grid.setContentsMargins(0, 7, 0, 7)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(title, 0, 0)
        grid.addWidget(note, 1, 0, Qt.AlignmentFlag.AlignTop)
        side = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        grid.addWidget(control, 0, 1, 2, 1, side)
        grid.addWidget(reset, 0, 2, 2, 1, side)
        self._rows[row.field] = (whole, reset)
        control.changed.connect(lambda: self._set(row.field, control.value()))
        reset.clicked.connect(lambda: self._reset(row.field))
        self.show_value(row.field)
        return whole

    def _default_text(self, row: SettingRow) -> str:
        value = getattr(self._defaults, row.field)
        if row.kind == "switch":
            return self.tr("Usually on.") if value else self.tr("Usually off.")
        if row.kind == "choice":
            name = next(translated(text) for key, text in row.choices if key == value)
            return self.tr("Usually “{value}”.").format(value=name)
        if row.kind == "number":
            return self.tr("Usually {value}.").format(value=number(value) + translated(row.suffix))
        return ""

    def show_value(self, field: str) -> None:
        """The value that the preferences have now."""
        value = getattr(self._preferences, field)
        self.controls[field].set_value(value)
        self._tell(field)

    def refresh(self) -> None:
        """Something was set elsewhere."""
        for field in self.controls:
            self.show_value(field)

    def _tell(self, field: str) -> None:
        _whole, reset = self._rows[field]
        policy = reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(policy)
        reset.setVisible(getattr(self._preferences, field) != getattr(self._defaults, field))

    def _set(self, field: str, value: object) -> None:
        self._apply(field, value)
        self._tell(field)

    def _reset(self, field: str) -> None:
        self._apply(field, getattr(self._defaults, field))
        self.show_value(field)
        self.controls[field].setFocus()

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        found = set()
        for row in SETTINGS:
            said = " ".join((translated(row.text), translated(row.note), translated(row.group), row.field)).casefold()
            matches = all(word in said for word in words)
            self._rows[row.field][0].setVisible(matches)
            if matches:
                found.add(row.group)
        for group, title in self._titles.items():
            title.setVisible(group in found)
        self.nothing.setVisible(not found)
