"""What files of other families are, so that a refusal can name them. By names of tensors that only they have.

In the patterns ``~`` is the dot between the parts of a name, or the underscore that Kohya's LoRAs have there, and ``N``
a number that stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

_LORA = re.compile(r"(lora_(A|B|up|down|mid)|lora\.(up|down)|lokr_w|hada_w|dora_scale|\.diff(_b)?$)")
_NUMBER = re.compile(r"(?<![^._])\d+(?![^._])")


class Stranger(NamedTuple):
    """``what`` in words ("a LoRA for Flux"); ``family`` by name, "" where that is not known."""

    kind: Literal["LoRA", "ControlNet", "other"]
    what: str
    family: str = ""


class _Row(NamedTuple):
    name: str
    what: str
    pattern: re.Pattern[str]


def _row(name: str, what: str, *patterns: str) -> _Row:
    return _Row(name, what, re.compile("|".join(patterns).replace("~", "[._]"), re.MULTILINE))


def _transformer(name: str, *patterns: str) -> _Row:
    article = "an" if name[0] in "AEIOL" and name[:2] != "Lu" else "a"
    return _row(name, f"{article} {name} transformer", *patterns)


_END = "(~(weight|bias|alpha|lora|diff|hada|lokr|dora)|$)"
_LONE = r"(?<!transformer_)(?<!transformer\.)blocks~N~"
_OUTSIDE = r"(?<!encoder\.)(?<!decoder\.)"
# The first that fits: what tells less comes later.
_FAMILIES = (
    _transformer("Flux.2", "double_stream_modulation_img"),
    _transformer("Chroma", "distilled_guidance_layer"),
    _transformer("HunyuanVideo", "token_refiner", r"double_blocks\.N\.(img|txt)_attn_(qkv|proj)"),
    _transformer("Hunyuan-DiT", "blocks~N~attn1~Wqkv", "^mlp_t5~", r"^pooler\.positional_embedding"),
    _transformer("AuraFlow", "(^|~)(double|single)_layers~N~", "joint_transformer_blocks~N~", "register_tokens"),
    _transformer("HiDream", "(double|single)_stream_blocks~N~", "caption_projection~N~linear"),
    _transformer("Kandinsky 5", "(visual|text)_transformer_blocks~N~"),
    _transformer("Qwen-Image", "transformer_blocks~N~(img|txt)_(mlp|mod)"),
    _transformer(
        "Flux", "double_blocks~N~((img|txt)_(attn|mlp|mod)|processor)", "single_transformer_blocks~N~",
        "single_blocks~N~(linear|modulation)",
    ),
    _transformer("Cosmos", "adaln_modulation_(self|cross)_attn", r"blocks\.block\d", "extra_pos_embedder"),
    _row(
        "Wan", "a Wan video transformer", f"blocks~N~(self|cross)_attn~([qkvo]|[kv]_img|norm_[qk]){_END}",
        f"{_LONE}(attn2~to_[qkv]{_END}|ffn~)",
    ),
    _transformer("Mochi", "blocks~N~attn~(qkv|proj)_[xy]", "^t5_yproj", "attn1~add_[qkv]_proj", "time_embed~pooler"),
    _transformer("Sana", r"~ff~conv_(depth|inverted|point)"),
    _transformer("LTX-Video", "patchify_proj", "time_embed~emb~timestep_embedder"),
    _transformer(
        "PixArt", "adaln_single~", f"{_LONE}cross_attn~(q|kv)_linear", r"y_embedder\.y_embedding",
        "^caption_projection~",
    ),
    _transformer(
        "Lumina or Z-Image", "(noise|context)_refiner~N~", "(^|~)layers~N~attention~(qkv|out|to_[qkv]|to_out)"
    ),
    _transformer("OmniGen", "^llm~layers~N~"),
    _row("Stable Audio", "a Stable Audio model", "^conditioner~conditioners~", "^pretransform~"),
    _row("ACE-Step", "an ACE-Step model", "lyric_encoder", "genre_embedder"),
    _row(
        "Stable Cascade", "a Stable Cascade model", "(up|down)_blocks~N~N~(channelwise|(kv_)?mapper)",
        "clip_txt_pooled_mapper",
    ),
    _row("Stable Video Diffusion", "a Stable Video Diffusion model", "time_stack~N~", "temporal_transformer_blocks~N~"),
    _row(
        "Stable Diffusion XL", "a Stable Diffusion XL checkpoint", r"^conditioner\.embedders", "label_emb~N~N",
        r"^add_embedding\.", "lora_te2~",
    ),
    _row(
        "Stable Diffusion 1, 2 or XL", "a Stable Diffusion 1, 2 or XL checkpoint", "(input|output)_blocks~N~",
        "middle_block~N~", f"(^|~){_OUTSIDE}(down|up)_blocks~N~(attentions|resnets|downsamplers|upsamplers)",
        rf"(^|~){_OUTSIDE}mid_block~attentions", r"^cond_stage_model\.",
    ),
)  # fmt: skip
_XL = re.compile("transformer_blocks[._][1-9]")  # the others' attentions have one block each
_LTX = re.compile(r"transformer_blocks[._]N[._]attn([12])[._]to_", re.MULTILINE)

# Beside a family's network, or without one.
_CONTROLNET = re.compile(
    r"control_model\.|controlnet_(blocks|cond|down_blocks|mid_block|encode_first|x_embedder)|input_hint_block"
    r"|^lora_controlnet$",
    re.MULTILINE,
)
_ADAPTERS = (
    _row("", "an IP-Adapter", r"ip_adapter", r"^image_proj\.", r"^ip_layers\."),
    _row("", "a motion module of AnimateDiff", r"motion_modules\."),
    _row("", "a PhotoMaker", r"^id_encoder\."),
    _row("", "a GLIGEN adapter", r"^position_net\."),
    _row("", "a style model of Flux", r"^redux_(up|down)\."),
    _row("", "a T2I-Adapter", r"^(adapter\.)?body\.N\.(resnets|in_conv|block1)"),
)
_OTHERS = (
    _row("", "an upscaler", r"^(params_ema|params|conv_first)\.", r"^body\.N\.rdb", r"^model\.N\.sub\."),
    _row("", "a vision-language model", r"^(model\.)?visual\.blocks\.N\.attn\.qkv"),
    _row("", "a vision encoder", r"(^|\.)vision_model\.", r"^visual_projection", r"^visual\."),
    _row("", "a textual inversion", r"^emb_params$", r"^clip_[lg]$", r"^string_to_param"),
    _row("", "a text encoder of another model", r"(^|\.)text_model\.encoder\.", r"transformer\.resblocks\.N\."),
    _row("", "a T5 of another size or kind", r"enc\.blk\.N\.", r"encoder\.block\.N\.layer\."),
    _row("", "a language model", r"(^|\.)layers\.N\.self_att(n|ention)", r"^blk\.N\.attn"),
    _row("", "the VAE of Wan or Qwen-Image", r"(^|\.)decoder\.middle\.N\.residual"),
    _row("", "a VAE of Stable Diffusion 1, 2 or XL", r"(^|\.)post_quant_conv\."),
    _row("", "a small VAE for previews (TAESD)", r"^(taesd_)?(decoder|encoder)\.layers\.N\.", r"^taesd_"),
    _row("", "the VAE of HunyuanVideo", r"(^|\.)decoder\.(mid_block|mid)\..*\.conv\.weight"),
    _row("", "a VAE of another model", r"(^|\.)decoder\.(conv_in|up|up_blocks|mid|mid_block)\.", r"^decoder\.\w+\."),
    _row("", "a transformer of a family that Laterna does not know", r"(transformer_)?blocks\.N\.attn\w*\.(to_q|qkv)"),
)  # fmt: skip


def stranger(names: Iterable[str]) -> Stranger | None:
    """What a file with tensors of these names is; None where they say nothing."""
    names = list(names)
    alike = _alike(names)
    family = _family(names, alike)
    if _CONTROLNET.search(alike):
        return Stranger("ControlNet", f"a ControlNet for {family.name}" if family else "a ControlNet", _name(family))
    for row in _ADAPTERS:
        if row.pattern.search(alike):
            return Stranger("other", row.what)
    if any(_LORA.search(name) for name in names):
        return Stranger("LoRA", f"a LoRA for {family.name}" if family else "a LoRA", _name(family))
    if family is not None:
        return Stranger("other", family.what, family.name)
    return next((Stranger("other", row.what) for row in _OTHERS if row.pattern.search(alike)), None)


def family_name(names: Iterable[str]) -> str | None:
    """The family of strangers that these names of tensors or LoRA layers belong to."""
    names = list(names)
    return _name(_family(names, _alike(names))) or None


def _alike(names: Iterable[str]) -> str:
    """The names with their numbers taken out, each once, a line each: blocks of a network are alike."""
    return "\n".join(sorted({_NUMBER.sub("N", name) for name in names}))


def _family(names: list[str], alike: str) -> _Row | None:
    found = next((row for row in _FAMILIES if row.pattern.search(alike)), None)
    if found is _FAMILIES[-1] and any(_XL.search(name) for name in names):
        return _FAMILIES[-2]
    if found is None and {match[1] for match in _LTX.finditer(alike)} == {"1", "2"}:
        return _TWO_ATTENTIONS
    return found


_TWO_ATTENTIONS = _transformer("LTX-Video or PixArt")


def _name(row: _Row | None) -> str:
    return row.name if row is not None else ""


WORDS = tuple(dict.fromkeys(row.what for row in (*_FAMILIES, _TWO_ATTENTIONS, *_ADAPTERS, *_OTHERS)))
"""What files are called, for whoever translates it."""
