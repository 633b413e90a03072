"""``doctor``: what is here, what is wrong with it, and what mends it."""

from __future__ import annotations

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.doctor.examination import Places, as_text, checks, examine

WRONG = 1


def run(arguments: Namespace, paths: Paths) -> int:
    """Exit code 1 where something has to be mended."""
    progress = ProgressLine()
    places = places_of(paths)
    found = list(examine(checks(places, network=not arguments.offline), progress.show))
    progress.end()
    faults = any(finding.state == "wrong" for finding in found)
    if arguments.json:
        print_json({"ok": not faults, "findings": found})
    else:
        print(as_text(found))
    return WRONG if faults else 0


def places_of(paths: Paths) -> Places:
    written = {
        "settings": paths.config,
        "data": paths.data,
        "models": paths.models,
        "caches": paths.cache,
        "logs": paths.logs,
        "pictures and clips": paths.output,
    }
    return Places(written, paths.models, paths.output)
