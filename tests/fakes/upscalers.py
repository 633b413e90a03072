"""Small networks of known architectures, as people have them."""

from __future__ import annotations

from typing import Any

import torch


def compact(scale: int = 2, channels: int = 3) -> dict[str, torch.Tensor]:
    """Real-ESRGAN's small architecture."""
    generator = torch.Generator().manual_seed(1)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) * 0.05

    out = channels * scale**2
    return {
        "body.0.weight": some(8, channels, 3, 3),
        "body.0.bias": some(8),
        "body.1.weight": some(8),
        "body.2.weight": some(8, 8, 3, 3),
        "body.2.bias": some(8),
        "body.3.weight": some(8),
        "body.4.weight": some(out, 8, 3, 3),
        "body.4.bias": some(out),
    }


def built(architecture: str) -> dict[str, Any]:
    """Random weights of spandrel's own class, small."""
    from engine.worker.upscaling.loading import import_spandrel

    architectures = import_spandrel().architectures
    torch.manual_seed(2)
    if architecture == "ESRGAN":
        network = architectures.ESRGAN.ESRGAN(num_filters=8, num_blocks=1, scale=4)
    else:
        network = architectures.SwinIR.SwinIR(
            depths=[2],
            embed_dim=12,
            num_heads=[2],
            window_size=8,
            mlp_ratio=2,
            upsampler="pixelshuffledirect",
            upscale=2,
        )
    return dict(network.state_dict())
