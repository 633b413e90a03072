"""A plan: where each part of a model lies while a recipe runs, what that takes of each memory, and for how long."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.recipe import Recipe

Placement = Literal["device", "host", "blocks", "stage", "disk"]
"""Where a part's weights are between its uses, and how they come to the device:

- ``device``: they stay on the device.
- ``host``: they stay in host memory and are all on the device during their stage.
- ``blocks``: they stay in host memory; during their stage two blocks are on the device, the next one on its way.
- ``stage``: they are read from the disk for their stage and let go of after it.
- ``disk``: their blocks are read from the disk at every pass; two are in memory.
"""

Weights = Literal["native", "int8"]
"""As the files have them, or the large layers of transformers and T5s in 8 bits."""

Storage = Literal["wide", "stored"]
"""On a CPU: weights in the dtype of the arithmetic, or as they are stored and widened layer by layer (same bits)."""

StageName = Literal["encoding", "denoising", "decoding"]
STAGES: tuple[StageName, ...] = ("encoding", "denoising", "decoding")

Change = Literal["rounding", "seams", "weights"]
"""What differs from the resident plan's picture: the last bits (sums in another order), pixels along blended tiles, or
everything a little (weights in 8 bits)."""


EIGHT_BITS_DIFFER = 0.4
"""By how much of 255 pixels differ on average with weights in 8 bits: the worst of the models that ship, as ``bench
weights`` measures it."""


def weights_of(recipe: Recipe) -> Weights:
    """What ``recipe`` says: it decides the pixels, so no plan does."""
    return "int8" if recipe.weights == "int8" else "native"


class Abilities(msgspec.Struct, frozen=True):
    """What the engine of this version does with a plan. The planner knows more than that.

    ``mixed``: parts at different placements.
    """

    placements: tuple[Placement, ...]
    mixed: bool = True
    tiles: bool = True
    slices: bool = True
    separate_guidance: bool = False
    weights: tuple[Weights, ...] = ("native",)


EVERYTHING = Abilities(
    ("device", "host", "blocks", "stage", "disk"), separate_guidance=True, weights=("native", "int8")
)
ENGINE = EVERYTHING
"""What ``engine.worker`` does today. Whoever teaches it more says so here."""


class Decoding(msgspec.Struct, frozen=True, omit_defaults=True):
    """``tile`` in pixels (height, width), None for whole frames; ``sliced``: one result of the batch at a time."""

    tile: tuple[int, int] | None = None
    sliced: bool = False


class StagePlan(msgspec.Struct, frozen=True):
    """Bytes at the peak of one stage, and seconds: each job's, and those that only the first one pays for loading."""

    stage: StageName
    device: int
    host: int
    seconds: float
    loading: float


class MemoryPlan(msgspec.Struct, frozen=True):
    """``stages`` in their order. ``batched``: both sides of guidance in one pass over a double batch."""

    text: Placement
    transformer: Placement
    vae: Placement
    weights: Weights
    storage: Storage
    decoding: Decoding
    batched: bool
    changes: tuple[Change, ...]
    stages: tuple[StagePlan, ...]

    @property
    def device(self) -> int:
        """Bytes at the peak of all stages."""
        return max(stage.device for stage in self.stages)

    @property
    def host(self) -> int:
        return max(stage.host for stage in self.stages)

    @property
    def seconds(self) -> float:
        """Of a job whose model is as the plan keeps it between jobs."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def loading(self) -> float:
        """What the first job pays on top."""
        return sum(stage.loading for stage in self.stages)

    @property
    def rank(self) -> int:
        """0: the picture of the resident plan, up to the last bits; 1: seams of tiles; 2: other weights."""
        return 2 if "weights" in self.changes else 1 if "seams" in self.changes else 0

    @property
    def is_exact(self) -> bool:
        """Whether every bit is that of the resident plan."""
        return not self.changes

    @property
    def strategy(self) -> str:
        """One of: resident, stage by stage, block streaming, disk streaming."""
        placements = {self.text, self.transformer, self.vae}
        if "disk" in placements:
            return "disk streaming"
        if "blocks" in placements:
            return "block streaming"
        return "resident" if placements == {"device"} else "stage by stage"

    def fits(self, device_limit: int, host_limit: int, is_unified: bool) -> bool:
        return self.host <= host_limit and (is_unified or self.device <= device_limit)

    def can_run(self, abilities: Abilities) -> bool:
        return (
            {self.text, self.transformer, self.vae} <= set(abilities.placements)
            and (abilities.mixed or self.text == self.transformer == self.vae)
            and (abilities.tiles or self.decoding.tile is None)
            and (abilities.slices or not self.decoding.sliced)
            and (abilities.separate_guidance or self.batched)
            and self.weights in abilities.weights
        )
