"""Where a job's files go: the folder is tried before minutes of work depend on it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from engine.derive.kinds import kind_of
from engine.jobs.job import Job
from engine.library import file_names
from engine.library.naming import file_stem, unused_stem
from engine.media import metadata
from engine.protocol.errors import BadFile, NoSpace, from_os_error
from engine.protocol.recipe import Recipe

_SPARE_BYTES = 4 * 1024 * 1024


def bytes_of(recipe: Recipe) -> int:
    """What its results may need on the disk."""
    width, height = recipe.saved_size
    return width * height * 3 * recipe.batch * (1 if recipe.frames == 1 else recipe.frames // 8 + 1)


def prepare(folder: Path, needed: int) -> None:
    """Make ``folder`` and see that a result of ``needed`` bytes fits. Raises ``NotWritable`` or ``NoSpace``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".laterna-"):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise from_os_error(error, "writing to the output folder", folder) from error
    if free < needed + _SPARE_BYTES:
        raise NoSpace(
            f"The disk is full: {folder} has {free // 2**20} MiB left, the result may need {needed // 2**20 + 1}.",
            "Free some space, or choose another folder, and try again.",
        )


def stem_for(job: Job, folder: Path, when: float) -> str:
    """The job's own file name without suffix, one by its template, or a new one from its prompt and seed."""
    if file_names.is_template(job.file_stem):
        return unused_stem(folder, file_names.render(job.file_stem, job.recipe, when))
    if job.derivation is not None:
        return job.file_stem or unused_stem(folder, kind_of(job.derivation).stem(job.derivation))
    return job.file_stem or unused_stem(folder, file_stem(job.recipe.prompt, job.recipe.seed, when))


def finished_file(job: Job, folder: Path) -> Path | None:
    """The file of a job that was interrupted just after saving it, recognised by its recipe; batches run again."""
    if not job.file_stem or (job.derivation is None and job.recipe.batch != 1):
        return None
    for suffix in metadata.SUFFIXES:
        path = folder / (job.file_stem + suffix)
        try:
            if os.stat(path).st_mtime < job.created:
                continue
            found = metadata.read(path)
        except (OSError, BadFile):
            continue
        recipe = found.recipe
        if job.derivation is not None:
            if found.derivation == job.derivation.for_files():
                return path
        elif recipe is not None and _same(recipe) == _same(job.recipe):
            return path
    return None


def _same(recipe: Recipe) -> Recipe:
    return recipe.for_files().replace(model_hashes={})
