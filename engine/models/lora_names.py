"""How the tensors of a LoRA are called: the layer, and what of its change a tensor is."""

from __future__ import annotations

import re

_ROLES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(f"(?:{pattern})$"), role)
    for pattern, role in (
        (
            r"\.lora_A(\.[\w-]+)?\.weight|\.lora_A|\.lora_down\.weight|\.lora\.down\.weight|\.lora_linear_layer\.down\.weight",
            "down",
        ),
        (
            r"\.lora_B(\.[\w-]+)?\.weight|\.lora_B|\.lora_up\.weight|\.lora\.up\.weight|\.lora_linear_layer\.up\.weight",
            "up",
        ),
        (r"\.lora_mid\.weight", "mid"),
        (r"\.alpha", "alpha"),
        (r"\.dora_scale|\.lora_magnitude_vector(\.[\w-]+)?(\.weight)?", "magnitude"),
        (r"\.(?P<role>hada_(?:w[12]_[ab]|t[12]))", ""),
        (r"\.(?P<role>lokr_(?:w[12](?:_[ab])?|t2))", ""),
        (r"\.diff|\.w_norm", "diff"),
        (r"\.diff_b|\.b_norm|\.lora_B(\.[\w-]+)?\.bias", "bias"),
    )
)
_COMPILED = "_orig_mod."


def split_name(name: str) -> tuple[str, str]:
    """The layer and the tensor's role: down, up, mid, alpha, magnitude, diff, bias, or LyCORIS' own name of it; the
    role is "" for what belongs to no LoRA. ``torch.compile``'s mark is left out."""
    for pattern, role in _ROLES:
        match = pattern.search(name)
        if match and match.start():
            return name[: match.start()].replace(_COMPILED, ""), role or match["role"]
    return name, ""
