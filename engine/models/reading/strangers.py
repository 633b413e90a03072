"""What files of other families are, so that a refusal can name them. By names of tensors that only they have."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LORA = re.compile(r"(lora_(A|B|up|down|mid)|lora\.(up|down)|lokr_w|hada_w|dora_scale|\.diff(_b)?$)")
# A family's name, how its checkpoints are called, and a pattern over names with their dots as underscores.
_FAMILIES: tuple[tuple[str, str, str], ...] = (
    ("Flux", "a Flux transformer", r"double_blocks_\d+_(img|txt)_(attn|mlp)|single_transformer_blocks_\d+|single_blocks_\d+_(linear|modulation)"),  # noqa: E501
    ("HunyuanVideo", "a HunyuanVideo transformer", r"double_blocks_\d+_img_attn_qkv.*|txt_in_individual_token_refiner"),
    ("Wan", "a Wan video transformer", r"(^|_)blocks_\d+_(self_attn|cross_attn)_(q|k|v|o|norm)|blocks_\d+_ffn_0.*"),
    ("LTX-Video", "an LTX-Video transformer", r"transformer_blocks_\d+_scale_shift_table|patchify_proj"),
    ("Qwen-Image", "a Qwen-Image transformer", r"transformer_blocks_\d+_(img_mlp|txt_mlp|img_mod|txt_mod)"),
    ("Mochi", "a Mochi transformer", r"(^|_)blocks_\d+_attn_qkv_[xy]"),
    ("PixArt or Sana", "a PixArt or Sana transformer", r"adaln_single_|caption_projection_"),
    ("AuraFlow", "an AuraFlow transformer", r"double_layers_\d+_|single_layers_\d+_"),
    ("HiDream", "a HiDream transformer", r"double_stream_blocks_\d+|single_stream_blocks_\d+"),
    ("Lumina or Z-Image", "a Lumina or Z-Image transformer", r"(noise_refiner|context_refiner)_\d+_"),
    ("Stable Cascade", "a Stable Cascade model", r"(up|down)_blocks_\d+_\d+_(channelwise|mapper|kv_mapper)|clip_txt_pooled_mapper"),  # noqa: E501
    ("Stable Diffusion XL", "a Stable Diffusion XL checkpoint", r"conditioner_embedders_|label_emb_0_0|lora_te2_text_model.*|input_blocks_\d+_1_transformer_blocks_[2-9]|(down|up)_blocks_\d+_attentions_\d+_transformer_blocks_[2-9]|mid_block_attentions_0_transformer_blocks_[1-9]"),  # noqa: E501
    ("Stable Diffusion 1, 2 or XL", "a Stable Diffusion 1, 2 or XL checkpoint", r"(input|output|middle)_blocks?_\d+|(^|_)(down|up)_blocks_\d+_(attentions|resnets|downsamplers|upsamplers)|mid_block_attentions|cond_stage_model_"),  # noqa: E501
)  # fmt: skip
_PATTERNS = tuple((name, what, re.compile(pattern)) for name, what, pattern in _FAMILIES)
_OTHERS: tuple[tuple[str, str], ...] = (
    (r"control_model\.|controlnet_(blocks|cond|down_blocks|mid_block)|input_hint_block", "a ControlNet, not a model"),
    (r"ip_adapter\.|image_proj\.|ip_layers\.", "an IP-Adapter"),
    (r"^motion_modules\.|\.motion_modules\.", "a motion module of AnimateDiff"),
    (r"^(params_ema|params)\.|^body\.\d+\.rdb|^conv_first\.|^model\.\d+\.sub\.|upsampling_layer", "an upscaler"),
    (r"vision_model\.|visual_projection|^visual\.", "a vision encoder of CLIP"),
    (r"^emb_params$|^clip_[lg]$|^string_to_param", "a textual inversion"),
    (r"text_model\.encoder\.", "a text encoder of another model"),
    (r"enc\.blk\.|encoder\.block\.\d+\.layer\.", "a T5 of another size or kind"),
    (r"(^|\.)layers\.\d+\.self_attn|^blk\.\d+\.attn", "a language model"),
    (r"(^|\.)decoder\.(conv_in|up|up_blocks|mid)\.|^decoder\.\w+\.", "a VAE of another model"),
    (r"transformer_blocks\.0\.attn1?\.to_q\.", "a transformer of a family that Laterna does not know"),
)


def stranger(names: Iterable[str]) -> str | None:
    """What a file with tensors of these names is, in words; None where they say nothing."""
    names = list(names)
    is_lora = any(_LORA.search(name) for name in names)
    family = family_name(names)
    if is_lora:
        return f"a LoRA for {family}" if family else "a LoRA, not a model"
    for pattern, what in _OTHERS[:1]:
        if any(re.search(pattern, name) for name in names):
            return f"a ControlNet for {family}" if family else what
    if family is not None:
        return next(what for name, what, _ in _PATTERNS if name == family)
    for pattern, what in _OTHERS[1:]:
        if any(re.search(pattern, name) for name in names):
            return what
    return None


def family_name(names: Iterable[str]) -> str | None:
    """The family of strangers that these names of tensors or LoRA layers belong to."""
    flat = [name.replace(".", "_") for name in names]
    for name, _, pattern in _PATTERNS:
        if any(pattern.search(one) for one in flat):
            return name
    return None
