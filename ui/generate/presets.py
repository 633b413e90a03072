"""Settings that a person keeps under a name, for one model; prompts and seeds are not in them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QInputDialog, QMenu, QToolButton, QWidget

from engine.models.installed import InstalledModel
from engine.protocol.recipe import Recipe
from ui.draft import Preset
from ui.theme import Theme
from ui.widgets.icon_button import IconButton


class PresetButton(IconButton):
    """Signals: ``recipe_chosen(Recipe)`` settings to take, ``kept(str)`` a name for those that stand in the form,
    ``removed(str)`` a preset's name."""

    recipe_chosen = Signal(object)
    kept = Signal(str)
    removed = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("bookmark", "", theme=theme, role="muted", parent=parent)
        self.set_text(self.tr("Settings kept for this model"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._model: InstalledModel | None = None
        self._presets: tuple[Preset, ...] = ()
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)

    def set_model(self, model: InstalledModel | None, presets: tuple[Preset, ...]) -> None:
        self._model = model
        self._presets = tuple(one for one in presets if model is not None and one.recipe.model == model.info.id)
        self.setEnabled(model is not None)

    def _fill(self) -> None:
        menu, model = self.menu(), self._model
        menu.clear()
        if model is None:
            return
        usual = model.info.recipe()
        menu.addAction(self.tr("The model's own settings"), lambda: self.recipe_chosen.emit(usual))
        menu.addSeparator()
        for preset in self._presets:
            text = preset.name.replace("&", "&&")
            menu.addAction(text, lambda recipe=preset.recipe: self.recipe_chosen.emit(recipe))
        if self._presets:
            menu.addSeparator()
        menu.addAction(self.tr("Keep these settings…"), self._ask)
        if self._presets:
            removing = menu.addMenu(self.tr("Remove"))
            for preset in self._presets:
                removing.addAction(preset.name.replace("&", "&&"), lambda name=preset.name: self.removed.emit(name))

    def _ask(self) -> None:
        dialog = QInputDialog(self.window())
        dialog.setWindowTitle(self.tr("Keep these settings"))
        dialog.setLabelText(self.tr("Name"))
        dialog.textValueSelected.connect(lambda text: text.strip() and self.kept.emit(text.strip()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def settings_of(recipe: Recipe) -> Recipe:
    """What a preset keeps of a recipe."""
    return recipe.replace(prompt="", negative_prompt="", seed=0, model_hashes={}, inputs=(), conditioning=None)


def with_settings(recipe: Recipe, preset: Recipe) -> Recipe:
    """``recipe`` with the settings of a preset; its own texts, seed and picture stay."""
    return preset.replace(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        seed=recipe.seed,
        inputs=recipe.inputs,
        conditioning=recipe.conditioning,
    )
