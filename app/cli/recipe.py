"""``recipe``: what made a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.cli.output import print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.media import metadata
from engine.protocol.errors import BadFile


def run(arguments: Namespace, paths: Paths) -> int:
    info = metadata.read(Path(arguments.file))
    if info.recipe is None:
        raise BadFile(f"{arguments.file} carries no recipe.", "Only files that Laterna made carry one.")
    if arguments.json:
        print_json(info)
    else:
        print(msgspec.json.format(info.recipe.to_json(), indent=2))
    return 0
