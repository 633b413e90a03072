"""File names that say what is inside, are safe on every system, and never take another file's place."""

from __future__ import annotations

import itertools
import os
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_SLUG_CHARS = 48
MAX_SLUG_BYTES = 120
MAX_NAME_BYTES = 255


def slug(text: str) -> str:
    """``text`` in small letters and digits of any writing, with hyphens between words; "untitled" if empty.

    At most ``MAX_SLUG_CHARS``, and ``MAX_SLUG_BYTES`` in UTF-8, cut between words. Accents over Latin letters go, so
    that such names can be typed; of a text that is only emoji, their names are taken.
    """
    head = unicodedata.normalize("NFKC", text[: MAX_SLUG_CHARS * 8].lower())
    plain = _joined(map(_plain, head)) or _joined(_named(sign) for sign in head)
    cut = cut_bytes(plain[:MAX_SLUG_CHARS], MAX_SLUG_BYTES)
    if len(cut) < len(plain) and plain[len(cut)] != "-" and (last := cut.rfind("-")) > 0:
        cut = cut[:last]
    return cut.strip("-") or "untitled"


def cut_bytes(text: str, most: int) -> str:
    """The beginning of ``text`` that takes at most ``most`` bytes in UTF-8; no character is cut in two."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _plain(sign: str) -> str:
    """A letter or digit as it stands in a name, or a hyphen. Marks belong to letters of many writings."""
    base = unicodedata.normalize("NFKD", sign)[:1]
    if base.isascii() and base.isalnum():
        return base
    return sign if unicodedata.category(sign)[0] in "LNM" else "-"


def _named(sign: str) -> str:
    return unicodedata.name(sign, "").lower() + "-" if unicodedata.category(sign) == "So" else ""


def _joined(parts: Iterable[str]) -> str:
    words = re.split(r"[-\s]+", "".join(parts))
    bare = ("".join(itertools.dropwhile(unicodedata.combining, word)) for word in words)
    return "-".join(filter(None, bare))


def file_stem(prompt: str, seed: int, when: float) -> str:
    """``<date>_<time>_<prompt slug>_<seed>`` in local time; it begins with a digit, so no reserved name can come up."""
    return f"{time.strftime('%Y-%m-%d_%H%M%S', time.localtime(when))}_{slug(prompt)}_{seed}"


def unused_stem(folder: Path, stem: str) -> str:
    """``stem``, or ``stem-2``, ``stem-3`` … so that neither a PNG nor an MP4, nor a batch of them, is there yet."""
    try:
        taken = [name for name in map(_folded, os.listdir(folder)) if name.startswith(_folded(stem))]
    except OSError:
        taken = []
    for candidate in _numbered(stem):
        low = _folded(candidate)
        if not any(name.startswith((f"{low}.", f"{low}_")) for name in taken):
            return candidate
    raise AssertionError("unreachable: the numbers do not end")


def unused(path: Path) -> Path:
    """``path``, or ``<stem>-2<suffix>`` … beside it, whichever does not exist."""
    return next(found for found in numbered(path) if not os.path.lexists(found))


def numbered(path: Path) -> Iterator[Path]:
    """``path``, ``<stem>-2<suffix>``, ``<stem>-3<suffix>`` … beside it, without end."""
    yield path
    for number in itertools.count(2):
        end = f"-{number}{path.suffix}"
        room = MAX_NAME_BYTES - len(os.fsencode(end))
        yield path.with_name((path.stem if len(os.fsencode(path.stem)) <= room else cut_bytes(path.stem, room)) + end)


def _folded(name: str) -> str:
    """What makes names equal on systems that see neither capitals nor how accents are written."""
    return unicodedata.normalize("NFC", name).casefold()


def _numbered(stem: str) -> itertools.chain[str]:
    return itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
