"""``upscale``: pictures and clips, larger, each as a job that can be stopped and gone on with."""

from __future__ import annotations

from pathlib import Path

from app.cli.deriving import derive_all
from app.cli.parser import Namespace
from app.paths import Paths
from engine.derive.sources import origin_of
from engine.derive.upscale.upscale import upscaled
from engine.models.upscalers import Upscalers


def run(arguments: Namespace, paths: Paths) -> int:
    how = Upscalers(paths.upscalers).named(arguments.upscaler, arguments.scale)
    return derive_all(arguments, paths, lambda file: upscaled(file, how, before=origin_of(Path(file)).derivation))
