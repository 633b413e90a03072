"""The library's tables. A script that was released is never changed: the next one is added."""

from __future__ import annotations

# ``path`` is relative to the library's folder (with /) where the file lies below it, so the folder can move.
# ``revision`` counts the writes, so that a cached order notices those of another process.
# ``trashed`` is where a trashed file lies now; NULL means it is in the library.
_FIRST = """
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    fps REAL NOT NULL,
    created REAL NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    recipe TEXT,
    pixels_sha256 TEXT NOT NULL,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    seed TEXT NOT NULL,
    favourite INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0,
    trashed TEXT
);
CREATE UNIQUE INDEX items_path ON items (path) WHERE trashed IS NULL;
CREATE INDEX items_newest ON items (created DESC, id DESC, kind, favourite) WHERE trashed IS NULL;
CREATE VIRTUAL TABLE search USING fts5 (
    prompt, negative_prompt, model, seed,
    content = 'items', content_rowid = 'id', prefix = '1 2 3', detail = 'full',
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE revision (value INTEGER NOT NULL);
INSERT INTO revision VALUES (1);
CREATE TRIGGER items_added AFTER INSERT ON items BEGIN
    INSERT INTO search (rowid, prompt, negative_prompt, model, seed)
    VALUES (new.id, new.prompt, new.negative_prompt, new.model, new.seed);
END;
CREATE TRIGGER items_removed AFTER DELETE ON items BEGIN
    INSERT INTO search (search, rowid, prompt, negative_prompt, model, seed)
    VALUES ('delete', old.id, old.prompt, old.negative_prompt, old.model, old.seed);
END;
CREATE TRIGGER items_changed AFTER UPDATE OF prompt, negative_prompt, model, seed ON items BEGIN
    INSERT INTO search (search, rowid, prompt, negative_prompt, model, seed)
    VALUES ('delete', old.id, old.prompt, old.negative_prompt, old.model, old.seed);
    INSERT INTO search (rowid, prompt, negative_prompt, model, seed)
    VALUES (new.id, new.prompt, new.negative_prompt, new.model, new.seed);
END;
"""

MIGRATIONS = (_FIRST,)
