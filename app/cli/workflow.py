"""``workflow``: other programs' files as recipes, and recipes as theirs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.cli.output import in_encoding, print_json
from app.cli.parser import Namespace
from app.cli.target import write_whole
from app.known_models import known_models
from app.paths import Paths
from engine.files import PICTURE_LIMIT, read_regular
from engine.interop import a1111, embedded, png_texts
from engine.interop.comfy_export import export_workflow
from engine.interop.recipe_file import import_file
from engine.interop.report import ImportResult, Missing
from engine.protocol.errors import BadArguments, BadFile, from_os_error
from engine.protocol.recipe import Recipe

ENDINGS = (".json", ".txt", ".png")


def run(arguments: Namespace, paths: Paths) -> int:
    action, files = ("export", arguments.files[1:]) if arguments.files[0] == "export" else ("import", arguments.files)
    if len(files) != 1:
        raise BadArguments(f"There are {len(files)} files; it takes one.", "Name one file.")
    source = Path(files[0])
    result = import_file(source, known_models(paths))
    out = Path(arguments.out) if arguments.out else None
    if action == "export":
        return _export(source, result, out, arguments.json)
    if result.recipe is not None and out is not None:
        write_whole(out, msgspec.json.format(result.recipe.to_json(), indent=2).encode() + b"\n")
    if arguments.json:
        print_json(result)
    else:
        _print(result, out)
    return 0 if result.recipe is not None else BadFile.exit_code


def _print(result: ImportResult, out: Path | None) -> None:
    for title, lines in (
        ("Understood", result.understood),
        ("Approximated", result.approximated),
        ("Ignored", result.ignored),
        ("Missing", result.missing),
    ):
        if lines:
            print(f"{title}:")
            for line in lines:
                print(f"  {line.sentence() if isinstance(line, Missing) else line}")
    if result.recipe is None:
        print("There is no recipe in this file.")
    elif out is None:
        print(in_encoding(msgspec.json.format(result.recipe.to_json(), indent=2)))


def _export(source: Path, result: ImportResult, out: Path | None, as_json: bool) -> int:
    if result.recipe is None:
        raise BadFile(f"{source.name} has no recipe to export.", "Choose a recipe, or a file that Laterna made.")
    if out is not None and out.suffix.lower() not in ENDINGS:
        raise BadArguments(f"--out is {out.name}.", "Name a .json, .txt or .png file.")
    exported = export_workflow(result.recipe)
    if out is not None:
        write_whole(out, _content(source, result.recipe, exported.graph, out.suffix.lower()))
    if as_json:
        print_json({"graph": exported.graph, "differences": exported.differences})
        return 0
    for line in (*result.approximated, *exported.differences):
        print(line)
    if out is None:
        print(in_encoding(msgspec.json.format(msgspec.json.encode(exported.graph), indent=2).decode()))
    return 0


def _content(source: Path, recipe: Recipe, graph: dict[str, object], ending: str) -> bytes:
    if ending == ".json":
        return msgspec.json.format(msgspec.json.encode(graph), indent=2) + b"\n"
    text = a1111.write(recipe)
    if ending == ".txt":
        return text.encode() + b"\n"
    try:
        picture = read_regular(source, PICTURE_LIMIT)
    except OSError as error:
        raise from_os_error(error, "reading the picture", source) from error
    if not embedded.is_png(picture[:16]):
        raise BadArguments(f"{source.name} is no PNG, and --out is one.", "Name a .json or .txt file.")
    return png_texts.add(picture, {a1111.KEY: text, "prompt": msgspec.json.encode(graph).decode()})
