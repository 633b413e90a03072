"""What a model with a closed vocabulary is asked instead of what a person wrote: only words that it knows.

A thing that it does not know becomes the nearest one that it does ("dragon": dinosaur), in whatever language and
number it was written; a typing error its nearest spelling; what shall be absent, and every other stranger, is left
out. An empty prompt, or one of which nothing is left, becomes one of the model's examples, by the seed. What was
changed is told. A text of known words alone stays as it is, so an adapted prompt is adapted no further and a recipe
made of it says it all.
"""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import msgspec

from engine.prompt.known_words import KIN, words_of
from engine.protocol.family_info import ModelInfo
from engine.protocol.recipe import Recipe
from engine.world.english import ENGLISH
from engine.world.english import article as english_article
from engine.world.language import Language
from engine.world.looks import COLOURS, MOST
from engine.world.portuguese import PORTUGUESE
from engine.world.spanish import SPANISH
from engine.world.things import THING_INDEX, THINGS

LANGUAGES: tuple[Language, ...] = (ENGLISH, PORTUGUESE, SPANISH)
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
MOST_CHARS = 2000  # of a longer text such a model reads next to nothing
_MOST_NAME = 5  # words
_PASSES = 4
_ABSENT = frozenset(("without", "sem", "sin"))
_NO_LEAD = frozenset((",", "and", "but", "with"))
_LINK_WORDS = """
a an the on in at of to with by from under over and near for is are it um uma o os as de do da em no na e com para por
ao à un el la los las del al en y con sobre bajo some my
"""
_LINKS = frozenset(_LINK_WORDS.split())
_FOREIGN = {"un": "a", "una": "a", "el": "the", "la": "the", "los": "the", "las": "the", "y": "and", "con": "with"}
_OPEN = frozenset(("of", "de", "with", "com", "con", "and", "e", "y"))  # words that begin nothing
_ARTICLES = {"a": "and", "an": "and", "the": "and", "um": "e", "uma": "e", "un": "y", "una": "y"}
_STOPS = frozenset((",", ".", ";", "and", "but", "e", "y", "mas", "pero"))


# the first thing of each sort in the table, and what is nearest to that sort in general
_SORTS = {
    "red apple": "gift", "mouse": "cat, dog, bear", "crocodile": "dinosaur, turtle, frog", "shark": "fish, whale",
    "snail": "bee, butterfly, ladybug", "bird": "owl, chicken, penguin", "pear": "red apple, orange, apple",
    "tomato": "red apple, strawberry, mushroom", "bread": "pizza, burger, donut", "oak tree": "tree", "flower": "rose",
    "volcano": "tree, sun, moon", "lightning": "star, sun", "office building": "house, castle",
    "taxi": "red car, car, bus", "ship": "sailboat, boat", "watch": "gift, robot", "baby": "robot, snowman, ghost",
    "skull": "ghost",
}  # fmt: skip


_MARKUP = re.compile(r"[()\[\]{}<>|:]")


class Change(msgspec.Struct, frozen=True):
    """``word`` as written; ``instead`` what is asked in its place, "" where it is left out."""

    word: str
    instead: str


class Adapted(msgspec.Struct, frozen=True):
    """``surprise``: nothing was asked that could be drawn, and the text is one of the model's examples."""

    text: str
    changes: tuple[Change, ...] = ()
    surprise: bool = False


class _Name(msgspec.Struct, frozen=True):
    thing: int
    language: str


def bare(word: str) -> str:
    """Lower case, without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))


@cache
def _names() -> dict[str, _Name]:
    """Every name and plural of every thing, without accents; English before the others."""
    found: dict[str, _Name] = {}
    for language in LANGUAGES:
        for index, thing in enumerate(THINGS):
            for name in thing.nouns[language.code].names:
                for form in (name, language.plural(name)):
                    found.setdefault(bare(form).replace("-", " "), _Name(index, language.code))
    return found


@cache
def _company(thing: int) -> tuple[str, ...]:
    """What is of the same sort as a thing, by the table's order of sorts."""
    starts = [(THING_INDEX[first], tuple(names.split(", "))) for first, names in _SORTS.items()]
    return next((names for start, names in reversed(starts) if thing >= start), ())


@cache
def _sceneries() -> dict[str, str]:
    """Every phrase that places something before a background, and every "… background": the background."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for background, (names, phrases) in language.sceneries.items():
            backdrops = [
                b.replace("%", n) for n in names for b in (*language.backdrop, *language.on_backdrop) if b != "%"
            ]
            for phrase in (*phrases, *backdrops):
                found.setdefault(bare(phrase), background)
    return found


@cache
def _places() -> dict[str, str]:
    return {bare(p): ENGLISH.places[place][0] for words in LANGUAGES for place, ps in words.places.items() for p in ps}


@cache
def _colours() -> frozenset[str]:
    return frozenset(
        bare(form) for words in LANGUAGES for forms in words.colours.values() for one in forms for form in one.values()
    )


@cache
def _numbers() -> frozenset[str]:
    words = {bare(form) for language in LANGUAGES for forms in language.numbers[1:] for form in forms.values()}
    return frozenset(
        (*words, *map(str, range(2, 100)), "several", "many", "some", "couple", "pair", "varios", "muitos")
    )


class _Known(msgspec.Struct, frozen=True):
    entries: dict[str, str]  # without accents: as the vocabulary has it
    words: frozenset[str]
    any_colour: bool

    @classmethod
    def of(cls, vocabulary: Sequence[str], any_colour: bool) -> _Known:
        entries = {bare(entry).replace("-", " "): entry for entry in reversed(vocabulary)}
        words = {part for entry in vocabulary for part in words_of(entry)}
        if any(form in words for form in ENGLISH.numbers[1].values()):
            words |= {str(number) for number in range(2, MOST + 1)}
        return cls(entries, frozenset(words), any_colour)

    def name_of(self, thing: int, language: str) -> str:
        """A name of the thing that the model knows, in that language or another; "" where it knows none."""
        order = sorted(LANGUAGES, key=lambda one: one.code != language)
        names = (n for one in order for n in THINGS[thing].nouns[one.code].names)
        return next((n for n in names if bare(n).replace("-", " ") in self.entries), "")

    def kin_of(self, thing: int) -> str:
        """The nearest known thing by meaning, in English; "" where none is near."""
        for name in THINGS[thing].nouns["en"].names:
            for word in (name, *reversed(name.split())):
                for other in (word, *KIN.get(word, ())):
                    if other in self.entries and other in _names():
                        return other
        return next((name for name in _company(thing) if name in self.entries), "")


def adapt(
    text: str, vocabulary: Sequence[str], examples: Sequence[str], seed: int = 0, any_colour: bool = False
) -> Adapted:
    """``text`` in the words of ``vocabulary``; without one the model reads anything, and it stays.
    So does one longer than MOST_CHARS. ``any_colour`` as in ``ModelInfo``."""
    if not vocabulary or len(text) > MOST_CHARS:
        return Adapted(text)
    known = _Known.of(vocabulary, any_colour)
    changes: list[Change] = []
    adapted = text
    for _ in range(_PASSES):  # a word put in may stand beside another that is wrong only there
        before = len(changes)
        tokens = [token.replace("’", "'") for token in _TOKEN.findall(adapted)]
        made = _joined(_translated(_present(tokens, changes), known, changes), known) if tokens else []
        if not any(_says_something(word, known) for word in made):
            return _surprise(text, changes, examples, seed)
        if len(changes) == before:
            break
        adapted = _written(made)
    return Adapted(adapted, _worth_telling(changes))


def _surprise(text: str, changes: list[Change], examples: Sequence[str], seed: int) -> Adapted:
    if not examples:
        return Adapted(text)
    return Adapted(examples[seed % len(examples)], _worth_telling(changes), surprise=True)


def _worth_telling(changes: list[Change]) -> tuple[Change, ...]:
    """Each once; that an article was said in another language is of no interest."""
    return tuple(change for change in dict.fromkeys(changes) if change.word.lower() not in _FOREIGN)


def adapt_recipe(recipe: Recipe, info: ModelInfo) -> tuple[Recipe, Adapted]:
    """A job's recipe in the words of its model. It stays where a LoRA may know more words than the model, and where the
    prompt holds weights."""
    if recipe.adapters or _MARKUP.search(recipe.prompt):
        return recipe, Adapted(recipe.prompt)
    adapted = adapt(recipe.prompt, info.vocabulary, info.examples, recipe.seed, info.any_colour)
    return recipe.replace(prompt=adapted.text), adapted


def _says_something(written: str, known: _Known) -> bool:
    return any(word in known.words and word not in _LINKS | _arranging() for word in words_of(written))


@cache
def _arranging() -> frozenset[str]:
    """Words that say where and how big something is, but not what."""
    phrases = [
        p for language in LANGUAGES for ps in (*language.places.values(), *language.relations.values()) for p in ps
    ]
    sizes = [f for language in LANGUAGES for forms in language.sizes.values() for one in forms for f in one.values()]
    pictures = "picture photo drawing image painting foto imagem desenho pintura nice cute beautiful background fundo"
    return frozenset(word for phrase in (*phrases, *sizes, pictures) for word in words_of(phrase))


def _present(tokens: list[str], changes: list[Change]) -> list[str]:
    """Without what shall be absent: it was named only to be left out."""
    kept: list[str] = []
    index = 0
    while index < len(tokens):
        word = bare(tokens[index])
        before = bare(kept[-1]) if kept else ","
        thing = _match(tokens, index + 1)[1]
        says_no = word in _ABSENT or (word == "no" and before in _NO_LEAD and thing is not None
                                      and thing.language == "en")  # fmt: skip
        if not says_no:
            kept.append(tokens[index])
            index += 1
            continue
        end = index + 1
        while end < len(tokens) and bare(tokens[end]) not in _STOPS and end - index <= _MOST_NAME:
            end += 1
        changes.append(Change(" ".join(tokens[index:end]), ""))
        while kept and bare(kept[-1]) in _STOPS | _NO_LEAD:
            kept.pop()
        index = end
    return kept


def _match(tokens: list[str], start: int) -> tuple[int, _Name | None]:
    """How many tokens from ``start`` on are the longest name of a thing."""
    for length in range(min(_MOST_NAME, len(tokens) - start), 0, -1):
        name = _names().get(" ".join(bare(token).replace("-", " ") for token in tokens[start : start + length]))
        if name is not None:
            return length, name
    return 0, None


def _translated(tokens: list[str], known: _Known, changes: list[Change]) -> list[str]:
    """Every token in the model's words; "" stands where some were left out."""
    made: list[str] = []
    index = 0
    while index < len(tokens):
        length, name = _match(tokens, index)
        written = " ".join(tokens[index : index + length])
        if name is not None and not all(_is_known(token, known) for token in tokens[index : index + length]):
            made += _thing(written, name, known, changes)
            index += length
            continue
        phrase = _phrase(tokens, index, known)
        if phrase is not None:
            length, instead = phrase
            changes.append(Change(" ".join(tokens[index : index + length]), instead))
            made += instead.split(" ")
            index += length
            continue
        token = tokens[index]
        if token.lower() in _FOREIGN and not _is_known(token, known):
            changes.append(Change(token, _FOREIGN[token.lower()]))
            made.append(_FOREIGN[token.lower()])
            index += 1
            continue
        if (bare(token) in _numbers() and token.lower() not in known.words) or (
            bare(token) in _colours() and _is_of_a_thing(tokens, index, known)
        ):
            changes.append(Change(token, ""))
        elif not token[0].isalnum() or _is_known(token, known):
            made.append(token)
        else:
            made += _stranger(token, known, changes)
        index += 1
    return made


def _phrase(tokens: list[str], start: int, known: _Known) -> tuple[int, str] | None:
    """How many tokens place things in a way that the model does not know, and what says the same in English."""
    for length in range(min(_MOST_NAME + 1, len(tokens) - start), 1, -1):
        part = tokens[start : start + length]
        if all(_is_known(token, known) for token in part):
            continue
        words = " ".join(map(bare, part))
        background = _sceneries().get(words, "")
        if background and background in known.entries:
            phrases = ENGLISH.sceneries[background][1]
            return length, phrases[0] if phrases else f"{background} background"
        if words in _places():
            return length, _places()[words]
    return None


def _is_known(token: str, known: _Known) -> bool:
    return token.lower() in known.words


def _is_of_a_thing(tokens: list[str], index: int, known: _Known) -> bool:
    """Whether the colour is said of a thing, which the model draws in its own colours only."""
    if known.any_colour:
        return False
    if not any(" " in entry and entry in _names() and bool(_colours() & set(entry.split())) for entry in known.entries):
        return False  # the list does not say which things it knows in which colours
    if tokens[index + 1 : index + 2] == ["background"] or bare(tokens[index - 1]) in ("fundo", "fondo"):
        return False
    after, name = _match(tokens, index + 1)
    phrase = " ".join(bare(token) for token in tokens[index : index + 1 + after])
    if name is not None and (name.language == "en" or bare(tokens[index]) in COLOURS):
        return phrase not in known.entries
    for length in range(1, min(_MOST_NAME, index) + 1):  # "gato preto": behind it
        name = _names().get(" ".join(bare(token) for token in tokens[index - length : index]))
        if name is not None and name.language != "en":
            whole = " ".join(bare(token) for token in tokens[index - length : index + 1])
            return whole not in known.entries
    return False


def _thing(written: str, name: _Name, known: _Known, changes: list[Change]) -> list[str]:
    if bare(written).replace("-", " ") in known.entries:
        return [written]
    instead = known.name_of(name.thing, name.language) or known.kin_of(name.thing)
    changes.append(Change(written, instead))
    return [instead]


def _stranger(token: str, known: _Known, changes: list[Change]) -> list[str]:
    """What was likely meant by a typing error, or a kin; else nothing."""
    word = token.lower()
    instead = _spelled(word, known.words) or next((kin for kin in KIN.get(word, ()) if kin in known.words), "")
    if not instead:
        thing = _names().get(_spelled(bare(word), frozenset(name for name in _names() if " " not in name)))
        instead = (known.name_of(thing.thing, thing.language) or known.kin_of(thing.thing)) if thing else ""
    if bare(instead) in _colours() and bare(word) not in _colours():
        instead = ""  # "dark" is no colour of a thing
    changes.append(Change(token, instead))
    return [instead]


def _spelled(word: str, among: frozenset[str]) -> str:
    """The one that `word` is a typing error of; of short words many are other words."""
    alike = 0.79 if len(word) > 5 else 0.88
    fitting = sorted(one for one in among if one[:1] == word[:1])
    return next(iter(difflib.get_close_matches(word, fitting, 1, alike)), "") if len(word) > 3 else ""


def _joined(words: list[str], known: _Known) -> list[str]:
    """Where words between two things were left out, "and" stands; what leads nowhere goes too."""
    made: list[str] = []
    gap = False
    for word in words:
        if not word:
            gap = True
            continue
        if gap and made and made[-1].lower() not in _LINKS and word.lower() in _ARTICLES:
            joint = _ARTICLES[word.lower()]
            made.append(joint if joint in known.words else ",")
        gap = False
        if word.lower() in _LINKS and word.lower() not in _ARTICLES and made and made[-1].lower() in _ARTICLES:
            made.pop()  # its noun was left out
        if not made and word.lower() in _OPEN:
            continue
        if word in ",.;" or word.lower() in ("and", "e", "y"):
            while made and made[-1].lower() in _LINKS | {","}:
                made.pop()
            if not made:
                continue
        made.append(word)
    while made and (made[-1].lower() in _LINKS or not made[-1][0].isalnum()):
        made.pop()
    return made


def _written(words: list[str]) -> str:
    for index, (article, noun) in enumerate(itertools.pairwise(words)):
        if article in ("a", "an") and noun[0].isalpha():
            words[index] = english_article(noun).split(" ")[0] if english_article(noun) != noun else article
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(words))
