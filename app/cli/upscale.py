"""``upscale``: a picture or a clip, larger, as a job that can be stopped and gone on with."""

from __future__ import annotations

import hashlib
import sys
from contextlib import closing
from pathlib import Path

from app.cli.engine_session import EngineSession
from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.cli.target import Target, check_writable, named
from app.paths import Paths
from engine.derive.kinds import kind_of
from engine.derive.sources import origin_of, settled
from engine.derive.upscale.upscale import upscaled
from engine.jobs.checkpoints import CheckpointFolder
from engine.jobs.output import prepare
from engine.library.library import Library
from engine.library.naming import unused_stem
from engine.media import atomic
from engine.media.known import KnownMedia
from engine.protocol.errors import Cancelled, EngineDied, NoSpace, NotWritable

SUFFIXES = {"image": ".png", "video": ".mp4"}


def run(arguments: Namespace, paths: Paths) -> int:
    source = Path(arguments.file)
    asked = upscaled(str(source), arguments.scale, before=origin_of(source).derivation)
    derivation, file, origin = settled(asked, KnownMedia(paths.known_media))
    kind = kind_of(derivation)
    made, forecast = kind.result(derivation, origin.medium), kind.forecast(derivation, origin.medium)
    suffix = SUFFIXES[made.kind]
    target = named(arguments.out, suffix, "This") if arguments.out else Target(paths.output, "", suffix)
    folder = target.folder
    prepare(folder, forecast.disk)
    check_writable(folder)
    if not target.stem:
        target = Target(folder, unused_stem(folder, kind.stem(derivation)), suffix)
    # The same work is found again by what it is: there is nothing to name for going on with it.
    name = hashlib.sha256(f"{derivation.by_content().to_json()} {folder} {target.stem}".encode()).hexdigest()[:32]
    made_as = f"{atomic.TEMPORARY_PREFIX}{name[:16]}"
    checkpoint = CheckpointFolder(paths.unfinished).path(f"derive-{name}")
    if not arguments.json:
        size = f"{made.width} × {made.height}" + (f", {made.frames} frames" if made.kind == "video" else "")
        print(
            f"{size}; about {forecast.memory / 2**20:.0f} MiB of memory and {forecast.seconds:.0f} s.", file=sys.stderr
        )
    try:
        with EngineSession(paths.engine_log, ProgressLine()) as engine:
            done = engine.derive(derivation, file, folder, made_as, origin.recipe, checkpoint)
    except (KeyboardInterrupt, Cancelled, EngineDied, NoSpace, NotWritable):
        print("The same command goes on with it.", file=sys.stderr, flush=True)
        raise
    path = target.take(Path(done.files[0].path))
    if not arguments.out:
        with closing(Library(paths.library_database, paths.output)) as library:
            library.add(path)
    if arguments.json:
        print_json({"file": path, "pixels_sha256": done.files[0].pixels_sha256, "seconds": done.seconds})
    else:
        print(path)
    return 0
