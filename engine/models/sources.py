"""Where each catalogued model comes from: what the families say."""

from __future__ import annotations

from engine.families.registry import FAMILIES, MODELS, SOURCES
from engine.families.source import ModelSource
from engine.protocol.errors import ModelMissing


def source(model: str) -> ModelSource:
    """Raises ``ModelMissing`` for an id that is not catalogued."""
    found = SOURCES.get(model)
    if found is None:
        raise ModelMissing(f"There is no model “{model}” to download.", f"Known models: {', '.join(SOURCES)}.")
    return found


def source_of(model: str, kinds: set[str]) -> ModelSource:
    """Where components of ``kinds`` are for ``model``: in its own repository, or, where all are components that
    several families have, in one that asks for no account."""
    shared = all(sum(bool(family.name_of(kind)) for family in FAMILIES.values()) > 1 for kind in kinds)
    if not (kinds and shared):
        return source(model)
    able = (
        one
        for one in SOURCES.values()
        if not one.gated and all(FAMILIES[MODELS[one.id].family].name_of(kind) for kind in kinds)
    )
    return next(able, None) or source(model)


def parts_name(found: ModelSource) -> str:
    """The folder that keeps components of ``found``'s repository, which imports lack."""
    return f"{MODELS[found.id].family}-parts"


def parts_names() -> dict[str, str]:
    """The folders of such parts, with their families."""
    return {f"{family}-parts": family for family in FAMILIES}
