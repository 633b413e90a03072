"""Preferences that an action switches, and the presets of the form: kept, removed, put back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from ui.draft import Preset
from ui.generate.presets import settings_of
from ui.messages import Message
from ui.preference_store import PreferenceStore
from ui.session import Session


class Toggles(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name.

    Signals: ``said(Message)``.
    """

    said = Signal(object)

    def __init__(self, store: PreferenceStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.answers: dict[str, Callable[[], object]] = {
            "toggle_previews": self.previews,
            "toggle_a1111": self.a1111,
            "toggle_wait_after_start": lambda: self._switch("wait_after_start"),
        }

    def previews(self) -> None:
        """They vanish at once; the engine makes none from the next job on."""
        is_on = self._switch("previews")
        self.said.emit(Message(self.tr("Previews are shown.") if is_on else self.tr("Previews are not shown.")))

    def a1111(self) -> None:
        """From the next job on."""
        if self._switch("a1111_parameters"):
            text = self.tr("New PNGs carry Automatic1111's settings beside Laterna's recipe.")
        else:
            text = self.tr("New PNGs carry Laterna's recipe alone.")
        self.said.emit(Message(text))

    def _switch(self, field: str) -> bool:
        is_on = not getattr(self._store.values, field)
        self._store.set(field, is_on)
        return is_on


class KeptPresets(QObject):
    """Those of every model, in the preferences.

    Signals: ``said(Message)``.
    """

    said = Signal(object)

    def __init__(self, session: Session, store: PreferenceStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._store = store

    def keep(self, name: str) -> None:
        """The form's settings under ``name``, for its model; one of that name is replaced."""
        recipe = settings_of(self._session.draft.recipe)
        self._store.set("presets", (*self._without(name, recipe.model), Preset(name, recipe)))
        self.said.emit(Message(self.tr("Kept as “{name}”.").format(name=name)))

    def remove(self, name: str) -> None:
        before = self._store.values.presets
        self._store.set("presets", self._without(name, self._session.draft.recipe.model))
        text = self.tr("“{name}” is removed.").format(name=name)
        back = Message(text, button=self.tr("Undo"), action=lambda: self._store.set("presets", before), topic="action")
        self.said.emit(back)

    def _without(self, name: str, model: str) -> tuple[Preset, ...]:
        return tuple(one for one in self._store.values.presets if (one.name, one.recipe.model) != (name, model))
