"""``upscale``: pictures and clips, larger, each as a job that can be stopped and gone on with."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from app.cli.deriving import derive
from app.cli.engine_session import EngineSession
from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.derive.sources import origin_of
from engine.derive.upscale.upscale import upscaled
from engine.models.upscalers import Upscalers
from engine.protocol.errors import BadArguments, Cancelled, EngineDied, KnownError, NoSpace, NotWritable

_ENDS = Cancelled | EngineDied | NoSpace | NotWritable


def run(arguments: Namespace, paths: Paths) -> int:
    if arguments.out and len(arguments.files) > 1:
        raise BadArguments("--out names one file.", "Leave it away: the results go into the library.")
    how = Upscalers(paths.upscalers).named(arguments.upscaler, arguments.scale)
    made, failed = [], 0
    with ExitStack() as stack:

        @cache
        def engine() -> EngineSession:
            return stack.enter_context(EngineSession(paths.engine_log, ProgressLine()))

        for file in arguments.files:
            try:
                asked = upscaled(file, how, before=origin_of(Path(file)).derivation)
                made.append(derive(asked, arguments.out, paths, engine, arguments.json))
            except KnownError as error:
                if len(arguments.files) == 1 or isinstance(error, _ENDS):
                    raise
                failed = error.exit_code
                print(f"laterna: {Path(file).name}: {error}", file=sys.stderr)
                continue
            if not arguments.json:
                print(made[-1]["file"])
    if arguments.json:
        print_json(made[0] if len(arguments.files) == 1 else {"made": made})
    return failed
