"""The recipe in any file that a person may hand over: Laterna's own first, then those of other programs."""

from __future__ import annotations

from pathlib import Path

from engine.interop.model_files import KnownModels
from engine.interop.open_file import LATERNA, Importer
from engine.interop.report import ImportResult
from engine.media import metadata
from engine.protocol.errors import BadFile

OWN_SUFFIXES = (".png", ".mp4")


def read_recipe_file(path: Path, known: KnownModels) -> ImportResult:
    """What made ``path``. Raises ``BadFile`` with a sentence where there is no recipe in it."""
    if path.suffix.lower() in OWN_SUFFIXES:
        info = metadata.read(path)
        if info.recipe is not None:
            return ImportResult(LATERNA, info.recipe)
        if info.recipe_problem:
            raise BadFile(f"{path.name}: {info.recipe_problem}")
        if info.kind == "video":
            raise BadFile(f"{path.name} carries no recipe.", "Drop a file that Laterna made.")
    result = Importer(known).open(path)
    if result.recipe is None:
        raise BadFile(
            f"{path.name} holds nothing that Laterna can make.", *([result.ignored[0]] if result.ignored else [])
        )
    return result
