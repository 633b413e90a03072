"""Simulate networks: the table that ships, or one model into a folder of footprints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.worker.residency", description=__doc__)
    parser.add_argument("--model", metavar="FOLDER", type=Path, help="a model's folder, in diffusers layout")
    parser.add_argument("--out", metavar="PATH", type=Path, help="the table's file, or the folder of footprints")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="only these of the table")
    arguments = parser.parse_args()

    from engine.memory.footprints import Footprints
    from engine.memory.inventory import networks_of
    from engine.worker.residency import table
    from engine.worker.residency.simulate import footprint
    from resources import NETWORKS

    def tell(name: str) -> None:
        print(f"Simulating {name}", file=sys.stderr, flush=True)

    if arguments.model is None:
        table.make_table(arguments.out or NETWORKS, arguments.networks, tell)
        return 0
    known = Footprints(arguments.out)
    for part, cls, config in networks_of(arguments.model):
        if known.find(cls, config) is None:
            tell(part)
            known.keep(footprint(cls, config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
