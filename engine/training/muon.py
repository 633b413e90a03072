"""Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum, orthogonalised by Newton-Schulz.

Matrices of one shape are stacked, so that the small ones of these models go through one batched product.
"""

from __future__ import annotations

import torch

_A, _B, _C = 3.4445, -4.7750, 2.0315  # the quintic of the reference implementation


def orthogonalise(matrices: torch.Tensor, steps: int = 5, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Approximate `U V^T` of each matrix in `[N, R, C]`; singular values land in about 0.7..1.2."""
    x = matrices.to(dtype)
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return (x.mT if tall else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """For matrices, and for convolution kernels seen as matrices `[out, in * k]`. Nesterov momentum."""

    def __init__(self, params, lr: float, momentum: float = 0.95, dtype: torch.dtype = torch.float32) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[torch.nn.Parameter]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_shape.setdefault((p.shape[0], p.numel() // p.shape[0]), []).append(p)
            for (rows, columns), params in by_shape.items():
                updates = []
                for p in params:
                    state = self.state[p]
                    if "momentum" not in state:
                        state["momentum"] = torch.zeros_like(p)
                    state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(state["momentum"], group["momentum"]).reshape(rows, columns))
                step = orthogonalise(torch.stack(updates), dtype=self._dtype)
                scale = group["lr"] * max(1, rows / columns) ** 0.5
                for p, u in zip(params, step, strict=True):
                    p.add_(u.reshape(p.shape), alpha=-scale)
