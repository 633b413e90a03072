"""What a sampler node and the chain of a model's nodes come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.interop.graph import Link, Node
from engine.protocol.recipe import Adapter, SkipLayerGuidance

MAX_STEPS = 10_000


@dataclass(frozen=True)
class Pass:
    """One run of a sampler: steps ``start`` to ``end`` of a schedule of ``total``, on the latent at ``latent``.

    ``denoise`` is what the node says; with d < 1 a schedule of ``int(total / d)`` steps is made, of which the last
    ``total`` are run.
    """

    node: Node
    model: Link | None
    positive: Link | None
    negative: Link | None
    latent: Link | None
    seed: int
    total: int
    guidance: float
    sampler: str
    scheduler: str
    denoise: float = 1.0
    start: int = 0
    end: int = MAX_STEPS
    adds_noise: bool = True
    frames: int = 1

    @property
    def last(self) -> int:
        return min(self.end, self.total)

    @property
    def run(self) -> int:
        """How many steps are run."""
        return max(0, self.last - self.start)


@dataclass
class ModelChain:
    """What the links of a MODEL come to. ``file`` is the checkpoint's name as the graph says it, ``id`` the model's."""

    file: str = ""
    id: str = ""
    shift: float | None = None
    skip: SkipLayerGuidance | None = None
    adapters: list[Adapter] = field(default_factory=list)
    family: str = ""
    nodes: list[Node] = field(default_factory=list)
