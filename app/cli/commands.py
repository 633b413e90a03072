"""Every command by its name."""

from __future__ import annotations

from collections.abc import Callable

from app.cli import (
    bench,
    clip,
    doctor,
    generate,
    interpolate,
    library,
    models,
    plan,
    recipe,
    reproduce,
    train,
    upscale,
    workflow,
)
from app.cli.parser import Namespace
from app.paths import Paths

COMMANDS: dict[str, Callable[[Namespace, Paths], int]] = {
    "generate": generate.run,
    "recipe": recipe.run,
    "reproduce": reproduce.run,
    "models": models.run,
    "plan": plan.run,
    "library": library.run,
    "workflow": workflow.run,
    "upscale": upscale.run,
    "interpolate": interpolate.run,
    "clip": clip.run,
    "edit": generate.run,
    "train": train.run,
    "bench": bench.run,
    "doctor": doctor.run,
}
