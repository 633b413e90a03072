"""What a person types into the search field, as an FTS5 query that cannot fail."""

from __future__ import annotations

import re

MAX_WORDS = 16
MAX_WORD_CHARS = 64
_WORD = re.compile(r"[^\W_]+")


def fts_query(text: str) -> str:
    """An FTS5 query for rows that hold every word of ``text``, each as the beginning of a word; "" if it has none.

    Punctuation separates words and has no meaning: no string can be a syntax error or reach another column.
    """
    words = _WORD.findall(text)[:MAX_WORDS]
    return " ".join(f'"{word[:MAX_WORD_CHARS]}"*' for word in words)
