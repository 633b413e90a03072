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

# ``identity`` is what a file is recognised by when it moves: the SHA-256 of its pixels, or of the file where it carries
# none. ``marks`` mirrors the sidecar (``engine.library.sidecar``): what a person said about a file, the newest word on
# each field; ``journals`` says how far each of its files was read. What ``items`` and ``labels`` say follows from it.
_SECOND = """
ALTER TABLE items ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN rating INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE items ADD COLUMN albums TEXT NOT NULL DEFAULT '[]';
UPDATE items SET identity = pixels_sha256;
CREATE INDEX items_identity ON items (identity);
CREATE INDEX items_model ON items (model) WHERE trashed IS NULL;
DROP INDEX items_newest;
CREATE INDEX items_newest ON items (created DESC, id DESC, kind, favourite, rating) WHERE trashed IS NULL;
CREATE TABLE labels (
    kind TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    item INTEGER NOT NULL,
    PRIMARY KEY (kind, name, item)
) WITHOUT ROWID;
CREATE INDEX labels_item ON labels (item);
CREATE TABLE marks (
    identity TEXT NOT NULL,
    path TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    clock INTEGER NOT NULL,
    writer TEXT NOT NULL,
    PRIMARY KEY (identity, path, field)
) WITHOUT ROWID;
CREATE TABLE journals (
    writer TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('writer', lower(hex(randomblob(6))));
DROP TRIGGER items_added;
DROP TRIGGER items_removed;
DROP TRIGGER items_changed;
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    prompt, negative_prompt, model, seed, tags,
    content = 'items', content_rowid = 'id', prefix = '1 2 3', detail = 'full',
    tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO search (search) VALUES ('rebuild');
CREATE TRIGGER items_added AFTER INSERT ON items BEGIN
    INSERT INTO search (rowid, prompt, negative_prompt, model, seed, tags)
    VALUES (new.id, new.prompt, new.negative_prompt, new.model, new.seed, new.tags);
END;
CREATE TRIGGER items_removed AFTER DELETE ON items BEGIN
    INSERT INTO search (search, rowid, prompt, negative_prompt, model, seed, tags)
    VALUES ('delete', old.id, old.prompt, old.negative_prompt, old.model, old.seed, old.tags);
    DELETE FROM labels WHERE item = old.id;
END;
CREATE TRIGGER items_changed AFTER UPDATE OF prompt, negative_prompt, model, seed, tags ON items BEGIN
    INSERT INTO search (search, rowid, prompt, negative_prompt, model, seed, tags)
    VALUES ('delete', old.id, old.prompt, old.negative_prompt, old.model, old.seed, old.tags);
    INSERT INTO search (rowid, prompt, negative_prompt, model, seed, tags)
    VALUES (new.id, new.prompt, new.negative_prompt, new.model, new.seed, new.tags);
END;
"""

# ``trashed_at`` is when it was deleted, in seconds since the epoch; 0 where nobody knows.
_THIRD = """
ALTER TABLE items ADD COLUMN trashed_at REAL NOT NULL DEFAULT 0;
CREATE INDEX items_trashed ON items (trashed_at DESC, id DESC) WHERE trashed IS NOT NULL;
"""

# What the file was made by from another, NULL where nothing was.
_FOURTH = """
ALTER TABLE items ADD COLUMN derivation TEXT;
"""

# Which other program made the file, "" for Laterna; what is known of none yet is read again.
_FIFTH = """
ALTER TABLE items ADD COLUMN program TEXT NOT NULL DEFAULT '';
UPDATE items SET modified = -1 WHERE recipe IS NULL AND derivation IS NULL AND trashed IS NULL;
"""

MIGRATIONS = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)
