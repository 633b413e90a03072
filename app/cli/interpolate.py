"""``interpolate``: clips with more frames in a second, each as a job that can be stopped and gone on with."""

from __future__ import annotations

from pathlib import Path

from app.cli.deriving import derive_all
from app.cli.parser import Namespace
from app.paths import Paths
from engine.derive.interpolate.interpolate import interpolated
from engine.derive.sources import origin_of
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadArguments


def run(arguments: Namespace, paths: Paths) -> int:
    if arguments.fps is not None and arguments.factor is not None:
        raise BadArguments("--fps and --factor say the same.", "Give one of them.")

    def asked(file: str) -> Derivation:
        origin = origin_of(Path(file))
        fps = arguments.fps if arguments.fps is not None else origin.medium.fps * (arguments.factor or 2)
        return interpolated(file, fps, before=origin.derivation)

    return derive_all(arguments, paths, asked)
