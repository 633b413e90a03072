"""The comparison in the window: what is chosen in the place of the view, and back to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.library.filters import Filter
from engine.library.item import Item
from ui.background import Background
from ui.library.item_actions import ItemActions
from ui.messages import Message
from ui.sentences import shipped
from ui.theme import Theme

if TYPE_CHECKING:
    from ui.compare.compare_view import CompareView
    from ui.player.view_panel import ViewPanel

MOST_RELATIVES = 300


class Comparing(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name.

    Signals: ``began`` the comparison is in the place of the view; ``said(Message)``; ``failed(LaternaError)``.
    """

    began = Signal()
    said = Signal(object)
    failed = Signal(object)

    def __init__(self, items: ItemActions, background: Background, *, theme: Theme, parent: QWidget) -> None:
        """``items`` knows what is chosen. The comparison is laid out in ``parent``, where the view is too."""
        super().__init__(parent)
        self._items = items
        self._background = background
        self._theme = theme
        self._place = parent
        self._instead: ViewPanel | None = None
        self._view: CompareView | None = None
        self.answers: dict[str, Callable[[], object]] = {"compare": self.toggle}

    def attach_view(self, view: ViewPanel) -> None:
        """What the comparison takes the place of."""
        self._instead = view

    @property
    def shown(self) -> CompareView | None:
        """The comparison, while one is shown."""
        return self._view if self._view is not None and not self._view.isHidden() else None

    def toggle(self) -> None:
        """Two to four results that are chosen; of a single one, with what came of the same prompt and differs least.
        Again, back to the view."""
        if self.shown is not None:
            self.end()
            return
        items = self._items.items()
        if len(items) == 1 and items[0].recipe is not None:
            self._compare_with_relative(items[0])
        else:
            self.show(items)

    def show(self, items: Sequence[Item]) -> None:
        view = self._instead
        if view is None or not 2 <= len(items) <= 4:
            text = self.tr("Choose two to four results in the gallery (Ctrl+click), then compare.")
            self.said.emit(Message(text, topic="action"))
            return
        if self._view is None:
            from ui.compare.compare_view import CompareView

            self._view = CompareView(theme=self._theme)
            self._view.closed.connect(self.end)
            self._view.message.connect(lambda text: self.said.emit(Message(shipped().sentence(text))))
            self._place.layout().addWidget(self._view)
        view.playback.pause()
        view.hide()
        self._view.show_items(items)
        self._view.show()
        self._view.setFocus()
        self.began.emit()

    def end(self) -> None:
        if self._view is not None and self._instead is not None:
            self._view.hide()
            self._view.clear()
            self._instead.show()
            self._instead.canvas.setFocus()

    def close(self) -> None:
        if self._view is not None:
            self._view.close_down()

    def _compare_with_relative(self, item: Item) -> None:
        """Before and after: the older of the two comes first."""
        library = self._items.library
        if library is None or item.recipe is None:
            return
        same = Filter(prompt=item.recipe.prompt, kind=item.kind)

        def find() -> Item | None:
            from ui.compare.relative import nearest_relative

            ids = library.ids(filter=same)
            return nearest_relative(item, library.items(ids[:MOST_RELATIVES]))

        def found(other: Item | None) -> None:
            if other is None:
                self.show([item])
            elif self.shown is None:
                self.show(sorted((item, other), key=lambda one: (one.created, one.id)))

        self._background.run(find, found, self.failed.emit)
