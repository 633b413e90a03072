"""Text encoders in single files: CLIP and T5 with transformers' names, T5 with those of ggml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from engine.models.reading.shapes import Shapes, count
from engine.models.reading.takes import Take

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
