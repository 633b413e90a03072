"""Its components in single files. The two transformers have the same names and shapes: their files' names tell them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine.families.files import FileKind
from engine.families.networks import PICTURE_VAE
from engine.families.shapes import Shapes, count
from engine.families.takes import THIRDS, Take

from .published import TRANSFORMER

HERE = Path(__file__).resolve().parent
SCHEDULER = HERE / "configs" / "scheduler"
_PREFIXES = ("model.diffusion_model.", "")


def transformer(names: Iterable[str]) -> list[Take]:
    """``blocks`` and ``qkv`` of the files as the class names them."""
    found = []
    for name in names:
        target = name.replace("blocks.", "stages.", 1) if name.startswith("blocks.") else name
        stem, _, kind = target.rpartition(".")
        if stem.endswith(".mixer.qkv"):
            stem = stem.removesuffix("qkv")
            found += [Take(f"{stem}to_{one}.{kind}", name, piece) for one, piece in zip("qkv", THIRDS, strict=True)]
        else:
            found.append(Take(target, name))
    return found


def transformer_config(shapes: Shapes, name: str) -> dict[str, Any]:
    width, channels, patch, _ = shapes["patch.weight"]
    return {
        "in_channels": channels,
        "patch_size": patch,
        "num_layers": count(shapes, r"stages\.(\d+)\."),
        "num_attention_heads": width // 16,
        "text_dim": shapes["text.weight"][1],
    }


def _is_transformer(is_low: bool) -> Callable[[Shapes, str, str], bool]:
    def is_at(shapes: Shapes, prefix: str, stem: str) -> bool:
        return f"{prefix}blocks.0.mixer.qkv.weight" in shapes and ("low" in stem.lower()) == is_low

    return is_at


def _is_vae(shapes: Shapes, prefix: str, stem: str) -> bool:
    first = shapes.get(f"{prefix}decoder.conv_in.weight", ())
    return len(first) == 4 and first[1] == 4


def vae_config(shapes: Shapes, name: str) -> dict[str, Any]:
    return {}


HIGH_KIND = FileKind(
    "twofold_high",
    "high noise transformer",
    TRANSFORMER.name,
    HERE / "configs" / "transformer",
    transformer,
    transformer_config,
    prefixes=_PREFIXES,
    is_at=_is_transformer(is_low=False),
    model_of=lambda shapes, path: "twofold-one",
)
LOW_KIND = FileKind(
    "twofold_low",
    "low noise transformer",
    TRANSFORMER.name,
    HERE / "configs" / "transformer",
    transformer,
    transformer_config,
    prefixes=_PREFIXES,
    is_at=_is_transformer(is_low=True),
)
VAE_KIND = FileKind(
    "twofold_vae",
    "VAE",
    PICTURE_VAE.name,
    HERE / "configs" / "vae",
    changes=vae_config,
    fits=("latent_channels", 4),
    prefixes=("vae.", ""),
    is_at=_is_vae,
)
