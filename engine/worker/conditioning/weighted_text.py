"""Texts with weights for CLIP and T5, read as ComfyUI reads them.

A prompt is cut where its weights change, and each piece becomes tokens on its own. CLIP takes chunks of 77 tokens (its
tokenizer's length), start and end in each; a piece of fewer than eight tokens is not torn apart. A token's weight w
moves its encoding from that of the empty text: ``z = (z - z_empty) w + z_empty``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.interop.prompt_weights import parse

SHORT_PIECE = 8


@dataclass
class Chunk:
    """Token ids and their weights; all chunks of one text have the same length."""

    ids: list[int]
    weights: list[float]

    def add(self, ids: list[int], weight: float = 1.0) -> None:
        self.ids += ids
        self.weights += [weight] * len(ids)

    def pad(self, id: int, length: int) -> Chunk:
        self.add([id] * max(length - len(self.ids), 0))
        return self


def clip_chunks(tokenizer: Any, prompt: str) -> list[Chunk]:
    """At least one chunk; an empty prompt is one of padding between start and end."""
    length, end, pad = tokenizer.model_max_length, tokenizer.eos_token_id, tokenizer.pad_token_id
    chunks = [Chunk([tokenizer.bos_token_id], [1.0])]
    for ids, weight in _pieces(tokenizer, prompt):
        left = ids
        while left:
            room = length - 1 - len(chunks[-1].ids)
            if len(left) > room and (len(ids) >= SHORT_PIECE or len(ids) > length - 2):
                chunks[-1].add(left[:room], weight)
                left = left[room:]
            elif len(left) <= room:
                chunks[-1].add(left, weight)
                break
            chunks.append(Chunk([tokenizer.bos_token_id], [1.0]))
    for chunk in chunks:
        chunk.add([end])
        chunk.pad(pad, length)
    return chunks


def t5_tokens(tokenizer: Any, prompt: str, least: int) -> Chunk:
    """One chunk of any length, padded to at least ``least`` tokens."""
    chunk = Chunk([], [])
    for ids, weight in _pieces(tokenizer, prompt):
        chunk.add(ids, weight)
    chunk.add([tokenizer.eos_token_id])
    return chunk.pad(tokenizer.pad_token_id, least)


def encode(
    run: Callable[[Tensor], tuple[Tensor, Tensor]], chunks: list[Chunk], empty: Callable[[int], Chunk]
) -> tuple[Tensor, Tensor]:
    """The weighted encoding [1, tokens, D] and the first chunk's pooled vector, which has no weights.

    ``run`` takes ids [chunks, length] to hidden states and pooled vectors; ``empty(length)`` is the empty text.
    """
    has_weights = any(weight != 1 for chunk in chunks for weight in chunk.weights)
    rows = [chunk.ids for chunk in chunks]
    if has_weights:
        rows.append(empty(len(rows[0])).ids)
    hidden, pooled = run(torch.tensor(rows))
    if has_weights:
        hidden, nothing = hidden[:-1], hidden[-1]
        weights = torch.tensor([chunk.weights for chunk in chunks], device=hidden.device, dtype=hidden.dtype)[..., None]
        hidden = torch.where(weights == 1, hidden, (hidden - nothing) * weights + nothing)
    return hidden.flatten(0, 1)[None], pooled[:1]


def _pieces(tokenizer: Any, prompt: str) -> list[tuple[list[int], float]]:
    return [
        (tokenizer(piece.text, add_special_tokens=False, verbose=False).input_ids, piece.weight)
        for piece in parse(prompt)
    ]
