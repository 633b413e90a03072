"""Families of models that Laterna does not make, by the names of their files, encoders and nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from engine.interop.file_stems import plain, stem_of
from engine.interop.graph import Node


class Foreign(NamedTuple):
    """``files`` matches a model's name (``model_files.plain``), ``encoders`` a loader's type, ``nodes`` node types."""

    name: str
    files: str
    encoders: tuple[str, ...] = ()
    nodes: str = ""


FOREIGN: tuple[Foreign, ...] = (
    Foreign(
        "Wan video", r"(^|-)(wan(2|-|video|$)|skyreels-v2|fastwan|phantom-wan)", ("wan",), r"^Wan|WanVideo|^Phantom"
    ),
    Foreign(
        "Hunyuan video",
        r"hunyuan-?video|^hyvideo|skyreels-v1|fast-?hunyuan|framepack",
        ("hunyuan_video",),
        r"HyVideo|HunyuanVideo|FramePack",
    ),
    Foreign("Hunyuan Image", r"hunyuan-?image", ("hunyuan_image",), r"HunyuanImage"),
    Foreign("Hunyuan3D", r"hunyuan-?3d", (), r"Hunyuan3D"),
    Foreign("HunyuanDiT", r"hunyuan-?dit", ("hunyuan_dit",), r"HunyuanDiT"),
    Foreign("LTX video", r"(^|-)ltx(v|-|2|$)", ("ltxv",), r"LTX"),
    Foreign("Mochi video", r"(^|-)mochi", ("mochi",), r"Mochi"),
    Foreign("Cosmos video", r"(^|-)cosmos", ("cosmos",), r"Cosmos"),
    Foreign("Stable Video Diffusion", r"(^|-)svd(-|$)|stable-?video-?diffusion|img2vid", (), r"^SVD_|VideoLinearCFG"),
    Foreign("AnimateDiff video", r"animate-?diff", (), r"^ADE_|AnimateDiff"),
    Foreign("Pyramid Flow video", r"pyramid-?flow", (), r"PyramidFlow"),
    Foreign("Allegro video", r"(^|-)allegro", (), r"Allegro"),
    Foreign("EasyAnimate video", r"easyanimate", (), r"EasyAnimate"),
    Foreign("Kandinsky", r"kandinsky", (), r"Kandinsky"),
    Foreign("ACE-Step audio", r"ace-?step", ("ace",), r"AceStep"),
    Foreign("Stable Audio", r"stable-?audio", ("stable_audio",), r"EmptyLatentAudio|StableAudio"),
    Foreign("SD3 Medium (2024)", r"(^|-)(sd-?3|stable-?diffusion-?3)(-0)?(-?(m|2b|medium)(-|$)|$|-incl|-clips)"),
    Foreign(
        "Flux", r"(^|-)flux", ("flux", "flux2"), r"Flux(Guidance|Disable|Kontext)|^CLIPTextEncodeFlux|ModelSamplingFlux"
    ),
    Foreign("HiDream", r"hidream", ("hidream",), r"HiDream"),
    Foreign("Chroma", r"(^|-)chroma", ("chroma",), r"^Chroma"),
    Foreign("Qwen-Image", r"qwen-?image", ("qwen_image",), r"QwenImage"),
    Foreign("Z-Image", r"(^|-)z-?image"),
    Foreign("Lumina 2", r"lumina|neta", ("lumina2",), r"Lumina2"),
    Foreign("AuraFlow", r"aura-?flow"),
    Foreign("PixArt", r"pixart", ("pixart",), r"PixArt"),
    Foreign("Sana", r"(^|-)sana(-|$)", (), r"^Sana|EmptySana"),
    Foreign("Kolors", r"kolors", (), r"Kolors"),
    Foreign("OmniGen", r"omnigen", ("omnigen2",), r"OmniGen"),
    Foreign("Stable Cascade", r"cascade", ("stable_cascade",), r"StableCascade"),
    Foreign(
        "SDXL",
        r"sd-?xl|xl(-|$)|-xl|(^|-)pony|illustrious|noob-?ai|animagine|playground-v2",
        ("sdxl",),
        r"SDXL\)?$|KSampler SDXL",
    ),
    Foreign("Stable Diffusion 2", r"(^|-)(v2-[01]|768-v|512-base|sd-?2-[01]|sd2)", ("stable_diffusion2",)),
    Foreign("Stable Diffusion 1.5", r"(^|-)(v1-[45]|sd-?1-?[45]|sd-v1|stable-?diffusion-v?1)", ("stable_diffusion",)),
)


def by_file(name: str) -> str:
    """The family of a model's file, "" where its name says none of these."""
    text = plain(stem_of(name))
    return next((family.name for family in FOREIGN if text and re.search(family.files, text)), "")


def by_nodes(nodes: Iterable[Node]) -> tuple[str, str]:
    """The family that encoders or nodes speak of, and the label of the one that does."""
    nodes = list(nodes)
    for node in nodes:
        said = str(node.inputs.get("type", "")).lower() if "CLIPLoader" in node.type else ""
        for family in FOREIGN:
            if said and said in family.encoders:
                return family.name, node.label
    for family in FOREIGN:
        for node in nodes:
            if family.nodes and re.search(family.nodes, node.type):
                return family.name, node.label
    return "", ""
