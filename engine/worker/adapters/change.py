"""How one layer's weight changes: factors, and what they multiply to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class WeightChange:
    """W becomes W + ``scale`` · delta, where delta follows from ``factors`` by their roles (``models.lora_names``);
    with a ``magnitude`` (DoRA) the rows or columns of the sum are stretched to it. ``bias`` is added to the layer's.
    """

    factors: Mapping[str, Tensor]
    scale: float = 1.0
    magnitude: Tensor | None = None
    bias: Tensor | None = None

    @property
    def is_low_rank(self) -> bool:
        """Whether it is up · down and nothing else."""
        return self.magnitude is None and self.factors.keys() == {"down", "up"}

    @property
    def rank(self) -> int:
        return self.factors["down"].shape[0] if "down" in self.factors else 0

    def scaled(self, strength: float) -> WeightChange:
        return replace(self, scale=self.scale * strength, bias=None if self.bias is None else self.bias * strength)

    def shape(self) -> tuple[int, ...]:
        """Of delta, () for a bias alone. Raises what torch raises where the factors do not fit each other."""
        on_meta = replace(self, factors={name: one.to("meta") for name, one in self.factors.items()})
        return tuple(on_meta.delta().shape) if self.factors else ()

    def delta(self, device: torch.device | None = None) -> Tensor:
        """float32, of the weight's shape but for a convolution's last dimensions, which may be flat."""
        own = {name: one.to(device or one.device).float() for name, one in self.factors.items()}
        if "diff" in own:
            return own["diff"]
        if "hada_w1_a" in own:
            return _hadamard(own)
        if "down" in own:
            return _low_rank(own["down"], own["up"], own.get("mid"))
        return _kronecker(own)


def _low_rank(down: Tensor, up: Tensor, mid: Tensor | None) -> Tensor:
    if mid is not None:  # a convolution in three: 1 × 1, k × k, 1 × 1
        return torch.einsum("rsxy,si,or->oixy", mid, down.flatten(1), up.flatten(1))
    return (up.flatten(1) @ down.flatten(1)).reshape(up.shape[0], *down.shape[1:])


def _hadamard(own: Mapping[str, Tensor]) -> Tensor:
    if "hada_t1" in own:
        one = torch.einsum("ijkl,jr,ip->prkl", own["hada_t1"], own["hada_w1_b"], own["hada_w1_a"])
        two = torch.einsum("ijkl,jr,ip->prkl", own["hada_t2"], own["hada_w2_b"], own["hada_w2_a"])
        return one * two
    return (own["hada_w1_a"] @ own["hada_w1_b"]) * (own["hada_w2_a"] @ own["hada_w2_b"])


def _kronecker(own: Mapping[str, Tensor]) -> Tensor:
    one = own["lokr_w1"] if "lokr_w1" in own else own["lokr_w1_a"] @ own["lokr_w1_b"]
    if "lokr_t2" in own:
        two = torch.einsum("ijkl,jr,ip->prkl", own["lokr_t2"], own["lokr_w2_b"], own["lokr_w2_a"])
    else:
        two = own["lokr_w2"] if "lokr_w2" in own else own["lokr_w2_a"] @ own["lokr_w2_b"]
    if two.ndim == 4:
        one = one[:, :, None, None]
    return torch.kron(one, two)
