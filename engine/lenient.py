"""JSON that a person may have edited, as values of a type: what does not fit is left out by itself, and named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from engine.texts import text_of

T = TypeVar("T")
_STRING_OR_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.DOTALL)


def decode(raw: bytes) -> Any:
    """JSON with what editors and people add: a byte-order mark, UTF-16, a comma before a closing bracket, a line's end
    in a string, NaN. Bytes that are no text become lone surrogates, which ``convert`` refuses. Raises ``ValueError`` or
    ``RecursionError``."""
    text = text_of(raw, "surrogateescape")
    plain = _STRING_OR_COMMA.sub(lambda found: found[0] if found[0] != "," else "", text)
    return json.loads(plain, strict=False, parse_constant=lambda _name: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def read(raw: bytes, type: type[T], otherwise: T) -> T:
    """What of ``raw`` fits ``type``: one bad entry loses no other. ``otherwise`` where nothing does."""
    try:
        return convert(decode(raw), type, otherwise)[0]
    except (ValueError, RecursionError):
        return otherwise


def convert(value: Any, type: type[T], otherwise: T) -> tuple[T, list[str]]:
    """``value`` as ``type``, and the names (``drafts.image.count``) of what had to be left out. ``otherwise`` where
    nothing of it fits."""
    left_out: list[str] = []
    made = _convert(value, type, "", left_out)
    return (otherwise if made is msgspec.UNSET else made), left_out


def _convert(value: Any, type: Any, name: str, left_out: list[str]) -> Any:
    """``UNSET`` where it does not fit, which is in ``left_out`` then."""
    try:
        msgspec.json.encode(value)  # a lone surrogate is no text
        return msgspec.convert(value, type)
    except (msgspec.ValidationError, UnicodeEncodeError, RecursionError, OverflowError):
        pass
    parts = _parts(value, type)
    if parts is None:
        left_out.append(name.lstrip(".") or "all of it")
        return msgspec.UNSET
    named, build = parts
    made = {}
    for key, (one, one_type) in named.items():
        kept = _convert(one, one_type, f"{name}.{key}", left_out)
        if kept is not msgspec.UNSET:
            made[key] = kept
    try:
        return build(made)
    except (TypeError, msgspec.ValidationError):  # what it cannot be without was left out
        left_out.append(name.lstrip(".") or "all of it")
        return msgspec.UNSET


def _parts(value: Any, type: Any) -> tuple[dict[Any, tuple[Any, Any]], Callable[[dict[Any, Any]], Any]] | None:
    """What ``value`` is made of, each with its type, and what makes ``type`` of what is left; None for one value."""
    origin, inner = get_origin(type), get_args(type)
    if isinstance(value, dict) and isinstance(type, msgspec.StructMeta):
        struct: Any = type
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        named = {fields[key].name: (one, fields[key].type) for key, one in value.items() if key in fields}
        return named, lambda made: type(**made)
    if isinstance(value, dict) and origin is dict:
        named = {key: (one, inner[1]) for key, one in value.items() if _fits(key, inner[0])}
        return named, lambda made: made
    if isinstance(value, list) and origin in (tuple, list) and (origin is list or inner[-1] is ...):
        return {i: (one, inner[0]) for i, one in enumerate(value)}, lambda made: origin(made.values())
    union = [one for one in inner if isinstance(one, msgspec.StructMeta)]
    return _parts(value, union[0]) if len(union) == 1 else None


def _fits(key: Any, type: Any) -> bool:
    try:
        msgspec.convert(key, type)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False
    return True
