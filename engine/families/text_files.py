"""Text encoders that several families read prompts with, in single files: CLIP and T5 with transformers' names, T5 with
those of ggml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from engine.families.files import FileKind
from engine.families.networks import CLIP_ENCODER, T5_ENCODER
from engine.families.shapes import Shapes, count
from engine.families.takes import Take
from resources import CONFIGS, TOKENIZERS

_LEFT_OUT = ("logit_scale", "text_model.embeddings.position_ids")
_GGML_BLOCK = re.compile(r"enc\.blk\.(\d+)\.(\w+)\.weight")
_GGML = {
    "attn_q": "layer.0.SelfAttention.q",
    "attn_k": "layer.0.SelfAttention.k",
    "attn_v": "layer.0.SelfAttention.v",
    "attn_o": "layer.0.SelfAttention.o",
    "attn_rel_b": "layer.0.SelfAttention.relative_attention_bias",
    "attn_norm": "layer.0.layer_norm",
    "ffn_gate": "layer.1.DenseReluDense.wi_0",
    "ffn_up": "layer.1.DenseReluDense.wi_1",
    "ffn_down": "layer.1.DenseReluDense.wo",
    "ffn_norm": "layer.1.layer_norm",
}
_GGML_ENDS = {"token_embd.weight": "shared.weight", "enc.output_norm.weight": "encoder.final_layer_norm.weight"}


def encoder(names: Iterable[str]) -> list[Take]:
    """All-in-one files put ``transformer.`` before the names; the rest are transformers' own."""
    return [Take(target, name) for name in names if (target := name.removeprefix("transformer.")) not in _LEFT_OUT]


def clip_l(names: Iterable[str]) -> list[Take]:
    """Stable Diffusion 3 never projects CLIP-L's pooled vector; files that carry a projection were made for others."""
    return [take for take in encoder(names) if take.target != "text_projection.weight"]


def t5(names: Iterable[str]) -> list[Take]:
    """As llama.cpp writes T5's encoder into GGUF, or as transformers does."""
    names = list(names)
    if "token_embd.weight" not in names:
        return encoder(names)
    found = [Take(_GGML_ENDS[name], name) for name in names if name in _GGML_ENDS]
    for name in names:
        match = _GGML_BLOCK.fullmatch(name)
        if match and match[2] in _GGML:
            found.append(Take(f"encoder.block.{match[1]}.{_GGML[match[2]]}.weight", name))
    return found


def clip_config(shapes: Shapes) -> dict[str, Any]:
    vocabulary, width = shapes["text_model.embeddings.token_embedding.weight"]
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": count(shapes, r"text_model\.encoder\.layers\.(\d+)\."),
        "num_attention_heads": width // 64,
        "max_position_embeddings": shapes["text_model.embeddings.position_embedding.weight"][0],
        "projection_dim": shapes.get("text_projection.weight", (width,))[0],
    }


def t5_config(shapes: Shapes) -> dict[str, Any]:
    vocabulary, width = shapes.get("shared.weight") or shapes["encoder.embed_tokens.weight"]
    attention = "encoder.block.0.layer.0.SelfAttention"
    buckets, heads = shapes[f"{attention}.relative_attention_bias.weight"]
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": shapes[f"{attention}.q.weight"][0] // heads,
        "d_ff": shapes["encoder.block.0.layer.1.DenseReluDense.wo.weight"][1],
        "num_layers": count(shapes, r"encoder\.block\.(\d+)\."),
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
    }


_CLIP_WORDS = "text_model.embeddings.token_embedding.weight"


def _is_clip(width: int) -> Callable[[Shapes, str, str], bool]:
    def is_at(shapes: Shapes, prefix: str, stem: str) -> bool:
        words = shapes.get(f"{prefix}{_CLIP_WORDS}", ())
        return len(words) == 2 and words[1] == width

    return is_at


def _is_t5(shapes: Shapes, prefix: str, stem: str) -> bool:
    """The encoder of T5 v1.1 XXL, not that of UMT5, which has positions of its own in each layer."""
    words = shapes.get(f"{prefix}shared.weight") or shapes.get(f"{prefix}encoder.embed_tokens.weight") or ()
    ggml = shapes.get(f"{prefix}token_embd.weight") or ()
    if ggml[-1:] == (4096,):
        return (
            f"{prefix}enc.blk.0.attn_rel_b.weight" in shapes
            and f"{prefix}enc.blk.1.attn_rel_b.weight" not in shapes
            and f"{prefix}enc.blk.0.ffn_gate.weight" in shapes
        )
    return (
        words[-1:] == (4096,)
        and any(key.startswith(prefix) and key.endswith(".layer.1.DenseReluDense.wo.weight") for key in shapes)
        and f"{prefix}encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight" not in shapes
        and f"{prefix}decoder.block.0.layer.0.SelfAttention.q.weight" not in shapes
    )


def _below(name: str) -> tuple[str, ...]:
    """Where all-in-one files keep an encoder that ComfyUI calls ``name``."""
    return (f"text_encoders.{name}.transformer.", f"text_encoders.{name}.", f"{name}.transformer.")


_ALONE = ("", "transformer.")
CLIP_WORDS = 49408
"""Tokens of CLIP's vocabulary, one for both of its encoders."""

CLIP_L = FileKind(
    "clip_l",
    "CLIP-L",
    CLIP_ENCODER.name,
    CONFIGS / "text" / "clip_l",
    clip_l,
    lambda shapes, name: clip_config(shapes),
    ("hidden_size", 768),
    _below("clip_l"),
    _ALONE,
    _is_clip(768),
    is_plain=True,
)
CLIP_G = FileKind(
    "clip_g",
    "CLIP-G",
    CLIP_ENCODER.name,
    CONFIGS / "text" / "clip_g",
    encoder,
    lambda shapes, name: clip_config(shapes),
    ("hidden_size", 1280),
    _below("clip_g"),
    _ALONE,
    _is_clip(1280),
)
T5 = FileKind(
    "t5",
    "T5",
    T5_ENCODER.name,
    CONFIGS / "text" / "t5",
    t5,
    lambda shapes, name: t5_config(shapes),
    ("d_model", 4096),
    _below("t5xxl"),
    _ALONE,
    _is_t5,
    tokenizer="t5_tokenizer",
)
CLIP_L_TOKENIZER = FileKind(
    "clip_l_tokenizer", "CLIP-L tokenizer", tokenizer_of="clip_l", ships=TOKENIZERS / "clip", words=CLIP_WORDS
)
CLIP_G_TOKENIZER = FileKind(
    "clip_g_tokenizer",
    "CLIP-G tokenizer",
    tokenizer_of="clip_g",
    ships=TOKENIZERS / "clip",
    words=CLIP_WORDS,
    filling={"pad_token": "!"},  # one vocabulary, two ways of filling up
)
T5_TOKENIZER = FileKind("t5_tokenizer", "T5 tokenizer", tokenizer_of="t5")
