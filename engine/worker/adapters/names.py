"""Which layer a LoRA's name means, in diffusers', Kohya's, ComfyUI's and OneTrainer's ways of naming.

A name is a prefix that says the part of the model, and the layer's path: with dots or, as Kohya writes it, with
underscores; as diffusers names it, or as the network's family says (``NetworkClass.lora_names``).
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from engine.families.lora import Names, Target, no_names
from engine.families.registry import NETWORK_CLASSES

DENOISER = "transformer"
"""What a name means that says no part: the model's denoiser, or each of several."""
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
    DENOISER: (
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


def rows_of(target: Target, up: Tensor) -> Tensor:
    """The part of ``up`` that is ``target``'s: of anything that has the layer's rows as its first dimension."""
    piece = up.chunk(target.pieces)[target.index] if target.pieces > 1 else up
    return piece.roll(len(piece) // 2, 0) if target.swapped else piece


def split_part(name: str, others: Iterable[str] = ()) -> tuple[str, str]:
    """The component and the rest of the name. ``others`` are denoisers that a file names by their folders."""
    for part in others:
        for prefix in (f"{part}.", f"base_model.model.{part}.", f"lycoris_{part}_", f"lora_{part}_"):
            if name.startswith(prefix):
                return part, name.removeprefix(prefix)
    for prefix, part in _BY_LENGTH:
        if name.startswith(prefix):
            return part, name.removeprefix(prefix).removeprefix("base_model.model.")
    raise AssertionError("the empty prefix fits every name")


def targets(network: nn.Module) -> dict[str, tuple[Target, ...]]:
    """Every name that a layer of ``network`` can have in a LoRA."""
    layers = {name for name, module in network.named_modules() if _can_change(module)}
    found: dict[str, tuple[Target, ...]] = {}
    known = NETWORK_CLASSES.get(type(network).__name__)
    further = known.lora_names if known is not None else no_names
    for alias, meant in (*_short(layers), *further(layers), *_own(layers)):
        found[alias] = found[alias.replace(".", "_")] = meant
    return found


def _can_change(module: nn.Module) -> bool:
    """Linear layers, convolutions of pictures, and what has a weight for each number of a vector (norms)."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        return True
    weight = module._parameters.get("weight")
    return weight is not None and weight.ndim == 1


def _short(layers: set[str]) -> Names:
    """``blocks`` for the transformer's, as DiffSynth-Studio has them."""
    for layer in layers:
        if layer.startswith("transformer_blocks."):
            yield layer.removeprefix("transformer_"), (Target(layer),)


def _own(layers: set[str]) -> Names:
    for layer in layers:
        yield layer, (Target(layer),)
        yield layer.removeprefix("text_model."), (Target(layer),)
        yield f"text_model.{layer}", (Target(layer),)
