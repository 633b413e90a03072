"""Makes ``resources/memory/networks.json``, and simulates single models: ``python -m engine.worker.memory --help``."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.families.registry import NETWORK_CLASSES, NETWORKS
from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.memory.footprint import Footprint
from engine.memory.footprints import encode_table
from engine.worker.memory.simulate import footprint
from resources import MODELS as EMBEDDED


def catalogued() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, class and configuration of every network that is published or ships."""
    for name, (cls, config) in NETWORKS.items():
        yield name, cls, config
    for folder in sorted(EMBEDDED.iterdir()):
        if (folder / "model_index.json").is_file():
            for part, cls, config in networks_of(folder):
                yield f"{folder.name}/{part}", cls, config


def networks_of(folder: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Component, class and configuration of each network that a model's folder names."""
    index = json.loads(read_regular(folder / "model_index.json", TEXT_LIMIT))
    for part, entry in index.items():
        if isinstance(entry, list) and len(entry) == 2 and entry[1] in NETWORK_CLASSES:
            yield part, entry[1], json.loads(read_regular(folder / part / "config.json", TEXT_LIMIT))


def make_table(path: Path, names: Collection[str] = (), tell: Callable[[str], None] = lambda name: None) -> None:
    """Simulate every catalogued network, or those of ``names``, into the table at ``path``. Takes minutes."""
    found = msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=dict[str, Footprint]) if path.exists() else {}
    for name, cls, config in catalogued():
        if not names or name in names:
            tell(name)
            found[name] = footprint(cls, config)
            atomic.write_bytes(path, encode_table(found))
