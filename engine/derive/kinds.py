"""All kinds of derivations by their ids."""

from __future__ import annotations

from engine.derive.interpolate.interpolate import Interpolate
from engine.derive.kind import Kind
from engine.derive.upscale.upscale import Upscale
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadRecipe

KINDS: dict[str, Kind] = {kind.id: kind for kind in (Upscale(), Interpolate())}


def kind_of(derivation: Derivation) -> Kind:
    """Raises ``BadRecipe`` for one that this Laterna does not know."""
    kind = KINDS.get(derivation.kind)
    if kind is None:
        raise BadRecipe(f"This Laterna cannot do “{derivation.kind}”.", "Update Laterna.", field="kind")
    return kind
