"""From the tensor names of the original checkpoints to those of diffusers and transformers.

Sources of the original names: Stability AI's ``sd3-ref`` (``mmditx.py``, ``other_impls.py``) for the transformer and
the text encoders, CompVis' latent-diffusion (``autoencoder``) for the VAE. A file that has diffusers' names already is
taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Piece = Literal["all", "first", "second", "third", "swapped", "matrix"]


@dataclass(frozen=True)
class Take:
    """Which tensor becomes ``target``, and how much of it.

    ``first`` … ``third``: that third of its rows (query, key, value in one). ``swapped``: its two halves of rows the
    other way round (shift and scale). ``matrix``: a 1 × 1 convolution as a matrix.
    """

    target: str
    source: str
    piece: Piece = "all"

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The target's shape from the source's."""
        if self.piece in ("first", "second", "third"):
            return (shape[0] // 3, *shape[1:])
        return shape[:2] if self.piece == "matrix" else shape


Naming = Callable[[Iterable[str]], list[Take]]
_THIRDS: tuple[Piece, ...] = ("first", "second", "third")

_TRANSFORMER = {
    "x_embedder.proj": "pos_embed.proj",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "context_embedder": "context_embedder",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_BLOCK = re.compile(r"joint_blocks\.(\d+)\.(x|context)_block\.(.+)")
_IN_BLOCK = {
    "x": {
        "attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
        "attn.ln_q": ("attn.norm_q",),
        "attn.ln_k": ("attn.norm_k",),
        "attn.proj": ("attn.to_out.0",),
        "attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
        "attn2.ln_q": ("attn2.norm_q",),
        "attn2.ln_k": ("attn2.norm_k",),
        "attn2.proj": ("attn2.to_out.0",),
        "mlp.fc1": ("ff.net.0.proj",),
        "mlp.fc2": ("ff.net.2",),
        "adaLN_modulation.1": ("norm1.linear",),
    },
    "context": {
        "attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
        "attn.ln_q": ("attn.norm_added_q",),
        "attn.ln_k": ("attn.norm_added_k",),
        "attn.proj": ("attn.to_add_out",),
        "mlp.fc1": ("ff_context.net.0.proj",),
        "mlp.fc2": ("ff_context.net.2",),
        "adaLN_modulation.1": ("norm1_context.linear",),
    },
}


def sd3_transformer(names: Iterable[str]) -> list[Take]:
    """MMDiT and MMDiT-X. The last context block only feeds attention: its modulation is (shift, scale)."""
    names = list(names)
    if "pos_embed.pos_embed" in names:
        return [Take(name, name) for name in names]
    last = max((int(match[1]) for name in names if (match := _BLOCK.match(name))), default=-1)
    found = []
    for name in names:
        stem, _, kind = name.rpartition(".")
        match = _BLOCK.match(stem)
        if name == "pos_embed":
            found.append(Take("pos_embed.pos_embed", name))
        elif match:
            targets = _IN_BLOCK[match[2]].get(match[3], ())
            is_last = match[2] == "context" and int(match[1]) == last and match[3] == "adaLN_modulation.1"
            pieces = _THIRDS if len(targets) == 3 else ("swapped" if is_last else "all",)
            block = f"transformer_blocks.{match[1]}"
            found += [
                Take(f"{block}.{target}.{kind}", name, piece)
                for target, piece in zip(targets, pieces, strict=False)  # no targets: what is unknown is left out
            ]
        elif stem in _TRANSFORMER:
            piece: Piece = "swapped" if stem == "final_layer.adaLN_modulation.1" else "all"
            found.append(Take(f"{_TRANSFORMER[stem]}.{kind}", name, piece))
    return found


_VAE_RULES: tuple[tuple[str, str], ...] = (
    (r"\.mid\.block_1\.", ".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", ".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.norm\.", ".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", ".mid_block.attentions.0.to_out.0."),
    (r"\.down\.(\d+)\.block\.(\d+)\.", r".down_blocks.\1.resnets.\2."),
    (r"\.down\.(\d+)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.up\.(\d+)\.block\.(\d+)\.", r".up_blocks.\1.resnets.\2."),
    (r"\.up\.(\d+)\.upsample\.", r".up_blocks.\1.upsamplers.0."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    (r"coder\.norm_out\.", "coder.conv_norm_out."),
)
_UP = re.compile(r"\.up_blocks\.(\d+)\.")


def sd3_vae(names: Iterable[str]) -> list[Take]:
    """The original counts the decoder's levels from the fine end, diffusers from the coarse one."""
    names = [name for name in names if name.startswith(("encoder.", "decoder.", "quant_conv.", "post_quant_conv."))]
    if any(".up_blocks." in name for name in names):
        return [Take(name, name) for name in names]
    levels = 1 + max((int(match[1]) for name in names if (match := re.search(r"\.up\.(\d+)\.", name))), default=0)
    found = []
    for name in names:
        target = name
        for pattern, replacement in _VAE_RULES:
            target = re.sub(pattern, replacement, target)
        target = _UP.sub(lambda match: f".up_blocks.{levels - 1 - int(match[1])}.", target)
        is_matrix = re.search(r"\.attn_1\.(q|k|v|proj_out)\.weight$", name) is not None
        found.append(Take(target, name, "matrix" if is_matrix else "all"))
    return found


def text_encoder(names: Iterable[str]) -> list[Take]:
    """All-in-one files put ``transformer.`` before the names; the rest are transformers' own."""
    left_out = ("logit_scale", "text_model.embeddings.position_ids")
    return [Take(target, name) for name in names if (target := name.removeprefix("transformer.")) not in left_out]


LAYOUTS: dict[str, Naming] = {
    "transformer": sd3_transformer,
    "vae": sd3_vae,
    "text_encoder": text_encoder,
    "text_encoder_2": text_encoder,
    "text_encoder_3": text_encoder,
}
