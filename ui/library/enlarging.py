"""Making results larger: a menu of scales with what comes of each, and jobs for all that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from engine.derive.kind import Medium
from engine.derive.kinds import kind_of
from engine.derive.upscale.upscale import upscaled
from engine.library.item import Item
from engine.models.upscalers import Upscaler, UpscalerFacts
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe
from engine.protocol.upscaling import SCALES, Upscaling
from ui.formats import about
from ui.library.item_actions import ItemActions

Submit = Callable[[Sequence[tuple[Derivation, Recipe | None]]], object]


class Enlarging(QObject):
    """``submit`` puts jobs on the queue, ``upscalers`` are the networks that are here. ``answers`` as in
    ``ItemActions``."""

    def __init__(
        self, items: ItemActions, submit: Submit, upscalers: Callable[[], Sequence[Upscaler]], window: QWidget
    ) -> None:
        super().__init__(window)
        self._items = items
        self._submit = submit
        self._upscalers = upscalers
        self._window = window
        self.answers: dict[str, Callable[[], object]] = {"make_larger": self.ask}

    def ask(self) -> None:
        menu = self.make_menu()
        if menu is not None:
            menu.popup(QCursor.pos())

    def make_menu(self) -> QMenu | None:
        """For each network, and for resampling, a line for each scale: what comes of the one item, or of how many; None
        where nothing is chosen."""
        items = [item for item in self._items.items() if item.trashed is None]
        if not items:
            return None
        menu = QMenu(self._window)
        menu.setAccessibleName(self.tr("How much larger"))
        for one in self._upscalers():
            menu.addSection(one.name)
            self._add_scales(menu, items, [one.upscaling(scale) for scale in SCALES], one.facts)
        menu.addSection(self.tr("Lanczos: invents nothing"))
        self._add_scales(menu, items, [Upscaling(scale) for scale in SCALES], None)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _add_scales(self, menu: QMenu, items: list[Item], how: list[Upscaling], facts: UpscalerFacts | None) -> None:
        for one in how:
            jobs = [_job(item, one) for item in items if _forecast(item, one, facts) is not None]
            line = menu.addAction(self._line(items, one, facts, len(jobs)))
            line.setEnabled(bool(jobs))
            line.triggered.connect(partial(self._submit, jobs))

    def _line(self, items: list[Item], how: Upscaling, facts: UpscalerFacts | None, fitting: int) -> str:
        scale = how.scale
        if len(items) > 1:
            text = self.tr("{scale} times: {count} files")
            return text.format(scale=scale, count=fitting)
        forecast = _forecast(items[0], how, facts)
        if forecast is None:
            return self.tr("{scale} times: too large").format(scale=scale)
        width, height, seconds = forecast
        size = self.tr("{scale} times: {width} × {height}").format(scale=scale, width=width, height=height)
        return f"{size}  ·  {about(seconds)}"


def _job(item: Item, how: Upscaling) -> tuple[Derivation, Recipe | None]:
    return upscaled(str(item.file), how, before=item.derivation), item.recipe


def _forecast(item: Item, how: Upscaling, facts: UpscalerFacts | None) -> tuple[int, int, float] | None:
    """Width, height and seconds; None where it would be too large."""
    derivation, _recipe = _job(item, how)
    medium, kind = Medium(item.kind, item.width, item.height, item.frames, item.fps), kind_of(derivation)
    try:
        made = kind.result(derivation, medium)
        return made.width, made.height, kind.forecast(derivation, medium, facts).seconds
    except BadFile:
        return None
