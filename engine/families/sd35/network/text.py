"""The three text encoders of Stable Diffusion 3, in diffusers' reading of a prompt and in ComfyUI's.

Both end in ``embeds`` [1, tokens, D], the two CLIPs side by side and zero-padded to T5's width, T5 behind them on the
token axis, and in ``pooled`` [1, P].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.protocol.conditioning import Words
from engine.protocol.recipe import Recipe
from engine.worker.conditioning.weighted_text import Chunk, clip_chunks, encode, t5_tokens
from engine.worker.guidance import Conditioning


def read_prompt(parts: dict[str, Any], recipe: Recipe, words: Words, width: int) -> Conditioning:
    """Encode ``words`` with the tokenizers and text encoders in ``parts``; ``width`` is D, T5's."""
    has_t5 = "text_encoder_3" in parts and recipe.use_t5
    own = [words.text if own is None else own for own in (words.clip_l, words.clip_g)]
    if recipe.text_encoding == "comfyui":
        (one, pooled_one), (two, pooled_two) = _weighted_clips(parts, [text or "" for text in own])
    else:
        one, pooled_one = _plain_clip(parts["tokenizer"], parts["text_encoder"], own[0] or "")
        two, pooled_two = _plain_clip(parts["tokenizer_2"], parts["text_encoder_2"], own[1] or "")
    clip = torch.cat([one, two.to(one.dtype)], dim=-1)
    clip = torch.nn.functional.pad(clip, (0, width - clip.shape[-1]))
    pooled = torch.cat([pooled_one, pooled_two.to(pooled_one.dtype)], dim=-1)
    if has_t5:
        make = _weighted_t5 if recipe.text_encoding == "comfyui" else _plain_t5
        t5 = make(parts["tokenizer_3"], parts["text_encoder_3"], words.text or "", recipe)
    else:
        tokens = 0 if recipe.text_encoding == "comfyui" else recipe.max_sequence_length
        t5 = torch.zeros((1, tokens, width), dtype=clip.dtype, device=clip.device)
    return {"embeds": torch.cat([clip, t5.to(clip.dtype)], dim=-2), "pooled": pooled}


def _run_clip(encoder: Any, ids: Tensor) -> tuple[Tensor, Tensor]:
    """The hidden states before the last layer [N, length, D] and the projected pooled vectors [N, P]."""
    output = encoder(ids.to(encoder.device), output_hidden_states=True)
    return output.hidden_states[-2], output[0]


def _run_t5(encoder: Any, ids: Tensor, end: int, mask: bool) -> Tensor:
    """[N, length, D]. The reference has no attention mask; with ``mask`` nothing behind the end token is seen."""
    ids = ids.to(encoder.device)
    if not mask:
        return encoder(ids)[0]
    ends = (ids == end).int()
    return encoder(ids, attention_mask=(ends.cumsum(-1) - ends == 0).int())[0]


def _plain_clip(tokenizer: Any, encoder: Any, prompt: str) -> tuple[Tensor, Tensor]:
    ids = tokenizer(
        [prompt],
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    return _run_clip(encoder, ids)


def _plain_t5(tokenizer: Any, encoder: Any, prompt: str, recipe: Recipe) -> Tensor:
    ids = tokenizer(
        [prompt],
        padding="max_length",
        max_length=recipe.max_sequence_length,
        truncation=True,
        add_special_tokens=True,
        return_tensors="pt",
    ).input_ids
    return _run_t5(encoder, ids, tokenizer.eos_token_id, recipe.t5_mask)


def _weighted_clips(parts: dict[str, Any], prompts: list[str]) -> list[tuple[Tensor, Tensor]]:
    """Both CLIPs, the one with fewer chunks filled up with empty ones."""
    tokenizers = [parts["tokenizer"], parts["tokenizer_2"]]
    texts = [clip_chunks(tokenizer, prompt) for tokenizer, prompt in zip(tokenizers, prompts, strict=True)]
    most = max(map(len, texts))
    found = []
    for tokenizer, encoder, chunks in zip(
        tokenizers, (parts["text_encoder"], parts["text_encoder_2"]), texts, strict=True
    ):
        empty = clip_chunks(tokenizer, "")
        filled = chunks + empty * (most - len(chunks))
        found.append(encode(lambda ids, e=encoder: _run_clip(e, ids), filled, lambda length, c=empty: c[0]))
    return found


def _weighted_t5(tokenizer: Any, encoder: Any, prompt: str, recipe: Recipe) -> Tensor:
    def run(ids: Tensor) -> tuple[Tensor, Tensor]:
        hidden = _run_t5(encoder, ids, tokenizer.eos_token_id, recipe.t5_mask)
        return hidden, hidden

    def empty(length: int) -> Chunk:
        return t5_tokens(tokenizer, "", length)

    return encode(run, [t5_tokens(tokenizer, prompt, recipe.max_sequence_length)], empty)[0]
