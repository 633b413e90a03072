"""Values out of another program's JSON, whatever stands there instead of what is expected."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from engine.interop.report import Notes, listed, shown

_SIZE = re.compile(r"\(?\s*(\d{1,9})\s*[,x×*]\s*(\d{1,9})\s*\)?")
MAX_LIST_TEXT = 20_000
Data = Mapping[str, Any]


def text(value: Any) -> str:
    """A text or a number as text; "" for anything else."""
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


def dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def size(value: Any) -> tuple[str, str] | None:
    """Width and height out of "832x1216" or "(832, 1216)"."""
    found = _SIZE.match(text(value).strip())
    return (found[1], found[2]) if found else None


def items(value: Any) -> list[Any]:
    """A list, or one that is written as a text (JSON, or as Python shows it); one value alone is a list of one."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "(") and len(value) <= MAX_LIST_TEXT:
        for read in (json.loads, ast.literal_eval):
            try:
                value = read(value)
                break
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value in (None, "", "None") else [value]


def loads(value: Any) -> Any:
    """The JSON in a text, or what is no text as it is; None where there is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        return None


def without(data: Data, program: str, names: Mapping[str, str], notes: Notes) -> None:
    """Name those of ``names`` (key → what it is) that a file uses and a recipe has no place for."""
    used = [what for key, what in names.items() if data.get(key) not in (None, "", "None", "none", [], {}, False, 0)]
    if used:
        notes.ignored(f"{program} also used {listed([shown(what) for what in used])}, which a recipe has no place for.")
