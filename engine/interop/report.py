"""What an import found: a recipe, and in plain sentences what became of everything else."""

from __future__ import annotations

import math
import secrets
from typing import Any

import msgspec

from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe

MAX_NOTES = 100
MAX_TEXT = 160
MAX_FILE_NAME = 255
MAX_LISTED = 8


class Missing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that the import names and this machine does not have.

    ``kind`` is model, text encoder, VAE, LoRA or picture; ``model`` the catalogue's id of a model that would do.
    """

    file: str
    kind: str
    model: str = ""

    def sentence(self) -> str:
        return f"{_not_here(self)} {_where_to_get(self)}".rstrip()


def _not_here(one: Missing) -> str:
    if one.kind == "model":
        return f"The model “{one.file}” is not on this machine."
    if one.kind == "LoRA":
        return f"The LoRA “{one.file}” is not on this machine."
    if one.kind == "picture":
        return f"The picture “{one.file}” is not on this machine."
    if one.kind == "VAE":
        return f"The VAE “{one.file}” is not on this machine."
    if one.kind == "text encoder":
        return f"The text encoder “{one.file}” is not on this machine."
    return f"The file “{one.file}” is not on this machine."


def _where_to_get(one: Missing) -> str:
    return f"It is {one.model} in Laterna's list of models." if one.model else ""


class ImportResult(msgspec.Struct, frozen=True):
    """``source`` names the program that wrote it. ``recipe`` is None where nothing could be made of it; ``words`` are
    then the prompt and the negative prompt, where they are known all the same."""

    source: str
    recipe: Recipe | None
    understood: tuple[str, ...] = ()
    approximated: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    words: tuple[str, str] = ("", "")


class Notes:
    """Collects the sentences of one import, each once; past ``MAX_NOTES`` of a kind the rest is counted."""

    def __init__(self) -> None:
        self.words = ("", "")
        self._lists: dict[str, dict[Any, None]] = {"understood": {}, "approximated": {}, "ignored": {}, "missing": {}}

    def understood(self, sentence: str) -> None:
        self._lists["understood"][sentence] = None

    def approximated(self, sentence: str) -> None:
        """Something came over, but not quite: the sentence says what is different."""
        self._lists["approximated"][sentence] = None

    def ignored(self, sentence: str) -> None:
        self._lists["ignored"][sentence] = None

    def only(self, sentence: str) -> None:
        """What is left of everything that was said once there is no recipe: why."""
        for found in self._lists.values():
            found.clear()
        self.ignored(sentence)

    def missing(self, file: str, kind: str, model: str = "") -> None:
        self._lists["missing"][Missing(shown(file), kind, model)] = None

    def result(self, source: str, recipe: Recipe | None) -> ImportResult:
        lists = {name: self._cut(list(values)) for name, values in self._lists.items()}
        return ImportResult(source, recipe, **lists, words=self.words if recipe is None else ("", ""))

    @staticmethod
    def _cut(values: list[Any]) -> tuple[Any, ...]:
        if len(values) <= MAX_NOTES:
            return tuple(values)
        rest = len(values) - MAX_NOTES
        last: Any = Missing(f"and {rest} more", "files") if isinstance(values[0], Missing) else f"And {rest} more."
        return (*values[:MAX_NOTES], last)


def shown(text: object) -> str:
    """Foreign text, short and on one line, for use in a sentence."""
    line = " ".join(str(text)[: 4 * MAX_TEXT].split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def listed(labels: list[str]) -> str:
    """Labels in a row, those beyond ``MAX_LISTED`` counted."""
    more = f" and {len(labels) - MAX_LISTED} more" if len(labels) > MAX_LISTED else ""
    return ", ".join(labels[:MAX_LISTED]) + more


def file_name(path: object) -> str:
    """The last part of a path of any system, as long as file names get: no folder that a file names is ever used."""
    return str(path)[-1000:].replace("\\", "/").rsplit("/", 1)[-1].strip("\0 ")[-MAX_FILE_NAME:]


def as_number(value: object) -> float | None:
    """A finite number out of foreign data, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def as_integer(value: object) -> int | None:
    """A whole number out of foreign data, exact even where a float is not, or None."""
    if isinstance(value, str) and value.strip().lstrip("+-").isdecimal() and len(value) < 40:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        return value
    found = as_number(value)
    return None if found is None else round(found)


def number(value: object, default: float) -> float:
    found = as_number(value)
    return default if found is None else found


def integer(value: object, default: int) -> int:
    found = as_integer(value)
    return default if found is None else found


def too_much(what: str) -> BadFile:
    return BadFile(f"This workflow {what}.", "Choose a workflow that ComfyUI can run.")


def drawn(seed: int, whose: str, notes: Notes) -> int:
    """``seed``, or one drawn now where a number below zero leaves it to chance."""
    if seed >= 0:
        return seed
    fresh = secrets.randbelow(2**32)
    notes.approximated(f"{whose} leaves the seed to chance ({seed}); {fresh} was drawn.")
    return fresh
