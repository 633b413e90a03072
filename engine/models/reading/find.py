"""Which kinds of components a file holds, below which prefixes, and which model its denoiser is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.families.networks import Kind
from engine.families.registry import FAMILIES, FILE_KINDS, NETWORK_CLASSES
from engine.families.shapes import Shapes

_ORDER: tuple[Kind, ...] = ("denoiser", "vae", "text")


@dataclass(frozen=True)
class FoundComponent:
    kind: str
    prefix: str


def find_components(shapes: Shapes, stem: str) -> list[FoundComponent]:
    """Denoisers first. ``stem`` is the file's name."""
    found: list[FoundComponent] = []
    for name in _networks():
        prefix = FILE_KINDS[name].prefix_in(shapes, stem)
        if prefix is not None:
            found.append(FoundComponent(name, prefix))
    if found:
        return found
    alone = ((name, FILE_KINDS[name].prefix_in(shapes, stem, alone=True)) for name in _networks())
    return [FoundComponent(name, prefix) for name, prefix in alone if prefix is not None][:1]


def controlnet_family(shapes: Shapes) -> str:
    """The family, by id, that a ControlNet is for; "" for what is none."""
    return next((family.info.id for family in FAMILIES.values() if family.is_controlnet(shapes)), "")


def model_of(found: FoundComponent, shapes: Shapes, path: Path) -> str:
    """The catalogued id of a denoiser, "" for anything else. Raises ``BadFile`` for one that is not run."""
    own = {name.removeprefix(found.prefix): shape for name, shape in shapes.items() if name.startswith(found.prefix)}
    return FILE_KINDS[found.kind].model_of(own, path)


def network_kind(kind: str) -> Kind | None:
    """What files of ``kind`` hold; None for a tokenizer."""
    known = NETWORK_CLASSES.get(FILE_KINDS[kind].cls)
    return None if known is None else known.kind


def _networks() -> list[str]:
    return [name for wanted in _ORDER for name in FILE_KINDS if network_kind(name) == wanted]
