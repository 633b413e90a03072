"""``Centre``: the middle of the window, with the view, the recipe beside it, and what is said over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from ui.actions import Actions
from ui.preference_store import PreferenceStore
from ui.session import Session
from ui.theme import Theme
from ui.widgets.message_bar import MessageStack

if TYPE_CHECKING:
    from ui.player.view_panel import ViewPanel
    from ui.recipe.recipe_panel import RecipePanel

HEADER_HEIGHT = 48


class Centre(QFrame):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name.

    Signals: ``example_wanted`` by the first words.
    """

    example_wanted = Signal()

    def __init__(
        self, session: Session, actions: Actions, store: PreferenceStore, *, theme: Theme, frames_folder: Path
    ) -> None:
        """``frames_folder`` keeps frames that were dragged out."""
        super().__init__()
        self._session = session
        self._actions = actions
        self._store = store
        self._theme = theme
        self._frames_folder = frames_folder
        self.view: ViewPanel | None = None
        self.recipe: RecipePanel | None = None
        self.setProperty("role", "canvas")
        self._make_room(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.messages = MessageStack(self, theme=theme, top=HEADER_HEIGHT)
        self.answers: dict[str, Callable[[], object]] = {"toggle_recipe": self._toggle_recipe}

    def build_view(self) -> ViewPanel:
        """After the first paint."""
        from ui.player.view_panel import ViewPanel

        view = self.view = ViewPanel(theme=self._theme, frames_folder=self._frames_folder)
        self._build_recipe(view)
        self.layout().addWidget(view)
        if not self._store.values.toured:
            self._begin_tour()
        self.messages.keep_over(view.canvas.parentWidget())  # the picture, or what stands in its place
        self.messages.raise_()
        return view

    def close_down(self) -> None:
        if self.view is not None:
            self.view.close_down()

    def _make_room(self, for_recipe: bool) -> None:
        """For the view alone, or for the recipe beside it too."""
        self.setMinimumWidth(480 if for_recipe else 340)

    def _build_recipe(self, view: ViewPanel) -> None:
        """Beside the view, shown by its button; what was shown last time is shown again."""
        from ui.recipe.recipe_panel import RecipePanel

        is_open = self._store.values.recipe_open
        panel = self.recipe = RecipePanel(self._session, self._actions)
        panel.setVisible(is_open)
        view.add_side(panel)
        button = view.header.recipe
        button.setChecked(is_open)
        button.toggled.connect(panel.setVisible)
        panel.shown.connect(button.setChecked)
        panel.shown.connect(lambda on: self._store.set("recipe_open", on))
        panel.shown.connect(self._make_room)
        self._make_room(is_open)

    def _toggle_recipe(self) -> None:
        if self.recipe is not None:
            self.recipe.setVisible(self.recipe.isHidden())

    def _begin_tour(self) -> None:
        from ui.window.tour import Tour

        tour = Tour(self)

        def read() -> None:
            self._store.set("toured", True)
            tour.deleteLater()

        tour.read.connect(read)
        tour.example_wanted.connect(self.example_wanted)
        self._actions.submitted.connect(tour.end)
        tour.show()
