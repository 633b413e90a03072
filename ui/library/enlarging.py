"""Making results larger: a menu of scales with what comes of each, and jobs for all that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from engine.derive.kind import Medium
from engine.derive.kinds import kind_of
from engine.derive.upscale.upscale import SCALES, upscaled
from engine.library.item import Item
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe
from ui.formats import about
from ui.library.item_actions import ItemActions

Submit = Callable[[Sequence[tuple[Derivation, Recipe | None]]], object]


class Enlarging(QObject):
    """``submit`` puts jobs on the queue. ``answers`` as in ``ItemActions``."""

    def __init__(self, items: ItemActions, submit: Submit, window: QWidget) -> None:
        super().__init__(window)
        self._items = items
        self._submit = submit
        self._window = window
        self.answers: dict[str, Callable[[], object]] = {"make_larger": self.ask}

    def ask(self) -> None:
        menu = self.make_menu()
        if menu is not None:
            menu.popup(QCursor.pos())

    def make_menu(self) -> QMenu | None:
        """A line for each scale: what comes of the one item, or of how many; None where nothing is chosen."""
        items = [item for item in self._items.items() if item.trashed is None]
        if not items:
            return None
        menu = QMenu(self._window)
        menu.setAccessibleName(self.tr("How much larger"))
        for scale in SCALES:
            jobs = [_job(item, scale) for item in items if _forecast(item, scale) is not None]
            line = menu.addAction(self._line(items, scale, len(jobs)))
            line.setEnabled(bool(jobs))
            line.triggered.connect(partial(self._submit, jobs))
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _line(self, items: list[Item], scale: int, fitting: int) -> str:
        if len(items) > 1:
            text = self.tr("{scale} times: {count} files")
            return text.format(scale=scale, count=fitting)
        forecast = _forecast(items[0], scale)
        if forecast is None:
            return self.tr("{scale} times: too large").format(scale=scale)
        width, height, seconds = forecast
        size = self.tr("{scale} times: {width} × {height}").format(scale=scale, width=width, height=height)
        return f"{size}  ·  {about(seconds)}"


def _job(item: Item, scale: int) -> tuple[Derivation, Recipe | None]:
    return upscaled(str(item.file), scale, before=item.derivation), item.recipe


def _forecast(item: Item, scale: int) -> tuple[int, int, float] | None:
    """Width, height and seconds; None where it would be too large."""
    derivation, _recipe = _job(item, scale)
    medium, kind = Medium(item.kind, item.width, item.height, item.frames, item.fps), kind_of(derivation)
    try:
        made = kind.result(derivation, medium)
        return made.width, made.height, kind.forecast(derivation, medium).seconds
    except BadFile:
        return None
