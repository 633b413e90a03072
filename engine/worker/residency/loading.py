"""A network from its files, in the form and at the place that the plan says."""

from __future__ import annotations

from typing import Any

from torch import nn

from engine.models.reading.component import Component
from engine.worker.residency.casting import cast_for_each_call
from engine.worker.residency.networks import blocks_of
from engine.worker.residency.residency import Residency
from engine.worker.residency.skeleton import build_skeleton
from engine.worker.residency.streaming import FromDisk, Streamed
from engine.worker.residency.stretches import find_stretches


def load_network(cls: Any, part: Component, residency: Residency) -> nn.Module | Streamed:
    """An instance of ``cls`` on the host, or one whose blocks come from the disk. Each weight is read once, to where it
    stays: nothing is mapped and copied, which would take twice the memory. Raises ``ModelDamaged`` or ``OSError``."""
    from_disk = residency.place == "disk"
    network, reads = build_skeleton(cls, part, find_stretches(part), residency, whole=not from_disk)
    if residency.is_cast:
        cast_for_each_call(network, residency.compute)
    return Streamed(network, FromDisk(reads)) if from_disk and blocks_of(network) else network
