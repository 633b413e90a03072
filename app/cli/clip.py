"""``clip``: a part of a clip, or several one after another, as MP4, GIF or WebP: faster, backwards, again."""

from __future__ import annotations

import sys
from pathlib import Path

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.cli.target import check_name, check_writable
from app.paths import Paths
from engine.media.export import SUFFIXES, ClipExport, export_clips
from engine.protocol.errors import BadArguments

MOST_TIMES = 100


def run(arguments: Namespace, paths: Paths) -> int:
    target = Path(arguments.out)
    formats = {suffix: name for name, suffix in SUFFIXES.items()}
    format = formats.get(target.suffix.lower())
    if format is None:
        raise BadArguments(f"--out is {target.name}.", f"Name one of these: {', '.join(formats)}.")
    if not 1 <= arguments.times <= MOST_TIMES:
        raise BadArguments(f"--times is {arguments.times}.", f"Give a number from 1 to {MOST_TIMES}.")
    if not (0.05 <= arguments.speed <= 20 and 0.05 <= arguments.scale <= 4):
        raise BadArguments(
            "--speed or --scale makes no sense.", "Give a speed from 0.05 to 20, a scale from 0.05 to 4."
        )
    check_writable(target.parent)
    check_name(target)
    export = ClipExport(
        format=format,
        first=max(0, arguments.first - 1),
        last=arguments.last - 1 if arguments.last is not None else None,
        speed=arguments.speed,
        scale=arguments.scale,
        to_and_fro=arguments.to_and_fro,
        backwards=arguments.backwards,
        times=arguments.times,
    )
    progress = ProgressLine()
    export_clips([Path(file) for file in arguments.files], target, export, lambda done: progress.show("Writing", done))
    progress.end()
    if arguments.json:
        print_json({"file": target})
    else:
        print(target, file=sys.stdout)
    return 0
