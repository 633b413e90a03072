"""Days as a person types them: ``2026``, ``2026-11``, ``2026-11-22``, ``today``, ``2026-10..2026-11``, ``>2026-06``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_WORDS = {"today": 0, "yesterday": 1}


class Span(NamedTuple):
    """Seconds since the epoch, the end excluded; None where it is open."""

    since: float | None
    until: float | None


def parse(text: str, now: datetime | None = None) -> Span | None:
    """The days that ``text`` names, in local time; None where it names none."""
    text = text.strip().lower()
    if ".." in text:
        first, last = text.split("..", 1)
        since = _one(first, now) if first else None
        until = _one(last, now) if last else None
        if (first and since is None) or (last and until is None) or not (first or last):
            return None
        return Span(since[0] if since else None, until[1] if until else None)
    if text[:1] in ("<", ">"):
        including = text[1:2] == "="
        found = _one(text[2 if including else 1 :], now)
        if found is None:
            return None
        if text[0] == "<":
            return Span(None, found[1] if including else found[0])
        return Span(found[0] if including else found[1], None)
    found = _one(text, now)
    return Span(*found) if found else None


def _one(text: str, now: datetime | None) -> tuple[float, float] | None:
    now = now or datetime.now()
    if text in _WORDS:
        day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=_WORDS[text])
        return day.timestamp(), (day + timedelta(days=1)).timestamp()
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, day_number = (int(part) if part else 0 for part in match.groups())
    try:
        first = datetime(year, month or 1, day_number or 1)
        if day_number:
            after = first + timedelta(days=1)
        elif month:
            after = datetime(year + month // 12, month % 12 + 1, 1)
        else:
            after = datetime(year + 1, 1, 1)
        return first.timestamp(), after.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
