"""A job: a recipe, or a derivation, on its way to a file."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.derivation import Derivation
from engine.protocol.errors import ErrorInfo
from engine.protocol.recipe import Recipe

JobState = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]

NO_RECIPE = Recipe(family="", model="")


class Job(msgspec.Struct, frozen=True):
    """A row of the queue. ``created`` and ``finished`` are seconds since the epoch; ``files`` are saved results.

    ``output_folder`` empty means the library's own folder; ``file_stem`` empty means the service names the file.
    ``group`` is the same for the jobs that were asked for at once, and ``label`` says what is this one's own
    ("guidance 4 · steps 20"). ``memory_level`` rises each time that memory seems to have run out on this job. A
    checkpoint holds its first ``saved_step`` of ``saved_steps`` steps; 0 means there is none.

    Where there is a ``derivation``, that is what the job does, and ``recipe`` is that of the first of its line, or
    ``NO_RECIPE``.
    """

    id: str
    recipe: Recipe
    model_folder: str
    state: JobState = "waiting"
    position: float = 0.0
    created: float = 0.0
    finished: float = 0.0
    output_folder: str = ""
    file_stem: str = ""
    files: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    engine_deaths: int = 0
    group: str = ""
    label: str = ""
    memory_level: int = 0
    saved_step: int = 0
    saved_steps: int = 0
    derivation: Derivation | None = None

    @property
    def steps(self) -> int:
        """How many it has, as far as that is known before it runs."""
        return self.recipe.steps if self.derivation is None else 1

    @property
    def source_recipe(self) -> Recipe | None:
        """For the result of a derivation."""
        return None if self.recipe == NO_RECIPE else self.recipe
