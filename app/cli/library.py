"""``library``: search it, add files to it, check it, rebuild its database."""

from __future__ import annotations

import sys
import time
from array import array
from contextlib import closing
from pathlib import Path

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.cli.path_arguments import path_argument
from app.paths import Paths
from engine.library.library import Library
from engine.library.search import parse
from engine.protocol.errors import BadArguments, BadFile


def run(arguments: Namespace, paths: Paths) -> int:
    with closing(Library(paths.library_database, paths.output)) as library:
        action = {"search": _search, "add": _add, "check": _check, "rebuild": _rebuild}[arguments.action]
        try:
            return action(arguments, library)
        finally:
            _say_damage(library)


def _search(arguments: Namespace, library: Library) -> int:
    if arguments.limit < 1:
        raise BadArguments(f"--limit is {arguments.limit}.", "Take 1 or more.")
    text = " ".join(arguments.terms)
    try:
        ids = library.ids(text=text)
        items = library.items(ids[: arguments.limit])
    except BadFile:  # damage that only reading finds
        ids, items = array("q"), []
    if not ids and _heal(library):
        ids = library.ids(text=text)
        items = library.items(ids[: arguments.limit])
    for term in parse(text).left_out:
        print(f"laterna: “{term}” is no such term, and was left out.", file=sys.stderr)
    if arguments.json:
        print_json({"found": len(ids), "items": items})
        return 0
    for item in items:
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created))
        print(f"{day}  {item.width}×{item.height}  {item.path}")
        if item.recipe is not None:
            print(f"    {item.recipe.prompt[:200]}")
    if not ids:
        print("Nothing was found.")
    if len(ids) > len(items):
        print(f"… and {len(ids) - len(items)} more (--limit).")
    return 0


def _heal(library: Library) -> bool:
    """Nothing was found: is that true, or is the index empty or damaged? Then it is made anew, and that is said."""
    progress = ProgressLine()
    progress.show("Looking through the library")
    was_healed = library.heal()
    progress.end()
    if was_healed:
        print("laterna: The library's index was made anew from the files.", file=sys.stderr)
    return was_healed


def _say_damage(library: Library) -> None:
    if library.damage is not None:
        print(f"laterna: {library.damage.sentence()}", file=sys.stderr)


def _add(arguments: Namespace, library: Library) -> int:
    if not arguments.terms:
        raise BadArguments("There is no file to add.", "Name one or more PNG or MP4 files.")
    items, refused = [], []
    for term in arguments.terms:
        try:
            items.append(library.add(Path(path_argument(term))))
        except BadFile as error:
            refused.append(error.info())
    if arguments.json:
        print_json({"added": items, "refused": refused})
    else:
        print(f"Added: {len(items)}.")
    for info in refused:
        print(f"laterna: {info.sentence()}", file=sys.stderr)
    return BadFile.exit_code if refused else 0


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
        ("not followed, it leads nowhere or around the library", [str(path) for path in found.not_followed]),
    ):
        for line in lines:
            print(f"{title}: {line}")
    print(f"In order. Pictures and clips: {found.items}." if found.ok else "`library rebuild` makes the database anew.")
    return 0


def _rebuild(arguments: Namespace, library: Library) -> int:
    library.rebuild()
    count = len(library.ids())
    if arguments.json:
        print_json({"items": count})
    else:
        print(f"Rebuilt. Pictures and clips: {count}.")
    return 0
