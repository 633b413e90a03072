"""``recipe``: what made a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.cli.output import in_encoding, print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.media import metadata
from engine.protocol.errors import BadFile


def run(arguments: Namespace, paths: Paths) -> int:
    path = Path(arguments.file)
    recipe, problem = metadata.read_recipe(path)
    if recipe is None:
        raise BadFile(f"{path} carries no recipe. {problem}".strip(), "Only files that Laterna made carry one.")
    if not arguments.json:
        print(in_encoding(msgspec.json.format(recipe.to_json(), indent=2)))
    elif path.suffix.lower() in metadata.SUFFIXES:
        print_json(metadata.read(path))
    else:
        print_json({"recipe": recipe})
    return 0
