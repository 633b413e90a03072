"""Makes ``resources/memory/networks.json``; simulates one model: ``python -m engine.worker.residency --help``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.families.registry import NETWORKS
from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.memory.footprint import Footprint
from engine.memory.footprints import encode_table
from engine.memory.inventory import networks_of
from engine.worker.residency.simulate import footprint
from resources import MODELS as EMBEDDED


def catalogued() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, class and configuration of every network that is published or ships."""
    for name, (cls, config) in NETWORKS.items():
        yield name, cls, config
    for folder in sorted(EMBEDDED.iterdir()):
        if (folder / "model_index.json").is_file():
            for part, cls, config in networks_of(folder):
                yield f"{folder.name}/{part}", cls, config


def make_table(path: Path, names: Collection[str] = (), tell: Callable[[str], None] = lambda name: None) -> None:
    """Simulate every catalogued network, or those of ``names``, into the table at ``path``. Takes minutes."""
    found = msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=dict[str, Footprint]) if path.exists() else {}
    for name, cls, config in catalogued():
        if not names or name in names:
            tell(name)
            found[name] = footprint(cls, config)
            atomic.write_bytes(path, encode_table(found))
