"""Captions of a composition, in many wordings and three languages.

A caption that names the background says one composition only, as in the first generation's `captions.py`: no size word
means the normal size, no place the centre, an enumeration goes from left to right.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from engine.world.english import ENGLISH
from engine.world.language import Language
from engine.world.looks import BACKGROUNDS
from engine.world.portuguese import PORTUGUESE
from engine.world.spanish import SPANISH
from engine.world.things import OF_ONE_COLOUR, THINGS

from .composition import Composition, Item

MOST_WORDS = 22
ABSENCE = 0.08  # share of captions that name something that is not there
_TOKENS = re.compile(r"[^\W\d_]+|\d|[^\w\s]")  # as the CLIP tokenizer splits
LANGUAGES: dict[str, Language] = {language.code: language for language in (ENGLISH, PORTUGUESE, SPANISH)}
SHARES = {"en": 0.6, "pt": 0.22, "es": 0.18}
_DRAWABLE = tuple(i for i, t in enumerate(THINGS) if t.name not in OF_ONE_COLOUR)


def _pick(rng: np.random.Generator, options):
    return options[rng.integers(len(options))]


def _noun(rng: np.random.Generator, language: Language, item: Item, article: bool, sized: bool) -> str:
    names = language.names(item.thing, plain=bool(item.colour))
    name = names[0] if rng.random() < 0.6 else _pick(rng, names)
    form = language.form(item.thing, item.count)
    colour = [_pick(rng, language.colours[item.colour])[form]] if item.colour else []
    size = [_pick(rng, language.sizes[item.size])[form]] if sized and language.sizes[item.size] else []
    if item.count > 1:
        number = str(item.count) if rng.random() < 0.15 else language.numbers[item.count - 1][form]
        if item.count == 3 and rng.random() < 0.25:
            number = ""  # a plural alone
        return language.phrase(item.thing, name, item.count, colour, [number] if number else [])
    words = [*size, *colour] if language.adjective_first else [*colour, *size]
    phrase = language.phrase(item.thing, name, 1, words, [])
    if not article:
        return phrase
    if language.article:
        return f"the {phrase}" if rng.random() < 0.1 else language.article(phrase)
    return f"{(language.definite if rng.random() < 0.1 else language.indefinite)[form]} {phrase}"


def _single(rng: np.random.Generator, language: Language, item: Item, bare: bool) -> str:
    noun = _noun(rng, language, item, rng.random() < (0.4 if bare else 0.8), sized=True)
    if item.count > 1 or (item.place == "centre" and rng.random() < (0.9 if bare else 0.6)):
        return noun
    place = _pick(rng, language.places[item.place])
    return f"{place}, {noun}" if rng.random() < 0.08 else f"{noun} {place}"


def _listed(rng: np.random.Generator, language: Language, parts: list[str]) -> str:
    if rng.random() < 0.75 or len(parts) == 1:
        return f"{', '.join(parts[:-1])} {language.both} {parts[-1]}" if len(parts) > 1 else parts[0]
    return ", ".join(parts)


def _together(rng: np.random.Generator, language: Language, items: tuple[Item, ...], bare: bool) -> str:
    article = rng.random() < 0.85
    counted = any(i.count > 1 for i in items)
    sized = not counted and len(items) == 2  # three of anything are small: it goes without saying
    nouns = [_noun(rng, language, i, article, sized) for i in items]
    in_row = items[0].place == "left"
    if len(items) == 3 or (in_row and rng.random() < (0.7 if counted else 0.5 if bare else 0.3)):
        return _listed(rng, language, nouns)
    order = (0, 1) if rng.random() < 0.5 else (1, 0)
    (a, b), (first, second) = (nouns[o] for o in order), (items[o] for o in order)
    if rng.random() < 0.55 and not counted:
        return f"{a} {_pick(rng, language.relations[first.place])} {language.of(b)}"
    joint = f" {language.both} " if rng.random() < 0.7 else ", "
    return f"{a} {_pick(rng, language.places[first.place])}{joint}{b} {_pick(rng, language.places[second.place])}"


def _absence(rng: np.random.Generator, language: Language, composition: Composition) -> str:
    """Words about something that is not there."""
    while True:
        other = int(_pick(rng, _DRAWABLE))
        if other not in {i.thing for i in composition.items}:
            break
    name = language.noun(other).names[0]
    if rng.random() < 0.5:
        name = language.plural(name) if not language.noun(other).gender.endswith("p") else name
    elif language.code == "en":
        name = ENGLISH.article(name) if rng.random() < 0.6 else name
        return f"{language.without[0]} {name}"
    return f"{_pick(rng, (*language.without, *language.but_no[:1]))} {name}"


def _behind(rng: np.random.Generator, language: Language, background: int) -> tuple[str, bool]:
    """The words, and whether they attach without a comma."""
    names, phrases = language.sceneries[BACKGROUNDS[background]]
    if phrases and rng.random() < 0.5:
        return _pick(rng, phrases), True
    name = names[0] if rng.random() < 0.7 else _pick(rng, names)
    if rng.random() < 0.75:
        return _pick(rng, language.backdrop).replace("%", name), False
    return _pick(rng, language.on_backdrop).replace("%", name), True


def _styled(rng: np.random.Generator, language: Language, style: str, body: str) -> str:
    phrase = _pick(rng, language.styles[style])
    if not phrase.endswith("%"):
        return phrase.replace("%", body)
    return phrase.replace(" de %", f" {language.of(body)}").replace("%", body)


def _worded(composition: Composition, rng: np.random.Generator, language: Language, background: bool,
            absence: float) -> str:  # fmt: skip
    items = composition.items
    body = (_single(rng, language, items[0], not background) if len(items) == 1
            else _together(rng, language, items, not background))  # fmt: skip
    if rng.random() < absence:
        body = f"{body} {_absence(rng, language, composition)}"
    outside = composition.style and rng.random() < 0.4
    if composition.style and not outside:
        body = _styled(rng, language, composition.style, body)
    elif language.code == "en" and not composition.style and rng.random() < 0.05:
        body = f"{_pick(rng, ('a picture of', 'a photo of', 'a drawing of', 'an image of', 'there is'))} {body}"
    if background:
        words, attaches = _behind(rng, language, composition.background)
        if rng.random() < 0.12:
            body = f"{words}, {body}"
        else:
            body = f"{body} {words}" if attaches and rng.random() < 0.7 else f"{body}, {words}"
    if outside:
        body = _styled(rng, language, composition.style, body)
    if language.code != "en" and rng.random() < 0.2:
        body = without_accents(body)
    return body + "." if rng.random() < 0.03 else body


def caption(composition: Composition, rng: np.random.Generator, background: bool = True, language: str = "",
            absence: float = ABSENCE) -> str:  # fmt: skip
    """One wording, lower case, at most MOST_WORDS words and marks long; `language` "" draws one; `absence` is how often
    it names something that is not there."""
    while True:
        code = language or _pick_language(rng)
        text = _worded(composition, rng, LANGUAGES[code], background, absence)
        if len(_TOKENS.findall(text)) <= MOST_WORDS:
            return text


def _pick_language(rng: np.random.Generator) -> str:
    return str(rng.choice(list(SHARES), p=list(SHARES.values())))


def without_accents(text: str) -> str:
    """As people type on a keyboard that lacks the letters."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
