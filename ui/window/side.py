"""``Side``: the right of the window, the gallery over the queue. Each comes when it can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QVBoxLayout

from ui.actions import Actions
from ui.preference_store import PreferenceStore
from ui.theme import Theme

if TYPE_CHECKING:
    from ui.library.gallery import GalleryPanel
    from ui.queue.queue_panel import QueuePanel
    from ui.window.services import Services

LEAST_WIDTH = 300
QUEUE_HEIGHT = 280


class Side(QFrame):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name."""

    def __init__(self, actions: Actions, store: PreferenceStore, *, theme: Theme) -> None:
        super().__init__()
        self._actions = actions
        self._store = store
        self._theme = theme
        self.gallery: GalleryPanel | None = None
        self.queue: QueuePanel | None = None
        self.setProperty("role", "panel")
        self.setMinimumWidth(LEAST_WIDTH)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.answers: dict[str, Callable[[], object]] = {"toggle_queue": self.toggle_queue}

    def build_gallery(self, services: Services) -> GalleryPanel:
        from ui.library.gallery import GalleryPanel
        from ui.window.menu import ITEM_MENU

        actions = [self._actions.action(name) for name in ITEM_MENU if name]
        self.gallery = GalleryPanel(services.library, services.thumbnails, theme=self._theme, actions=actions)
        self._column.insertWidget(0, self.gallery, 1)
        return self.gallery

    def build_queue(self) -> QueuePanel:
        from ui.queue.queue_panel import QueuePanel

        self.queue = QueuePanel(theme=self._theme)
        self.queue.setVisible(self._store.values.queue_open)
        self.queue.setMaximumHeight(QUEUE_HEIGHT)
        self._column.addWidget(self.queue)
        return self.queue

    def toggle_queue(self) -> None:
        if self.queue is not None:
            self.queue.setVisible(self.queue.isHidden())
            self._store.set("queue_open", not self.queue.isHidden())

    def close_down(self) -> None:
        for part in (self.gallery, self.queue):
            close_down = getattr(part, "close_down", None)
            if close_down is not None:
                close_down()
