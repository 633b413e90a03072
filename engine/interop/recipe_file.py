"""The recipe in any file that a person may hand over: Laterna's own first, then those of other programs."""

from __future__ import annotations

from pathlib import Path

from engine.interop.model_files import KnownModels
from engine.interop.open_file import LATERNA, Importer
from engine.interop.report import ImportResult
from engine.media import metadata
from engine.protocol.errors import BadFile

ONLY_OWN = (".mp4", ".gif")


def read_recipe_file(path: Path, known: KnownModels) -> ImportResult:
    """What made ``path``. Raises ``BadFile`` with a sentence where there is no recipe in it."""
    if path.suffix.lower() in metadata.RECIPE_SUFFIXES:
        recipe, problem = metadata.read_recipe(path)
        if recipe is not None:
            return ImportResult(LATERNA, recipe)
        if problem:
            raise BadFile(f"{path.name}: {problem}")
        if path.suffix.lower() in ONLY_OWN:
            raise BadFile(f"{path.name} carries no recipe.", "Drop a file that Laterna made.")
    result = Importer(known).open(path)
    if result.recipe is None:
        raise BadFile(
            f"{path.name} holds nothing that Laterna can make.", *([result.ignored[0]] if result.ignored else [])
        )
    return result
