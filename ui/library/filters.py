"""The gallery's filters: a menu to choose them from, and a chip for each that is on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from engine.library.facets import Facets
from engine.library.filters import EVERYTHING
from ui.theme import Theme
from ui.widgets.flow import FlowLayout
from ui.widgets.icon_button import IconButton

STAR = "★"
MAX_NAME = 26
MAX_ENTRIES = 40


class Filters(QObject):
    """What is chosen besides kind and favourites. Signals: ``changed()`` after a choice; ``manage_wanted(str)``: all of
    the tags or albums ("tag", "album")."""

    changed = Signal()
    manage_wanted = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.filter = EVERYTHING
        self.stacked = False
        self.facets = Facets()
        self._when = ""
        self.button = IconButton("filter", self.tr("Filter and group"), theme=theme, role="muted", parent=parent)
        self.button.clicked.connect(self._show_menu)
        self.chips = QWidget(parent)
        self._flow = FlowLayout(self.chips)
        self._flow.setContentsMargins(12, 2, 12, 4)
        self.chips.hide()
        self._theme = theme

    def choose(self, **changes: Any) -> None:
        """Change fields of the filter."""
        self.filter = replace(self.filter, **changes)
        self._apply()

    def choose_days(self, name: str, days: int | None) -> None:
        """The last ``days`` days, today included; −1 this year, None any time."""
        today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        since = None
        if days is not None:
            since = (today.replace(month=1, day=1) if days < 0 else today - timedelta(days=days - 1)).timestamp()
        self._when = name
        self.choose(since=since)

    def set_stacked(self, stacked: bool) -> None:
        self.stacked = stacked
        self._apply()

    def clear(self) -> None:
        if self.filter != EVERYTHING or self.stacked:
            self.filter, self.stacked = EVERYTHING, False
            self._apply()

    def build_menu(self) -> QMenu:
        menu = QMenu(self.button)
        menu.setAccessibleName(self.tr("Filter and group"))
        shown = self.filter
        ratings = [(self.tr("Any rating"), 0)]
        ratings += [(STAR * stars + (self.tr(" and more") if stars < 5 else ""), stars) for stars in range(5, 0, -1)]
        ratings.append((self.tr("Not rated"), -1))
        self._choices(menu, self.tr("Rating"), ratings, shown.rating, lambda value: self.choose(rating=value))
        any_time = self.tr("Any time")
        times: list[tuple[str, int | None]] = [(any_time, None), (self.tr("Today"), 1), (self.tr("Last 7 days"), 7)]
        times += [(self.tr("Last 30 days"), 30), (self.tr("This year"), -1)]
        names = dict((days, name) for name, days in times)
        current = next((days for name, days in times if shown.since is not None and name == self._when), None)
        self._choices(menu, self.tr("Made"), times, current, lambda days: self.choose_days(names[days], days))
        for title, field, every, counted in (
            (self.tr("Model"), "model", self.tr("Any model"), self.facets.models),
            (self.tr("Album"), "album", self.tr("No matter which"), self.facets.albums),
            (self.tr("Tag"), "tag", self.tr("Any tag or none"), self.facets.tags),
        ):
            entries = [(every, ""), *((f"{_short(name)}\t{count}", name) for name, count in counted[:MAX_ENTRIES])]
            submenu = self._choices(
                menu, title, entries, getattr(shown, field), lambda value, field=field: self.choose(**{field: value})
            )
            submenu.setEnabled(bool(counted))
            if field != "model":
                submenu.addSeparator()
                managed = submenu.addAction(self.tr("Rename or remove…"))
                managed.triggered.connect(lambda _checked=False, field=field: self.manage_wanted.emit(field))
        menu.addSeparator()
        grouped = menu.addAction(self.tr("Group by prompt"))
        grouped.setCheckable(True)
        grouped.setChecked(self.stacked)
        grouped.triggered.connect(self.set_stacked)
        cleared = menu.addAction(self.tr("Clear all filters"))
        cleared.setEnabled(shown != EVERYTHING or self.stacked)
        cleared.triggered.connect(self.clear)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def follow_label(self, kind: str, name: str, new: str) -> None:
        """A tag or album has another name, or ("") is gone: what was narrowed to it is narrowed to that, or to none."""
        if getattr(self.filter, kind).casefold() == name.casefold():
            self.choose(**{kind: new})

    def _choices(
        self, menu: QMenu, title: str, entries: Iterable[tuple[str, Any]], current: Any, chosen: Callable[[Any], None]
    ) -> QMenu:
        submenu = menu.addMenu(title)
        group = QActionGroup(submenu)
        for name, value in entries:
            action = submenu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(value == current)
            action.triggered.connect(lambda _checked=False, value=value: chosen(value))
            group.addAction(action)
        return submenu

    def _show_menu(self) -> None:
        self.build_menu().popup(self.button.mapToGlobal(QPoint(0, self.button.height() + 2)))

    def _apply(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for text, back in self._said():
            chip = QPushButton(f"{text}  ×")
            chip.setProperty("role", "chip")
            chip.setAccessibleName(self.tr("Remove the filter: {0}").format(text))
            chip.setToolTip(self.tr("Remove this filter"))
            chip.clicked.connect(back)
            self._flow.addWidget(chip)
            chip.show()
        self.chips.setVisible(self._flow.count() > 0)
        self.button.set_icon("filter", "accent" if self._flow.count() else "muted")
        self.changed.emit()

    def _said(self) -> list[tuple[str, Callable[[], None]]]:
        """Each filter that is on, in words, with what takes it off."""
        shown = self.filter
        found: list[tuple[str, Callable[[], None]]] = []
        if shown.prompt is not None:
            text = f"“{_short(shown.prompt)}”" if shown.prompt else self.tr("No prompt")
            found.append((text, lambda: self.choose(prompt=None)))
        if shown.rating:
            text = STAR * shown.rating + "+" * (shown.rating < 5) if shown.rating > 0 else self.tr("Not rated")
            found.append((text, lambda: self.choose(rating=0)))
        if shown.since is not None:
            found.append((self._when, lambda: self.choose_days("", None)))
        for field, title in (("model", self.tr("Model")), ("album", self.tr("Album")), ("tag", self.tr("Tag"))):
            name = getattr(shown, field)
            if name:
                found.append((f"{title}: {_short(name)}", lambda field=field: self.choose(**{field: ""})))
        if self.stacked:
            found.append((self.tr("Grouped by prompt"), lambda: self.set_stacked(False)))
        return found


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
