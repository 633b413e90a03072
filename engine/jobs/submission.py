"""From what a person asks for to the jobs on the queue."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from engine.jobs.job import Job
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import MAX_SEED, validate
from engine.protocol.recipe import Recipe

MAX_COUNT = 1000


def make_jobs(
    recipe: Recipe, model_folder: Path | str, count: int = 1, output_folder: str = "", file_stem: str = ""
) -> tuple[Job, ...]:
    """``count`` jobs with the seeds ``seed``, ``seed + 1``, …; from the second on a ``file_stem`` gets ``-2`` ….

    Raises ``BadRecipe`` for the first setting that is not allowed.
    """
    check(recipe, count)
    now = time.time()
    return tuple(
        Job(
            id=uuid.uuid4().hex,
            recipe=recipe.replace(seed=recipe.seed + number),
            model_folder=str(model_folder),
            created=now,
            output_folder=str(output_folder),
            file_stem=f"{file_stem}-{number + 1}" if file_stem and number else file_stem,
        )
        for number in range(count)
    )


def check(recipe: Recipe, count: int = 1) -> None:
    """Raise ``BadRecipe`` with field, sentence and remedy where ``count`` jobs of ``recipe`` cannot run."""
    family = FAMILIES.get(recipe.family)
    if family is None:
        raise BadRecipe(
            f"This Laterna knows no family “{recipe.family}”.", f"It runs {', '.join(FAMILIES)}.", field="family"
        )
    validate(recipe, family)
    if not 1 <= count <= MAX_COUNT:
        raise BadRecipe(f"The count is {count}; it must be from 1 to {MAX_COUNT}.", "Choose another.", field="count")
    if recipe.seed > MAX_SEED - (count - 1):
        raise BadRecipe("The seeds of these jobs would pass the largest one.", "Choose a lower seed.", field="seed")
    try:
        recipe.to_json()
    except UnicodeEncodeError as error:
        raise BadRecipe("The prompt holds broken characters.", "Type it again.", field="prompt") from error
