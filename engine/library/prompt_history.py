"""The person's own prompts out of the library, for the prompt field's history and completion."""

from __future__ import annotations

import re
from sqlite3 import Connection

ROWS_LOOKED_AT = 4000  # among the newest; a prompt used for a thousand pictures must not hide the others
MAX_WORDS = 12
_WORD = re.compile(r"[^\W_]+")


def prompts(connection: Connection, text: str = "", limit: int = 50) -> list[str]:
    """Prompts of what is not in the trash that hold every word of ``text``, each as the beginning of a word; every
    prompt once, newest first, at most ``limit``."""
    words = _WORD.findall(text[:400])[:MAX_WORDS]
    if words:
        query = " ".join(f'prompt : "{word[:64]}"*' for word in words)
        rows = connection.execute(
            "SELECT prompt FROM items WHERE id IN (SELECT rowid FROM search WHERE search MATCH ?"
            " ORDER BY rowid DESC LIMIT ?) AND trashed IS NULL ORDER BY created DESC, id DESC",
            (query, ROWS_LOOKED_AT),
        )
    else:
        rows = connection.execute(
            "SELECT prompt FROM items WHERE trashed IS NULL ORDER BY created DESC, id DESC LIMIT ?", (ROWS_LOOKED_AT,)
        )
    found: dict[str, None] = {}
    for (prompt,) in rows:
        if prompt.strip():
            found.setdefault(prompt)
            if len(found) >= limit:
                break
    return list(found)
