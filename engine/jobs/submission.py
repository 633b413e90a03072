"""From what a person asks for to the jobs on the queue."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from engine.derive.kinds import kind_of
from engine.jobs.job import NO_RECIPE, Job
from engine.jobs.variations import Axis, vary
from engine.library import file_names
from engine.models.catalog import family_of
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import MAX_SEED, validate
from engine.protocol.recipe import Recipe

MAX_COUNT = 1000


def make_jobs(
    recipe: Recipe,
    model_folder: Path | str,
    count: int = 1,
    output_folder: str = "",
    file_stem: str = "",
    texts: Sequence[tuple[str, str]] = (),
) -> tuple[Job, ...]:
    """``count`` jobs with the seeds ``seed``, ``seed + 1``, …; from the second on a ``file_stem`` gets ``-2`` ….

    ``texts`` are prompt and negative prompt of each job, where they are not the recipe's.

    More than one of them are a group. Raises ``BadRecipe`` for the first setting that is not allowed.
    """
    check(recipe, count)
    recipes = [recipe.replace(seed=recipe.seed + number) for number in range(count)]
    for number, (prompt, negative) in enumerate(texts[:count]):
        recipes[number] = recipes[number].replace(prompt=prompt, negative_prompt=negative)
        check(recipes[number])
    return _jobs([(one, f"seed {one.seed}") for one in recipes], model_folder, output_folder, file_stem)


def make_variations(
    recipe: Recipe,
    model_folder: Path | str,
    axes: Sequence[Axis],
    output_folder: str = "",
    file_stem: str = "",
    texts: Sequence[tuple[str, str]] = (),
) -> tuple[Job, ...]:
    """A job for every combination of the values of one or two settings, as one group; ``texts`` as for ``make_jobs``.
    Raises ``BadRecipe`` where one of them is not allowed."""
    varied = vary(recipe, tuple(axes))
    if texts:
        varied = tuple(
            (one.replace(prompt=prompt, negative_prompt=negative), label)
            for (one, label), (prompt, negative) in zip(varied, texts, strict=True)
        )
    for variation, _label in varied:
        check(variation)
    return _jobs(varied, model_folder, output_folder, file_stem)


def derivation_job(
    derivation: Derivation, recipe: Recipe | None, output_folder: str = "", file_stem: str = "", group: str = ""
) -> Job:
    """A job that makes something from something; ``recipe`` is that of what it is made from, as far as there is one.
    Raises ``BadRecipe`` for a kind that is not known."""
    kind_of(derivation)
    return Job(
        new_id(),
        recipe or NO_RECIPE,
        "",
        created=time.time(),
        output_folder=str(output_folder),
        file_stem=file_stem,
        group=group,
        derivation=derivation,
    )


def duplicate(job: Job) -> Job:
    """Another one of ``job``, with the next seed: the same seed would give the same pixels."""
    if job.derivation is not None:
        return derivation_job(job.derivation, job.source_recipe, job.output_folder)
    recipe = job.recipe.replace(seed=(job.recipe.seed + 1) % (MAX_SEED + 1))
    return Job(new_id(), recipe, job.model_folder, created=time.time(), output_folder=job.output_folder)


def new_id() -> str:
    return uuid.uuid4().hex


def _jobs(
    recipes: Sequence[tuple[Recipe, str]], model_folder: Path | str, output_folder: str, file_stem: str
) -> tuple[Job, ...]:
    now, group = time.time(), new_id() if len(recipes) > 1 else ""
    numbered = bool(file_stem) and not file_names.is_template(file_stem)  # a template's names never collide
    return tuple(
        Job(
            id=new_id(),
            recipe=recipe,
            model_folder=str(model_folder),
            created=now,
            output_folder=str(output_folder),
            file_stem=f"{file_stem}-{number}" if numbered and number > 1 else file_stem,
            group=group,
            label=label if group else "",
        )
        for number, (recipe, label) in enumerate(recipes, 1)
    )


def check(recipe: Recipe, count: int = 1) -> None:
    """Raise ``BadRecipe`` with field, sentence and remedy where ``count`` jobs of ``recipe`` cannot run."""
    validate(recipe, family_of(recipe))
    if not 1 <= count <= MAX_COUNT:
        raise BadRecipe(f"The count is {count}; it must be from 1 to {MAX_COUNT}.", "Choose another.", field="count")
    if recipe.seed > MAX_SEED - (count - 1):
        raise BadRecipe("The seeds of these jobs would pass the largest one.", "Choose a lower seed.", field="seed")
    try:
        recipe.to_json()
    except UnicodeEncodeError as error:
        raise BadRecipe("The prompt holds broken characters.", "Type it again.", field="prompt") from error
