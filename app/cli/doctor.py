"""``doctor``: what is here, what is wrong with it, and what mends it."""

from __future__ import annotations

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.examination import examination
from app.paths import Paths
from engine.doctor.finding import as_text

WRONG = 1


def run(arguments: Namespace, paths: Paths) -> int:
    """Exit code 1 where something has to be mended."""
    progress = ProgressLine()
    found = list(examination(paths, not arguments.offline, progress.show))
    progress.end()
    faults = any(finding.state == "wrong" for finding in found)
    if arguments.json:
        print_json({"ok": not faults, "findings": found})
    else:
        print(as_text(found))
    return WRONG if faults else 0
