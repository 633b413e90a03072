"""Making clips smoother: a menu of frames in a second, and jobs for all that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from engine.derive.interpolate.interpolate import interpolated
from engine.derive.kind import Medium
from engine.derive.kinds import kind_of
from engine.library.item import Item
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe
from ui.formats import about
from ui.library.item_actions import ItemActions

Submit = Callable[[Sequence[tuple[Derivation, Recipe | None]]], object]
RATES = (16, 24, 25, 30, 48, 50, 60)


class Smoothing(QObject):
    """As ``Enlarging``, for clips."""

    def __init__(self, items: ItemActions, submit: Submit, window: QWidget) -> None:
        super().__init__(window)
        self._items = items
        self._submit = submit
        self._window = window
        self.answers: dict[str, Callable[[], object]] = {"make_smoother": self.ask}

    def ask(self) -> None:
        menu = self.make_menu()
        if menu is not None:
            menu.popup(QCursor.pos())

    def make_menu(self) -> QMenu | None:
        """A line for each rate above that of the clips; None where no clip is chosen."""
        clips = [item for item in self._items.items() if item.trashed is None and item.kind == "video" and item.fps > 0]
        if not clips:
            return None
        slowest = min(item.fps for item in clips)
        twice = [round(clips[0].fps * times, 3) for times in (2, 4)] if len(clips) == 1 else []
        menu = QMenu(self._window)
        menu.setAccessibleName(self.tr("How many frames in a second"))
        for fps in sorted({*map(float, RATES), *twice}):
            if fps <= slowest or fps > 240:
                continue
            jobs = [_job(item, fps) for item in clips if item.fps < fps and _seconds(item, fps) is not None]
            line = menu.addAction(self._line(clips, fps, len(jobs)))
            line.setEnabled(bool(jobs))
            line.triggered.connect(partial(self._submit, jobs))
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _line(self, clips: list[Item], fps: float, fitting: int) -> str:
        if len(clips) > 1:
            return self.tr("{fps} frames a second: {count} clips").format(fps=f"{fps:g}", count=fitting)
        text = self.tr("{fps} frames a second").format(fps=f"{fps:g}")
        seconds = _seconds(clips[0], fps)
        return text if seconds is None else f"{text}  ·  {about(seconds)}"


def _job(item: Item, fps: float) -> tuple[Derivation, Recipe | None]:
    return interpolated(str(item.file), fps, before=item.derivation), item.recipe


def _seconds(item: Item, fps: float) -> float | None:
    """None where it would be too long."""
    derivation, _recipe = _job(item, fps)
    medium = Medium(item.kind, item.width, item.height, item.frames, item.fps)
    try:
        return kind_of(derivation).forecast(derivation, medium).seconds
    except BadFile:
        return None
