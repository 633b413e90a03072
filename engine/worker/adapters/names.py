"""Which layer a LoRA's name means, in diffusers', Kohya's, ComfyUI's and OneTrainer's ways of naming.

A name is a prefix that says the part of the model, and the layer's path: with dots or, as Kohya writes it, with
underscores; as diffusers names it or, for SD3's transformer, as the reference implementation does (MMDiT). There the
three projections of an attention are one matrix, so a target may be a third of the rows of ``up``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

_ENCODERS = {
    "text_encoder": ("te1", "te", "clip_l"),
    "text_encoder_2": ("te2", "clip_g"),
    "text_encoder_3": ("te3", "t5xxl"),
}
PARTS = {
    **{
        part: (
            f"{part}.",
            f"base_model.model.{part}.",
            f"lycoris_{part}_",
            *(f"lora_{name}_" for name in names),
            *(f"text_encoders.{name}.transformer." for name in names),
        )
        for part, names in _ENCODERS.items()
    },
    "transformer": (
        "transformer.",
        "model.diffusion_model.",
        "diffusion_model.",
        "base_model.model.",
        "base_model.model.transformer.",
        "base_model.model.diffusion_model.",
        "pipe.dit.",
        "pipe.transformer.",
        "dit.",
        "unet.",
        "model.",
        "module.",
        "lora_transformer_",
        "lora_unet__",
        "lora_unet_",
        "lycoris_",
        "",
    ),
}
"""The prefixes of each component's layers; the empty one last."""

_BY_LENGTH = sorted(
    ((prefix, part) for part, prefixes in PARTS.items() for prefix in prefixes), key=lambda pair: -len(pair[0])
)
_MMDIT_BLOCK = (
    ("x_block.attn.qkv", ("attn.to_q", "attn.to_k", "attn.to_v")),
    ("x_block.attn2.qkv", ("attn2.to_q", "attn2.to_k", "attn2.to_v")),
    ("context_block.attn.qkv", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
    ("x_block.attn.proj", ("attn.to_out.0",)),
    ("x_block.attn2.proj", ("attn2.to_out.0",)),
    ("context_block.attn.proj", ("attn.to_add_out",)),
    ("x_block.mlp.fc1", ("ff.net.0.proj",)),
    ("x_block.mlp.fc2", ("ff.net.2",)),
    ("context_block.mlp.fc1", ("ff_context.net.0.proj",)),
    ("context_block.mlp.fc2", ("ff_context.net.2",)),
    ("x_block.attn.ln_q", ("attn.norm_q",)),
    ("x_block.attn.ln_k", ("attn.norm_k",)),
    ("x_block.attn2.ln_q", ("attn2.norm_q",)),
    ("x_block.attn2.ln_k", ("attn2.norm_k",)),
    ("context_block.attn.ln_q", ("attn.norm_added_q",)),
    ("context_block.attn.ln_k", ("attn.norm_added_k",)),
    ("x_block.adaLN_modulation.1", ("norm1.linear",)),
    ("context_block.adaLN_modulation.1", ("norm1_context.linear",)),
)
_MMDIT_ENDS = {
    "x_embedder.proj": "pos_embed.proj",
    "context_embedder": "context_embedder",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
    "final_layer.linear": "proj_out",
}


@dataclass(frozen=True)
class Target:
    """``layer`` takes piece ``index`` of ``pieces`` of the rows; ``swapped``: their halves are the other way round
    (diffusers' last norms put scale before shift)."""

    layer: str
    index: int = 0
    pieces: int = 1
    swapped: bool = False

    def rows(self, up: Tensor) -> Tensor:
        """Of anything that has the layer's rows as its first dimension."""
        piece = up.chunk(self.pieces)[self.index] if self.pieces > 1 else up
        return piece.roll(len(piece) // 2, 0) if self.swapped else piece


def split_part(name: str) -> tuple[str, str]:
    """The component and the rest of the name."""
    for prefix, part in _BY_LENGTH:
        if name.startswith(prefix):
            return part, name.removeprefix(prefix).removeprefix("base_model.model.")
    raise AssertionError("the empty prefix fits every name")


def targets(network: nn.Module) -> dict[str, tuple[Target, ...]]:
    """Every name that a layer of ``network`` can have in a LoRA."""
    layers = {name for name, module in network.named_modules() if _can_change(module)}
    found: dict[str, tuple[Target, ...]] = {}
    for alias, meant in (*_diffsynth(layers), *_mmdit(layers), *_own(layers)):
        found[alias] = found[alias.replace(".", "_")] = meant
    return found


def _can_change(module: nn.Module) -> bool:
    """Linear layers, convolutions of pictures, and what has a weight for each number of a vector (norms)."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        return True
    weight = module._parameters.get("weight")
    return weight is not None and weight.ndim == 1


_DIFFSYNTH_JOINT = {
    "norm1_a.linear": ("norm1.linear",),
    "norm1_b.linear": ("norm1_context.linear",),
    "attn.a_to_qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "attn.b_to_qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "attn.a_to_out": ("attn.to_out.0",),
    "attn.b_to_out": ("attn.to_add_out",),
    "attn2.to_qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "attn2.to_out": ("attn2.to_out.0",),
    "ff_a.0": ("ff.net.0.proj",),
    "ff_a.2": ("ff.net.2",),
    "ff_b.0": ("ff_context.net.0.proj",),
    "ff_b.2": ("ff_context.net.2",),
}
_DIFFSYNTH_PLAIN = (("attn1.to_out.0", "attn1.to_out"), ("ff.net.0.proj", "ff.0"), ("ff.net.2", "ff.2"))


def _diffsynth(layers: set[str]) -> Iterator[tuple[str, tuple[Target, ...]]]:
    """DiffSynth-Studio's: ``blocks`` for the transformer's, shorter names within them."""
    blocks = sorted({name.split(".")[1] for name in layers if name.startswith("transformer_blocks.")})
    for i in blocks:
        for theirs, ours in _DIFFSYNTH_JOINT.items():
            wanted = [f"transformer_blocks.{i}.{name}" for name in ours]
            if all(layer in layers for layer in wanted):
                yield (
                    f"blocks.{i}.{theirs}",
                    tuple(Target(layer, n, len(wanted)) for n, layer in enumerate(wanted)),
                )
    for layer in layers:
        if layer.startswith("transformer_blocks."):
            short = layer.removeprefix("transformer_")
            yield short, (Target(layer),)
            for ours, theirs in _DIFFSYNTH_PLAIN:
                if short.endswith("." + ours):
                    yield short.removesuffix(ours) + theirs, (Target(layer),)


def _own(layers: set[str]) -> Iterator[tuple[str, tuple[Target, ...]]]:
    for layer in layers:
        yield layer, (Target(layer),)
        yield layer.removeprefix("text_model."), (Target(layer),)
        yield f"text_model.{layer}", (Target(layer),)


def _mmdit(layers: set[str]) -> Iterator[tuple[str, tuple[Target, ...]]]:
    blocks = 1 + max((int(m[1]) for n in layers if (m := re.match(r"transformer_blocks\.(\d+)\.", n))), default=-1)
    for i in range(blocks):
        for theirs, ours in _MMDIT_BLOCK:
            wanted = [f"transformer_blocks.{i}.{name}" for name in ours]
            last = i == blocks - 1 and theirs == "context_block.adaLN_modulation.1"
            if all(layer in layers for layer in wanted):
                yield (
                    f"joint_blocks.{i}.{theirs}",
                    tuple(Target(layer, n, len(wanted), swapped=last) for n, layer in enumerate(wanted)),
                )
    for theirs, layer in _MMDIT_ENDS.items():
        if layer in layers:
            yield theirs, (Target(layer, swapped=layer == "norm_out.linear"),)
