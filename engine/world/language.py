"""A language's words for the world, and the noun phrases made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.world.things import THINGS, Noun, plainly

Forms = Mapping[str, str]  # by gender and number: "m", "f", "mp", "fp"; "" where a language has no genders


@dataclass(frozen=True)
class Language:
    """`places` and `relations` are by the English name of a place; `sceneries` gives the words after (or before)
    "background" and the phrases that place something there; a style's `%` is where the thing goes."""

    code: str
    adjective_first: bool
    indefinite: Forms
    definite: Forms
    numbers: tuple[Forms, ...]  # one to six
    colours: Mapping[str, tuple[Forms, ...]]
    sizes: Mapping[str, tuple[Forms, ...]]
    plural: Callable[[str], str]
    places: Mapping[str, tuple[str, ...]]
    relations: Mapping[str, tuple[str, ...]]
    both: str  # "and"
    without: tuple[str, ...]
    but_no: tuple[str, ...]
    backdrop: tuple[str, ...]  # "% background"
    on_backdrop: tuple[str, ...]
    sceneries: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    styles: Mapping[str, tuple[str, ...]]
    of: Callable[[str], str]  # a phrase behind a relation
    article: Callable[[str], str] | None = None  # "an" before a vowel

    def noun(self, thing: int) -> Noun:
        return THINGS[thing].nouns[self.code]

    def names(self, thing: int, plain: bool) -> tuple[str, ...]:
        """`plain`: without a colour of their own ("apple", not "red apple")."""
        names = self.noun(thing).names
        if not plain:
            return names
        if self.code == "en":
            return plainly(thing)
        colours = {form for forms in self.colours.values() for one in forms for form in one.values()}
        return tuple(n for n in names if n.split()[-1] not in colours) or names

    def form(self, thing: int, count: int) -> str:
        """The key of its `Forms`."""
        gender = self.noun(thing).gender
        return gender if not gender or gender.endswith("p") else gender + "p" * (count > 1)

    def phrase(self, thing: int, name: str, count: int, words: list[str], before: list[str]) -> str:
        """Number, adjectives and name; `words` are adjectives in their usual place, `before` those put before."""
        name = self.plural(name) if count > 1 and not self.noun(thing).gender.endswith("p") else name
        return " ".join([*before, *words, name] if self.adjective_first else [*before, name, *words])


def single_form(word: str) -> Forms:
    return dict.fromkeys(("", "m", "f", "mp", "fp"), word)


def o_form(word: str, masculine: str = "o", feminine: str = "a") -> Forms:
    """ "vermelh" as vermelho, vermelha, vermelhos, vermelhas."""
    return {"m": word + masculine, "f": word + feminine, "mp": word + masculine + "s", "fp": word + feminine + "s"}


def two_forms(one: str, many: str) -> Forms:
    return {"m": one, "f": one, "mp": many, "fp": many}
