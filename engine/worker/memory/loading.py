"""A network from its files, in the form and at the place that the plan says."""

from __future__ import annotations

from typing import Any

from torch import nn

from engine.models.reading.component import Part
from engine.worker.memory.casting import cast_for_each_call
from engine.worker.memory.networks import blocks_of
from engine.worker.memory.plan import PartPlan
from engine.worker.memory.skeleton import build_skeleton
from engine.worker.memory.streaming import FromDisk, Streamed
from engine.worker.memory.stretches import find_stretches


def load_network(cls: Any, part: Part, plan: PartPlan) -> nn.Module | Streamed:
    """An instance of ``cls`` on the host, or one whose blocks come from the disk. Each weight is read once, to where it
    stays: nothing is mapped and copied, which would take twice the memory. Raises ``ModelDamaged`` or ``OSError``."""
    from_disk = plan.place == "disk"
    network, reads = build_skeleton(cls, part, find_stretches(part), plan, whole=not from_disk)
    if plan.is_cast:
        cast_for_each_call(network, plan.compute)
    return Streamed(network, FromDisk(reads)) if from_disk and blocks_of(network) else network
