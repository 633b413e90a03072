"""The recipe in any file that a person may hand over: Laterna's own first, then those of other programs."""

from __future__ import annotations

from pathlib import Path

from engine.interop.model_files import KnownModels
from engine.interop.open_file import LATERNA, Importer, NoRecipe
from engine.interop.report import ImportResult
from engine.media import metadata
from engine.protocol.errors import BadFile

ONLY_OWN = (".gif",)


def import_file(path: Path, known: KnownModels) -> ImportResult:
    """What became of everything in ``path``; its recipe is None where nothing in it can be made. Raises ``BadFile``
    with a sentence where no program wrote anything into it that Laterna reads."""
    damage: BadFile | None = None
    if path.suffix.lower() in metadata.RECIPE_SUFFIXES:
        try:
            recipe, problem = metadata.read_recipe(path)
        except BadFile as error:
            recipe, problem, damage = None, "", error
        if recipe is not None:
            return ImportResult(LATERNA, recipe)
        if problem:
            raise BadFile(f"{path.name}: {problem}")
        if path.suffix.lower() in ONLY_OWN:
            raise damage or BadFile(f"{path.name} carries no recipe.", "Drop a file that Laterna made.")
    try:
        return Importer(known).open(path)
    except NoRecipe:
        raise damage or BadFile(
            f"{path.name} carries no recipe of any program that Laterna knows.",
            "Some sites take it out; choose the file as it was saved.",
        ) from None


def read_recipe_file(path: Path, known: KnownModels) -> ImportResult:
    """What made ``path``. Raises ``BadFile`` with a sentence where there is no recipe in it."""
    result = import_file(path, known)
    if result.recipe is None:
        raise BadFile(
            f"{path.name} holds nothing that Laterna can make.", *([result.ignored[0]] if result.ignored else [])
        )
    return result
