"""``PromptTools``: styles, wildcards and the person's own prompts, for whatever shows or uses them. Threaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from engine.jobs.variations import BOTH_TEXTS, Axis, vary
from engine.prompt.expand import combinations, count_combinations, expand, varies
from engine.prompt.styles import Style, StyleStore
from engine.prompt.templates import is_template
from engine.prompt.wildcards import Wildcards
from engine.protocol.errors import LaternaError
from engine.protocol.family_info import ModelInfo
from engine.protocol.recipe import Recipe
from ui.background import Background
from ui.draft import Draft

Texts = list[tuple[str, str]]


def _known(recipe: Recipe, info: ModelInfo) -> str:
    from engine.prompt.adapt import adapt_recipe  # not before the window is shown: it knows three languages

    return adapt_recipe(recipe, info)[0].prompt


class PromptSource(Protocol):
    """What it uses of ``engine.library.library.Library``; called on a thread."""

    def prompts(self, text: str = "", limit: int = 50) -> list[str]: ...


class PromptTools(QObject):
    """Signals: ``changed`` after the styles or the wildcards' names did, ``failed(LaternaError)``."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, styles: StyleStore, wildcards: Wildcards, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = styles
        self.wildcards = wildcards
        self.styles: tuple[Style, ...] = ()
        self.wildcard_names: tuple[str, ...] = ()
        self._library: PromptSource | None = None
        self._background = Background(1, self)

    def attach_library(self, library: PromptSource) -> None:
        self._library = library

    def load(self) -> None:
        """Read styles and wildcards (again); ``changed`` follows where they differ."""
        self._background.run(lambda: (self._store.all(), self.wildcards.names()), self._loaded, self.failed.emit)

    def close(self) -> None:
        self._background.close()

    def style(self, id: str) -> Style | None:
        return next((style for style in self.styles if style.id == id), None)

    def save(self, style: Style, then: Callable[[Style], None] = lambda _style: None) -> None:
        def saved(made: Style) -> None:
            self.load()
            then(made)

        self._background.run(lambda: self._store.save(style), saved, self.failed.emit)

    def remove(self, id: str) -> None:
        self._background.run(lambda: self._store.remove(id), lambda _none: self.load(), self.failed.emit)

    def texts(
        self, draft: Draft, info: ModelInfo, then: Callable[[Texts], None], failed: Callable[[LaternaError], None]
    ) -> None:
        """Prompt and negative prompt of each of the draft's jobs, in words that the model knows; none at all where they
        are the draft's own."""
        recipe, style = draft.recipe, self.style(draft.style)
        if not varies(recipe.prompt, recipe.negative_prompt, style) and not info.vocabulary:
            then([])
            return

        def draw() -> Texts:
            seeds = range(recipe.seed, recipe.seed + draft.count)
            texts = (recipe.prompt, recipe.negative_prompt)
            made = [(seed, expand(*texts, style, seed, self.wildcards.lines)) for seed in seeds]
            found = [(_known(recipe.replace(prompt=one.prompt, seed=seed), info), one.negative) for seed, one in made]
            return [] if set(found) == {texts} else found

        self._background.run(draw, then, failed)

    def grid_texts(
        self,
        draft: Draft,
        info: ModelInfo,
        axes: tuple[Axis, ...],
        then: Callable[[Texts], None],
        failed: Callable[[LaternaError], None],
    ) -> None:
        """As ``texts``, for the jobs of a grid; texts that are an axis of it are final."""
        recipe, style = draft.recipe, self.style(draft.style)

        def draw() -> Texts:
            made = [one for one, _label in vary(recipe, axes)]
            if any(axis.field == BOTH_TEXTS for axis in axes):
                return [(one.prompt, one.negative_prompt) for one in made]
            drawn = [expand(one.prompt, one.negative_prompt, style, one.seed, self.wildcards.lines) for one in made]
            asked = zip(made, drawn, strict=True)
            return [(_known(one.replace(prompt=two.prompt), info), two.negative) for one, two in asked]

        self._background.run(draw, then, failed)

    def combinations(self, draft: Draft, then: Callable[[Texts], None], failed: Callable[[LaternaError], None]) -> None:
        """Every text that the draft's alternatives can become; none where it has no alternatives."""
        recipe, style = draft.recipe, self.style(draft.style)
        if not self.has_alternatives(draft):
            then([])
            return
        self._background.run(
            lambda: combinations(recipe.prompt, recipe.negative_prompt, style, self.wildcards.lines), then, failed
        )

    def count_combinations(self, draft: Draft, then: Callable[[int], None]) -> None:
        """How many ``combinations`` would give; 1 where there are no alternatives, or one of them has no lines."""
        recipe, style = draft.recipe, self.style(draft.style)
        if not self.has_alternatives(draft):
            then(1)
            return

        def counted() -> int:
            return count_combinations(recipe.prompt, recipe.negative_prompt, style, self.wildcards.lines)

        self._background.run(counted, then, lambda _error: then(1))

    def has_alternatives(self, draft: Draft) -> bool:
        style = self.style(draft.style)
        texts = (draft.recipe.prompt, draft.recipe.negative_prompt)
        return any(map(is_template, style.apply(*texts) if style is not None else texts))

    def find_prompts(self, text: str, limit: int, then: Callable[[list[str]], None]) -> None:
        """The person's own prompts that hold ``text``, newest first; none while the library is not open."""
        library = self._library
        if library is None:
            then([])
        else:
            self._background.run(lambda: library.prompts(text, limit), then, self.failed.emit)

    def _loaded(self, found: tuple[Sequence[Style], Iterable[str]]) -> None:
        styles, names = tuple(found[0]), tuple(found[1])
        if (styles, names) != (self.styles, self.wildcard_names):
            self.styles, self.wildcard_names = styles, names
            self.changed.emit()


def no_tools(parent: QObject) -> PromptTools:
    """No styles, no wildcards, no earlier prompts."""
    nowhere = Path("/nonexistent")
    return PromptTools(StyleStore(nowhere, nowhere), Wildcards(nowhere), parent)
