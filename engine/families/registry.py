"""Every family that is here, and what is gathered from them. A family is found by its folder; nothing lists them.

The tables are filled in place by ``register``, so that whoever holds one sees a family that comes later (in tests).
"""

from __future__ import annotations

import importlib
import pkgutil

import engine.families as package
from engine.families.base import Family, PublishedPart
from engine.families.files import FileKind
from engine.families.networks import SHARED, Config, NetworkClass
from engine.families.source import Licence, ModelSource
from engine.protocol.family_info import FamilyInfo, ModelInfo

FAMILIES: dict[str, Family] = {}
INFOS: dict[str, FamilyInfo] = {}
MODELS: dict[str, ModelInfo] = {}
"""The published models, by id."""
PIPELINES: dict[str, Family] = {}
"""By the name in ``model_index.json``."""
NETWORK_CLASSES: dict[str, NetworkClass] = {}
NETWORKS: dict[str, tuple[str, Config]] = dict(SHARED)
"""Published networks: name → (class, configuration)."""
PUBLISHED: dict[str, tuple[PublishedPart, ...]] = {}
"""The parts of each published model."""
FILE_KINDS: dict[str, FileKind] = {}
"""Of components in single files, by name."""
SOURCES: dict[str, ModelSource] = {}
"""Of published models, by their ids."""
LICENCES: dict[str, Licence] = {}

ORDER = ("image", "video")


def register(family: Family) -> None:
    """Add ``family`` to every table."""
    FAMILIES[family.info.id] = family
    INFOS[family.info.id] = family.info
    MODELS.update((model.id, model) for model in family.models)
    PIPELINES.update((name, family) for name in family.pipelines)
    NETWORK_CLASSES.update((cls.name, cls) for cls in family.network_classes)
    NETWORKS.update(family.networks)
    PUBLISHED.update(family.published)
    SOURCES.update((source.id, source) for source in family.sources)
    LICENCES.update((licence.id, licence) for licence in family.licences)
    FILE_KINDS.update((kind.name, kind) for kind in family.file_kinds)


def _find() -> list[Family]:
    """Those for pictures first, then by name."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg]
    found = [importlib.import_module(f"{package.__name__}.{name}").FAMILY for name in names]
    return sorted(found, key=lambda family: (ORDER.index(family.info.kind), family.info.id))


for _family in _find():
    register(_family)
