"""Every file of the corpus says to Laterna what was written down for it by hand, and nothing else.

``make.py`` writes the files; the readings come from the programs' own rules, not from what Laterna made of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.interop.model_files import KnownModels
from engine.interop.open_file import Importer
from engine.interop.report import ImportResult
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadFile
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe
from tests.corpus.reading import HERE, MEASURES, Reading

FILES = sorted(
    path
    for path in HERE.glob("*/*")
    if not path.name.endswith(".reading.json") and path.suffix != ".py" and "__pycache__" not in path.parts
)
MODELS = KnownModels(
    {id: "sd35" for id in ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium")}
    | {
        id: "cogvideox"
        for id in ("cogvideox-2b", "cogvideox-5b", "cogvideox-5b-i2v", "cogvideox-1.5-5b", "cogvideox-1.5-5b-i2v")
    },
    {"ab" * 32: "sd3.5-large"},
    ("kites.safetensors", "harbour-style.safetensors"),
    lambda: {"c0ffee001122" + "0" * 52: "harbour-style.safetensors"},
)


def said(recipe: Recipe, program: str) -> Reading:
    """A recipe in the words of a reading."""
    start = recipe.input_of("start", "first_frame")
    return Reading(
        program,
        recipe.prompt,
        recipe.negative_prompt,
        recipe.model,
        family=recipe.family,
        batch=recipe.batch,
        loras=[
            [one.name, one.strength, *([] if one.text_strength is None else [one.text_strength])]
            for one in recipe.adapters
        ],
        start=[start.path, start.strength] if start is not None else [],
        **{name: getattr(recipe, name) for name in MEASURES},
    )


def differences(result: ImportResult, reading: Reading) -> list[str]:
    """In what an import is not what the file says."""
    if result.recipe is None:
        return (
            []
            if reading.refused and any(reading.refused in line for line in result.ignored)
            else [f"refused: {result.ignored}"]
        )
    if reading.refused:
        return [f"a recipe, though it is {reading.refused}"]
    found = said(result.recipe, result.source)
    wanted = Reading(
        **{**vars(reading), "lost": [], "missing": [], "seed": found.seed if reading.seed is None else reading.seed}
    )
    wrong = [
        f"{name} is {value!r}, not {getattr(wanted, name)!r}"
        for name, value in vars(found).items()
        if value != getattr(wanted, name)
    ]
    lines = [*result.approximated, *result.ignored]
    wrong += [f"not said: {part}" for part in reading.lost if not any(part in line for line in lines)]
    wrong += [f"said as well: {line}" for line in lines if not any(part in line for part in reading.lost)]
    here = [one.file for one in result.missing]
    return wrong + ([f"missing are {here}, not {reading.missing}"] if sorted(here) != sorted(reading.missing) else [])


@pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_a_file_says_is_read(file: Path) -> None:
    reading = Reading.beside(file)
    try:
        result = Importer(MODELS).open(file)
    except BadFile as error:
        assert reading.refused and reading.refused in error.message, error.message
        return
    assert differences(result, reading) == []
    if result.recipe is not None:
        validate(result.recipe, FAMILIES[result.recipe.family])


def test_there_are_enough_of_each_kind() -> None:
    assert len([path for path in FILES if path.parent.name == "metadata"]) >= 140
    assert len([path for path in FILES if path.parent.name == "graphs"]) >= 400
