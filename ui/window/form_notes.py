"""What the next job will take and how long its result is, above the button; and the change that would make it fit."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.memory.remedies import Remedy
from ui.forecasts import Forecasts
from ui.formats import number
from ui.generate.panel import GeneratePanel
from ui.session import Session


class FormNotes(QObject):
    def __init__(self, form: GeneratePanel, session: Session, estimate: Forecasts, parent: QObject) -> None:
        super().__init__(parent)
        self._form, self._session, self._estimate = form, session, estimate
        form.forecast.remedy_wanted.connect(self._apply)
        estimate.changed.connect(self.tell)

    def tell(self) -> None:
        recipe, estimate = self._session.draft.recipe, self._estimate
        self._form.forecast.show_forecast(estimate.current, estimate.is_warm)
        if self._session.kind == "video":
            length = recipe.frames / max(1, recipe.fps)
            right = self.tr("{seconds} s long").format(seconds=number(length, 1))
        else:
            megapixels = recipe.width * recipe.height / 1e6
            right = self.tr("{count} megapixels").format(count=number(megapixels, 1)) if megapixels >= 0.2 else ""
        self._form.set_note(right if self._session.model is not None else "")

    def _apply(self, remedy: Remedy) -> None:
        draft = self._session.draft
        self._session.replace(draft.replace(recipe=remedy.apply(draft.recipe)))
