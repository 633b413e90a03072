"""Who carries out an action that needs a widget, by the action's name in ``ui.action_table``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ui.action_table import ROWS
from ui.generate.panel import GeneratePanel

if TYPE_CHECKING:
    from ui.library.gallery import GalleryPanel
    from ui.player.view_panel import ViewPanel

AnswersByName = Mapping[str, Callable[[], object]]
_NAMES = frozenset(row.name for row in ROWS)


class Answers:
    """Each part adds its own once it is there. An action whose part is not there yet does nothing."""

    def __init__(self) -> None:
        self._by_name: dict[str, Callable[[], object]] = {}

    def add(self, answers: AnswersByName) -> None:
        unknown = answers.keys() - _NAMES
        if unknown:
            raise ValueError(f"no such action: {', '.join(sorted(unknown))}")
        self._by_name |= answers

    @property
    def names(self) -> Iterable[str]:
        return self._by_name.keys()

    def run(self, name: str) -> None:
        answer = self._by_name.get(name)
        if answer is not None:
            answer()


def of_form(form: GeneratePanel) -> AnswersByName:
    return {
        "focus_prompt": form.prompts.prompt.setFocus,
        "prompt_history": form.prompts.open_history,
        "edit_styles": form.prompts.edit_styles_wanted.emit,
        "reset_field": form.reset_focused,
        "toggle_advanced": form.disclosure.toggle,
    }


def of_view(view: ViewPanel) -> AnswersByName:
    return {
        "export_frame": view.export_frame,
        "export_copy": view.save_copy,
        "export_clip": view.export_clip,
        "zoom_in": partial(view.canvas.zoom_by, 1.25),
        "zoom_out": partial(view.canvas.zoom_by, 0.8),
        "zoom_fit": view.canvas.fit,
        "zoom_full": partial(view.canvas.set_zoom, 1.0),
        "mark_in": partial(view.mark, "in"),
        "mark_out": partial(view.mark, "out"),
        "mark_none": partial(view.mark, "none"),
        "play_pause": view.toggle_play,
    }


def of_gallery(gallery: GalleryPanel) -> AnswersByName:
    return {
        "next_item": partial(gallery.step, 1),
        "previous_item": partial(gallery.step, -1),
        "focus_search": gallery.focus_search,
    }
