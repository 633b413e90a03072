"""Mixed-duration training with frame packing: clips of several lengths in one row, kept apart by the attention mask.

CogVideoX (Yang et al. 2024, arXiv:2408.06072, "frame pack", after Dehghani et al. 2023,
"Patch n' Pack", arXiv:2307.06304) trains pictures and clips of different lengths together. Filling the short ones up
to the longest would be wasted work; instead their tokens stand one behind the other in one row. Each clip keeps its
own text, its own time, and positions that start from its own first frame; and no token attends to another clip's. So
what the network says of a clip, and the clip's loss, are those it has alone.

Shapes: N = clips in the row, V = video tokens of all clips, S = text tokens of all clips, D = width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.embeddings import apply_rotary_emb
from torch import Tensor
from torch.nn import functional as F

Rotary = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class PackedRow:
    """`clip` of text and of video tokens: which of the N each belongs to; `mask` `[S + V, S + V]`, True where a token
    may attend."""

    text_clip: Tensor
    video_clip: Tensor
    mask: Tensor
    rotary: Rotary | None

    @classmethod
    def of(cls, texts: Sequence[int], videos: Sequence[int], rotary: Sequence[Rotary] | None) -> PackedRow:
        """From the number of text and video tokens of each clip and each clip's own rotary embedding."""
        text = torch.repeat_interleave(torch.arange(len(texts)), torch.tensor(texts))
        video = torch.repeat_interleave(torch.arange(len(videos)), torch.tensor(videos))
        owner = torch.cat([text, video])
        joined = tuple(torch.cat([one[i] for one in rotary]) for i in range(2)) if rotary else None
        return cls(text, video, owner[:, None] == owner[None, :], joined)


def pack(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Which clips go into which row of `room` tokens: longest first, each into the first row with room for it."""
    rows: list[tuple[int, list[int]]] = []
    for clip in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        for number, (used, members) in enumerate(rows):
            if used + lengths[clip] <= room:
                rows[number] = (used + lengths[clip], [*members, clip])
                break
        else:
            rows.append((lengths[clip], [clip]))
    return [members for _, members in rows]


def forward(transformer: Any, clips: Sequence[Tensor], texts: Sequence[Tensor], timesteps: Tensor,
            rotary: Sequence[Rotary] | None) -> list[Tensor]:  # fmt: skip
    """What a `CogVideoXTransformer3DModel` says of each of `clips` `[T, C, H, W]`, all in one pass.

    `texts` `[S_i, D_text]`, `timesteps` `[N]`, `rotary` each clip's own. The frames of a clip must be those that its
    own pass would take. Models with temporal patches (1.5) or sine positions (2B) are not supported.
    """
    if transformer.config.patch_size_t is not None or not transformer.config.use_rotary_positional_embeddings:
        raise ValueError("packing needs rotary positions and no temporal patches")
    temb = transformer.time_embedding(transformer.time_proj(timesteps).to(clips[0].dtype))
    video_parts, text_parts = [], []
    for clip, words in zip(clips, texts, strict=True):
        tokens = transformer.patch_embed(words[None], clip[None])[0]
        text_parts.append(tokens[: len(words)])
        video_parts.append(tokens[len(words) :])
    row = PackedRow.of([len(t) for t in text_parts], [len(v) for v in video_parts], rotary)
    video, text = torch.cat(video_parts), torch.cat(text_parts)
    for block in transformer.transformer_blocks:
        video, text = _block(block, video, text, temb, row)
    video = transformer.norm_final(video)
    shift, scale = transformer.norm_out.linear(transformer.norm_out.silu(temb)).chunk(2, dim=1)
    video = transformer.norm_out.norm(video) * (1 + scale[row.video_clip]) + shift[row.video_clip]
    made = transformer.proj_out(video).split([len(v) for v in video_parts])
    return [_unpatch(tokens, clip, transformer.config.patch_size) for tokens, clip in zip(made, clips, strict=True)]


def _block(block: Any, video: Tensor, text: Tensor, temb: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
    normed_video, normed_text, gate, text_gate = _modulated(block.norm1, video, text, temb, row)
    attended = _attention(block.attn1, torch.cat([normed_text, normed_video]), len(text), row)
    video, text = video + gate * attended[len(text) :], text + text_gate * attended[: len(text)]
    normed_video, normed_text, gate, text_gate = _modulated(block.norm2, video, text, temb, row)
    fed = block.ff(torch.cat([normed_text, normed_video])[None])[0]
    return video + gate * fed[len(text) :], text + text_gate * fed[: len(text)]


def _modulated(
    norm: Any, video: Tensor, text: Tensor, temb: Tensor, row: PackedRow
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The expert adaptive LayerNorm, each token with the time of its own clip."""
    chunks = norm.linear(norm.silu(temb)).chunk(6, dim=1)
    shift, scale, gate = (one[row.video_clip] for one in chunks[:3])
    text_shift, text_scale, text_gate = (one[row.text_clip] for one in chunks[3:])
    return norm.norm(video) * (1 + scale) + shift, norm.norm(text) * (1 + text_scale) + text_shift, gate, text_gate


def _attention(attention: Any, tokens: Tensor, text: int, row: PackedRow) -> Tensor:
    def heads(x: Tensor) -> Tensor:
        return x.view(1, len(tokens), attention.heads, -1).transpose(1, 2)

    query, key, value = (heads(layer(tokens)) for layer in (attention.to_q, attention.to_k, attention.to_v))
    query, key = attention.norm_q(query), attention.norm_k(key)
    if row.rotary is not None:
        query, key = (
            torch.cat([x[:, :, :text], apply_rotary_emb(x[:, :, text:], row.rotary)], 2) for x in (query, key)
        )
    made = F.scaled_dot_product_attention(query, key, value, attn_mask=row.mask)
    return attention.to_out[0](made.transpose(1, 2).reshape(len(tokens), -1))


def _unpatch(tokens: Tensor, clip: Tensor, patch: int) -> Tensor:
    frames, _, height, width = clip.shape
    grid = tokens.reshape(frames, height // patch, width // patch, -1, patch, patch)
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def losses(made: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """`[N]`: the mean square error of each clip by itself, so that a long one counts no more than a short one."""
    return torch.stack([(m - w).square().mean() for m, w in zip(made, wanted, strict=True)])
