"""What a person types into the search field, as a question to the index that cannot fail.

    owl night            both words, each as the beginning of a word, in prompt, negative prompt, model, seed or tags
    "red apple"          these words in this order
    -snow, -tag:draft    not this
    prompt: negative: model: seed:      a word in this place only
    tag:owl album:"My trip"             a tag or album that begins so
    rating:4 rating:=4 rating:0         4 or 5 stars; exactly 4; none
    date:2026-11 date:2026-10..2026-11 date:>2026-06 date:today
    kind:clip kind:picture is:favourite is:missing

Terms are joined by "and". What is no such term is taken as words; one that is only half typed is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from engine.library import dates
from engine.library.filters import MOST, Condition, Conditions, created, labelled, negated, rated

MAX_TERMS = 16
MAX_WORD_CHARS = 64
MAX_CHARS = 4000
_TERM = re.compile(r'(-?)(?:([A-Za-z]+):)?(?:"([^"]*)"?|(\S+)|(?<=:))')
_WORD = re.compile(r"[^\W_]+")
_COLUMNS = {"prompt": "prompt", "negative": "negative_prompt", "model": "model", "seed": "seed"}
_RATING = re.compile(r"(=|>=)?([0-5])\+?")
_KINDS = {"image": "image", "picture": "image", "photo": "image", "video": "video", "clip": "video"}


class Search(msgspec.Struct, frozen=True):
    """``fts`` is an FTS5 query, "" where no words are searched for; ``conditions`` must hold besides.

    ``left_out``: terms that say nothing yet, such as ``rating:``.
    """

    fts: str = ""
    conditions: Conditions = ()
    left_out: tuple[str, ...] = ()


def parse(text: str) -> Search:
    """Punctuation inside words separates them and has no meaning: no string can be a syntax error."""
    words: list[str] = []
    conditions: list[Condition] = []
    left_out: list[str] = []
    for count, match in enumerate(_TERM.finditer(text[:MAX_CHARS])):
        if count >= MAX_TERMS:
            break
        minus, qualifier, phrase, plain = match.groups()
        value = phrase if phrase is not None else plain or ""
        name = (qualifier or "").lower()
        if name in _CONDITIONS:
            condition = _CONDITIONS[name](value)
            if condition is None:
                left_out.append(match[0])
            else:
                conditions.append(negated(condition) if minus else condition)
            continue
        query = _words(value, _COLUMNS.get(name, ""), phrase is not None)
        if name and name not in _COLUMNS:
            query = _words(f"{name} {value}", "", False)
        if not query:
            continue
        if minus:
            conditions.append(Condition("id NOT IN (SELECT rowid FROM search WHERE search MATCH ?)", (query,), True))
        else:
            words.append(query)
    return Search(" AND ".join(words), tuple(conditions), tuple(left_out))


def _words(text: str, column: str, phrase: bool) -> str:
    found = [word[:MAX_WORD_CHARS] for word in _WORD.findall(text)[:MAX_TERMS]]
    where = f"{column} : " if column else ""
    if phrase and found:
        return f'{where}"{" ".join(found)}"'
    whole = "" if column == "seed" else " *"
    return " AND ".join(f'{where}"{word}"{whole}' for word in found)


def _date(value: str) -> Condition | None:
    span = dates.parse(value)
    return created(*span) if span else None


def _rating(value: str) -> Condition | None:
    match = _RATING.fullmatch(value)
    if match is None:
        return None
    stars = int(match[2])
    return rated(stars, stars if match[1] == "=" or not stars else MOST)


def _kind(value: str) -> Condition | None:
    kind = next((kind for word, kind in _KINDS.items() if value and word.startswith(value.lower().rstrip("s"))), None)
    return Condition("kind = ?", (kind,)) if kind else None


def _is(value: str) -> Condition | None:
    low = value.lower()
    if low and ("favourite".startswith(low) or "favorite".startswith(low)):
        return Condition("favourite = 1", marks=True)
    return Condition("missing = 1") if low == "missing" else None


def _label(kind: str, value: str) -> Condition | None:
    return labelled(kind, value.strip(), prefix=True) if value.strip() else None


_CONDITIONS: dict[str, Callable[[str], Condition | None]] = {
    "date": _date,
    "rating": _rating,
    "kind": _kind,
    "is": _is,
    "tag": lambda value: _label("tag", value),
    "album": lambda value: _label("album", value),
}
