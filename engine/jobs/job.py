"""A job: one recipe on its way from the form to a file."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.errors import ErrorInfo
from engine.protocol.recipe import Recipe

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


class Job(msgspec.Struct, frozen=True):
    """A row of the queue. ``created`` and ``finished`` are seconds since the epoch; ``files`` are saved results.

    ``output_folder`` empty means the library's own folder; ``file_stem`` empty means the service names the file.
    """

    id: str
    recipe: Recipe
    model_folder: str
    state: JobState = "waiting"
    position: int = 0
    created: float = 0.0
    finished: float = 0.0
    output_folder: str = ""
    file_stem: str = ""
    files: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    engine_deaths: int = 0
