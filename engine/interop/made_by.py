"""What another program says of a picture or clip in the library: for the index, without a report."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engine.interop.model_files import KnownModels
from engine.interop.open_file import LATERNA, Importer
from engine.protocol.errors import KnownError
from engine.protocol.recipe import Recipe


class MadeBy(NamedTuple):
    """``recipe`` is None where Laterna has no model of the kind; the words are there all the same, as far as told."""

    program: str = ""
    recipe: Recipe | None = None
    prompt: str = ""
    negative_prompt: str = ""


NOBODY = MadeBy()


def made_by(path: Path) -> MadeBy:
    """``NOBODY`` where no program that Laterna reads wrote anything into ``path``, or it cannot be read."""
    try:
        found = Importer(KnownModels()).open(path)
    except (KnownError, OSError):
        return NOBODY
    if found.source == LATERNA:
        return NOBODY
    if found.recipe is not None:
        return MadeBy(found.source, found.recipe, found.recipe.prompt, found.recipe.negative_prompt)
    return MadeBy(found.source, None, *found.words) if any(found.words) else NOBODY
