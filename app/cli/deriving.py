"""Derivations from the command line: from their sources to their files, to be stopped and gone on with."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

from app.cli.engine_session import EngineSession
from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.cli.target import OutputTarget, check_writable, named
from app.paths import Paths
from engine.derive.kinds import kind_of
from engine.derive.sources import settled
from engine.jobs import assets
from engine.jobs.checkpoints import CheckpointFolder
from engine.jobs.output import prepare
from engine.library.library import Library
from engine.library.naming import unused_stem
from engine.media import atomic
from engine.media.known import KnownMedia
from engine.models.upscalers import Upscalers
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadArguments, Cancelled, EngineDied, KnownError, NoSpace, NotWritable

SUFFIXES = {"image": ".png", "video": ".mp4"}


_ENDS = Cancelled | EngineDied | NoSpace | NotWritable


def derive_all(arguments: Namespace, paths: Paths, asked: Callable[[str], Derivation]) -> int:
    """Make what ``asked`` says of each of ``arguments.files``, and tell; the exit code. One that cannot be made stops
    none of the others."""
    if arguments.out and len(arguments.files) > 1:
        raise BadArguments("--out names one file.", "Leave it away: the results go into the library.")
    made, failed = [], 0
    with ExitStack() as stack:

        @cache
        def engine() -> EngineSession:
            return stack.enter_context(EngineSession(paths.engine_log, ProgressLine()))

        for file in arguments.files:
            try:
                made.append(derive(asked(file), arguments.out, paths, engine, arguments.json))
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


def derive(
    asked: Derivation, out: str, paths: Paths, engine: Callable[[], EngineSession], quiet: bool = False
) -> dict[str, object]:
    """Make it, at ``out`` or in the library; what came of it, for ``--json``. ``engine`` is asked for once it is
    needed; ``quiet``: no forecast. Raises ``LaternaError``s."""
    derivation, file, origin = settled(asked, KnownMedia(paths.known_media))
    kind, upscalers = kind_of(derivation), Upscalers(paths.upscalers)
    network = assets.network(kind.network(derivation), upscalers)
    known = upscalers.find(network.sha256) if network is not None else None
    made = kind.result(derivation, origin.medium)
    forecast = kind.forecast(derivation, origin.medium, known.facts if known else None)
    suffix = SUFFIXES[made.kind]
    target = named(out, suffix, "This") if out else OutputTarget(paths.output, "", suffix)
    folder = target.folder
    prepare(folder, forecast.disk)
    check_writable(folder)
    if not target.stem:
        target = OutputTarget(folder, unused_stem(folder, kind.stem(derivation)), suffix)
    # The same work is found again by what it is: there is nothing to name for going on with it.
    name = hashlib.sha256(f"{derivation.by_content().to_json()} {folder} {target.stem}".encode()).hexdigest()[:32]
    made_as = f"{atomic.TEMPORARY_PREFIX}{name[:16]}"
    checkpoint = CheckpointFolder(paths.unfinished).path(f"derive-{name}")
    if not quiet:
        size = f"{made.width} × {made.height}" + (
            f", {made.frames} frames, {made.fps:g} a second" if made.kind == "video" else ""
        )
        print(
            f"{size}; about {forecast.memory / 2**20:.0f} MiB of memory and {forecast.seconds:.0f} s.", file=sys.stderr
        )
    try:
        done = engine().derive(derivation, file, folder, made_as, origin.recipe, checkpoint, network)
    except (KeyboardInterrupt, Cancelled, EngineDied, NoSpace, NotWritable):
        print("The same command goes on with it.", file=sys.stderr, flush=True)
        raise
    path = target.take(Path(done.files[0].path))
    if not out:
        with closing(Library(paths.library_database, paths.output)) as library:
            library.add(path)
    return {"file": path, "pixels_sha256": done.files[0].pixels_sha256, "seconds": done.seconds}
