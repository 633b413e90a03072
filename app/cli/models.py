"""``models``: what is on this machine, and what Laterna knows of."""

from __future__ import annotations

from app.cli.output import print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.models.catalog import MODELS, find_installed


def run(arguments: Namespace, paths: Paths) -> int:
    installed = list(find_installed(paths.model_folders))
    here = {model.info.id for model in installed}
    known = [info for info in MODELS.values() if info.id not in here]
    if arguments.json:
        print_json(
            {
                "installed": [{"folder": model.folder, "info": model.info} for model in installed],
                "known": known,
            }
        )
        return 0
    for model in installed:
        print(f"{model.info.id:24} ready      {model.info.name}: {model.folder}")
    for info in known:
        print(f"{info.id:24} not here   {info.name}: {info.repository}")
    return 0
