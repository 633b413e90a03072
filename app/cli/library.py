"""``library``: search it, add files to it, check it, rebuild its database."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from app.cli.output import print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.library.library import Library
from engine.protocol.errors import BadArguments


def run(arguments: Namespace, paths: Paths) -> int:
    with closing(Library(paths.library_database, paths.output)) as library:
        return {"search": _search, "add": _add, "check": _check, "rebuild": _rebuild}[arguments.action](
            arguments, library
        )


def _search(arguments: Namespace, library: Library) -> int:
    ids = library.ids(text=" ".join(arguments.terms))
    items = library.items(ids[: max(0, arguments.limit)])
    if arguments.json:
        print_json({"found": len(ids), "items": items})
        return 0
    for item in items:
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created))
        print(f"{day}  {item.width}×{item.height}  {item.path}")
        if item.recipe is not None:
            print(f"    {item.recipe.prompt[:200]}")
    if len(ids) > len(items):
        print(f"… and {len(ids) - len(items)} more (--limit).")
    return 0


def _add(arguments: Namespace, library: Library) -> int:
    if not arguments.terms:
        raise BadArguments("There is no file to add.", "Name one or more PNG or MP4 files.")
    items = [library.add(Path(term)) for term in arguments.terms]
    if arguments.json:
        print_json({"added": items})
    else:
        print(f"Added {len(items)}.")
    return 0


def _check(arguments: Namespace, library: Library) -> int:
    found = library.check()
    if arguments.json:
        print_json({"ok": found.ok, "check": found})
        return 0
    for title, lines in (
        ("missing", [str(path) for path in found.missing]),
        ("not in the database", [str(path) for path in found.unknown]),
        ("damaged", [f"{path}: {sentence}" for path, sentence in found.damaged]),
        ("database", list(found.database_problems)),
    ):
        for line in lines:
            print(f"{title}: {line}")
    print(f"{found.items} items: in order." if found.ok else "`library rebuild` makes the database anew.")
    return 0


def _rebuild(arguments: Namespace, library: Library) -> int:
    library.rebuild()
    count = len(library.ids())
    if arguments.json:
        print_json({"items": count})
    else:
        print(f"Rebuilt: {count} pictures and clips.")
    return 0
