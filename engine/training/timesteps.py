"""Which noise levels a batch is trained on.

`uniform`: the explicit uniform sampling of CogVideoX (Yang et al. 2024, arXiv:2408.06072). Drawn freely,
the few timesteps of one process's batch come in clumps and the loss jumps with them. So the range 0 … T is divided
into as many intervals as there are data-parallel ranks, and each rank draws from its own: together they cover the
range evenly at every step, and each timestep stays as likely as before.
"""

from __future__ import annotations

import torch


def uniform(count: int, generator: torch.Generator, part: int = 0, parts: int = 1, total: int = 1000) -> torch.Tensor:
    """`[count]` integers of interval `part` of `parts` of 0 … total - 1; with one part of the whole range."""
    return torch.randint(part * total // parts, (part + 1) * total // parts, (count,), generator=generator)
