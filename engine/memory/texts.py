"""Plans in words, for the command line and the logs."""

from __future__ import annotations

from engine.memory.plan import MemoryPlan, Placement

_PLACES: dict[Placement, str] = {
    "device": "resident",
    "host": "from RAM for its stage",
    "blocks": "block by block from RAM",
    "stage": "from disk for its stage",
    "disk": "block by block from disk",
}


def describe(plan: MemoryPlan) -> str:
    """One line: where everything lies, and what else is special."""
    places = {"text": plan.text, "transformer": plan.transformer, "VAE": plan.vae}
    if len(set(places.values())) == 1:
        words = [f"everything {_PLACES[plan.text]}"]
    else:
        words = [f"{name} {_PLACES[place]}" for name, place in places.items()]
    if plan.weights == "int8":
        words.append("8-bit weights")
    if plan.storage == "stored":
        words.append("weights as stored")
    if not plan.batched:
        words.append("guidance in two passes")
    if plan.decoding.tile is not None:
        height, width = plan.decoding.tile
        words.append(f"VAE in tiles of {width} × {height}")
    if plan.decoding.sliced:
        words.append("VAE one result at a time")
    return ", ".join(words)


def marks(plan: MemoryPlan) -> str:
    """What of the picture changes, in short; "exact" where nothing does."""
    names = {"rounding": "last bits", "seams": "seams of tiles", "weights": "other weights"}
    return ", ".join(names[change] for change in plan.changes) or "exact"
