"""The windows and dialogs over the main one: models, settings, variations, shortcuts, the menu."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QDialog, QWidget

from engine.protocol.recipe import Recipe
from ui.actions import Actions
from ui.preference_store import PreferenceStore
from ui.prompt_tools import PromptTools
from ui.session import Session
from ui.theme import Theme
from ui.window.menu import build_menu

if TYPE_CHECKING:
    from ui.models.link import ModelLink
    from ui.models.models_window import ModelsWindow
    from ui.settings_page.settings_window import SettingsWindow


class Pages(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name; each is also a method.

    Signals: ``variations_wanted(tuple)`` of ``Axis``.
    """

    variations_wanted = Signal(tuple)

    def __init__(
        self,
        session: Session,
        actions: Actions,
        store: PreferenceStore,
        tools: PromptTools,
        *,
        seconds: Callable[[Recipe], float | None],
        output_folder: Path,
        version: str,
        theme: Theme,
        menu_below: QWidget,
        parent: QWidget,
    ) -> None:
        """``seconds`` forecasts a recipe. ``output_folder`` is where new files usually go. The menu opens below
        ``menu_below``, all else over ``parent``."""
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._store = store
        self._tools = tools
        self._seconds = seconds
        self.output_folder = output_folder
        self._version = version
        self._theme = theme
        self._menu_below = menu_below
        self._over = parent
        self._model_link: ModelLink | None = None
        self.models: ModelsWindow | None = None
        self.settings: SettingsWindow | None = None
        self.answers: dict[str, Callable[[], object]] = {
            "vary": self.show_variations,
            "vary_texts": self.show_combinations,
            "show_models": self.show_models,
            "show_settings": self.show_settings,
            "show_menu": self.show_menu,
            "show_shortcuts": self.show_shortcuts,
            "show_about": self.show_about,
        }

    def attach_models(self, link: ModelLink) -> None:
        self._model_link = link

    def show_models(self, model: str = "") -> None:
        """One at a time; with the card of ``model``, a catalogued id, in sight."""
        page = self._models_page()
        if page is not None and model:
            page.show_model(model)

    def import_model(self, path: Path) -> None:
        """A model's file or folder, on the models page."""
        page = self._models_page()
        if page is not None:
            page.import_models(path)

    def _models_page(self) -> ModelsWindow | None:
        if self._model_link is None:
            return None
        if self.models is None:
            from ui.models.models_window import ModelsWindow

            self.models = ModelsWindow(self._model_link, self._over)
        _bring(self.models)
        return self.models

    def show_settings(self) -> None:
        """One at a time."""
        if self.settings is None:
            from ui.settings_page.settings_window import SettingsWindow

            self.settings = SettingsWindow(
                self._store.values, self._store.set, self.output_folder, theme=self._theme, parent=self._over
            )
        self.settings.refresh()
        _bring(self.settings)

    def show_combinations(self) -> None:
        """The variations, with every text that the prompt's alternatives can become."""
        self.show_variations(every_text=True)

    def show_variations(self, every_text: bool = False) -> None:
        from ui.queue.variations import Variations

        dialog = Variations(self._session, self._seconds, self._tools, every_text=every_text, parent=self._over)
        dialog.wanted.connect(self.variations_wanted)
        dialog.show()

    def show_menu(self) -> None:
        menu = build_menu(self._actions, self._over)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._menu_below.mapToGlobal(QPoint(0, self._menu_below.height() + 4)))

    def show_shortcuts(self) -> None:
        from ui.window.shortcut_sheet import ShortcutSheet

        ShortcutSheet(self._over).open()

    def show_about(self) -> None:
        from ui.window.about import AboutDialog

        AboutDialog(self._version, self._session.engine, self._over).open()


def _bring(page: QDialog) -> None:
    page.show()
    page.raise_()
    page.activateWindow()
