"""File names that say what is inside, are safe on every system, and never take another file's place."""

from __future__ import annotations

import itertools
import os
import re
import time
import unicodedata
from pathlib import Path

MAX_SLUG_CHARS = 48
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """``text`` in a–z, 0–9 and hyphens, at most ``MAX_SLUG_CHARS``, cut between words; "untitled" if empty."""
    head = unicodedata.normalize("NFKD", text[: MAX_SLUG_CHARS * 8]).encode("ascii", "ignore").decode().lower()
    plain = _NOT_PLAIN.sub("-", head).strip("-")
    if len(plain) > MAX_SLUG_CHARS:
        cut = plain.rfind("-", 0, MAX_SLUG_CHARS + 1)
        plain = plain[: cut if cut > 0 else MAX_SLUG_CHARS]
    return plain or "untitled"


def file_stem(prompt: str, seed: int, when: float) -> str:
    """``<date>_<time>_<prompt slug>_<seed>`` in local time; it begins with a digit, so no reserved name can come up."""
    return f"{time.strftime('%Y-%m-%d_%H%M%S', time.localtime(when))}_{slug(prompt)}_{seed}"


def unused_stem(folder: Path, stem: str) -> str:
    """``stem``, or ``stem-2``, ``stem-3`` … so that neither a PNG nor an MP4, nor a batch of them, is there yet."""
    try:
        taken = [name for name in map(str.casefold, os.listdir(folder)) if name.startswith(stem.casefold())]
    except OSError:
        taken = []
    for candidate in _numbered(stem):
        low = candidate.casefold()
        if not any(name.startswith((f"{low}.", f"{low}_")) for name in taken):
            return candidate
    raise AssertionError("unreachable: the numbers do not end")


def unused(path: Path) -> Path:
    """``path``, or ``<stem>-2<suffix>`` … beside it, whichever does not exist."""
    for candidate in _numbered(path.stem):
        found = path.with_name(candidate + path.suffix)
        if not found.exists():
            return found
    raise AssertionError("unreachable: the numbers do not end")


def _numbered(stem: str) -> itertools.chain[str]:
    return itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
