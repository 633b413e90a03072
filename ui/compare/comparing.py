"""The comparison in the window: what is chosen in the place of the view, and back to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from engine.library.filters import Filter
from engine.library.item import Item
from ui.messages import Message

if TYPE_CHECKING:
    from ui.compare.compare_view import CompareView
    from ui.main_window import MainWindow

MOST_RELATIVES = 300


class Comparing(QObject):
    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._view: CompareView | None = None

    @property
    def shown(self) -> CompareView | None:
        """The comparison, while one is shown."""
        return self._view if self._view is not None and not self._view.isHidden() else None

    def toggle(self) -> None:
        """Two to four results that are chosen; of a single one, with what came of the same prompt and differs least.
        Again, back to the view."""
        window = self._window
        if self.shown is not None:
            self.end()
            return
        items = window.item_actions.items()
        if len(items) == 1 and items[0].recipe is not None:
            self._compare_with_relative(items[0])
        else:
            self.show(items)

    def show(self, items: Sequence[Item]) -> None:
        window = self._window
        if window.view is None or not 2 <= len(items) <= 4:
            text = self.tr("Choose two to four results in the gallery (Ctrl+click), then compare.")
            window.messages.show_message(Message(text, topic="action"))
            return
        if self._view is None:
            from ui.compare.compare_view import CompareView

            self._view = CompareView(theme=window.theme)
            self._view.closed.connect(self.end)
            self._view.message.connect(window.say)
            window.centre.layout().addWidget(self._view)
        window.view.playback.pause()
        window.view.hide()
        self._view.show_items(items)
        self._view.show()
        self._view.setFocus()
        window.messages.raise_()

    def end(self) -> None:
        if self._view is not None and self._window.view is not None:
            self._view.hide()
            self._view.clear()
            self._window.view.show()
            self._window.view.canvas.setFocus()

    def close(self) -> None:
        if self._view is not None:
            self._view.close_down()

    def _compare_with_relative(self, item: Item) -> None:
        """Before and after: the older of the two comes first."""
        library, window = self._window.item_actions.library, self._window
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

        window.background.run(find, found, window.failed)
