"""A small transformer over patches and words, told the noise level and the guidance scale. In the manner of diffusers'
model classes.

B = batch, C = channels, N = patches, T = words, D = width.
"""

from __future__ import annotations

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional


def waves(values: Tensor, width: int) -> Tensor:
    """[...] to [..., width]: sines and cosines of falling frequencies."""
    steps = torch.arange(width // 2, device=values.device, dtype=torch.float32)
    angles = values.float()[..., None] * torch.exp(-math.log(10_000) * steps / (width // 2))
    return torch.cat([angles.sin(), angles.cos()], -1)


class Mixer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v, self.to_out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.to_q, self.to_k, self.to_v)
        )
        return self.to_out(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixer = Mixer(width, heads)
        self.ff = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.norm1(x))
        return x + self.ff(self.norm2(x))


class TwofoldTransformer(ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(
        self,
        in_channels: int = 4,
        patch_size: int = 2,
        num_layers: int = 2,
        num_attention_heads: int = 2,
        attention_head_dim: int = 16,
        text_dim: int = 40,
    ) -> None:
        super().__init__()
        width = num_attention_heads * attention_head_dim
        self.patch = nn.Conv2d(in_channels, width, patch_size, patch_size)
        self.text = nn.Linear(text_dim, width)
        self.time, self.guidance = nn.Linear(width, width), nn.Linear(width, width)
        self.stages = nn.ModuleList(Block(width, num_attention_heads) for _ in range(num_layers))
        self.out = nn.Linear(width, patch_size**2 * in_channels)

    def forward(
        self,
        hidden_states: Tensor,
        timestep: Tensor,
        guidance: Tensor,
        encoder_hidden_states: Tensor,
        return_dict: bool = True,
    ) -> tuple[Tensor]:
        """[B, C, h, w], [B], [B], [B, T, text_dim] to [B, C, h, w]."""
        x = self.patch(hidden_states)
        rows, columns, width = x.shape[2], x.shape[3], x.shape[1]
        x = x.flatten(2).transpose(1, 2)
        places = waves(torch.arange(rows * columns, device=x.device), width).to(x.dtype)
        told = self.time(waves(timestep, width).to(x.dtype)) + self.guidance(waves(100 * guidance, width).to(x.dtype))
        words = self.text(encoder_hidden_states)
        x = torch.cat([words, x + places], 1) + told[:, None]
        for block in self.stages:
            x = block(x)
        patch = self.config.patch_size
        x = self.out(x[:, words.shape[1] :]).transpose(1, 2)
        return (functional.fold(x, (rows * patch, columns * patch), patch, stride=patch),)
