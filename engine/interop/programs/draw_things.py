"""Draw Things: JSON with short keys in the UserComment of XMP."""

from __future__ import annotations

import html
import re
from typing import Any

from engine.interop.foreign import ForeignSettings, Lora
from engine.interop.programs.values import Data, dicts, loads, size, text, without
from engine.interop.report import Notes, as_number

NAME = "Draw Things"
_COMMENT = re.compile(r"<exif:UserComment>(.{0,400}?<rdf:li[^>]*>)?([^<]*)<", re.DOTALL)
_ATTRIBUTE = re.compile(r"exif:UserComment=\"([^\"]*)\"")
# How the steps lie, in words at the end of a sampler's name. "Trailing" counts even steps from the end, as simple does.
_ENDINGS = (("trailing", "simple"), ("karras", "karras"), ("substep", ""), ("ays", ""))
_PARTS = {
    "control": "ControlNets", "controls": "ControlNets", "refiner_model": "refiner", "upscaler": "enlarging",
    "face_restoration": "face correction", "mask_blur": "mask", "hires_fix": "second pass that enlarges",
}  # fmt: skip


def recognise(data: Data) -> bool:
    return {"c", "uc"} <= set(data) and bool({"seed_mode", "scale", "sampler"} & set(data))


def from_xmp(xmp: str) -> Data | None:
    """The JSON that XMP carries; None where there is none of this kind."""
    for pattern, group in ((_COMMENT, 2), (_ATTRIBUTE, 1)):
        for found in pattern.finditer(xmp):
            data = loads(html.unescape(found[group]).strip())
            if isinstance(data, dict) and recognise(data):
                return data
    return None


def read(data: Data, notes: Notes) -> ForeignSettings:
    more: Any = data.get("v2")
    more = more if isinstance(more, dict) else {}
    sides = size(data.get("size"))
    sampler, scheduler = _sampling(text(data.get("sampler")))
    settings = ForeignSettings(
        NAME,
        prompt=text(data.get("c")),
        negative_prompt=text(data.get("uc")),
        steps=data.get("steps", more.get("steps")),
        guidance=data.get("scale", more.get("guidanceScale")),
        seed=data.get("seed"),
        width=sides[0] if sides else more.get("width"),
        height=sides[1] if sides else more.get("height"),
        frames=data.get("num_frames", more.get("numFrames")),
        sampler=sampler,
        scheduler=scheduler,
        model=text(data.get("model")).replace("_q8p", "").replace("_q6p", "").replace("_f16", ""),
        shift=data.get("shift", more.get("shift")),
    )
    strength = as_number(data.get("strength"))
    if strength is not None and strength < 1:
        settings.denoise = strength
    for lora in dicts(data.get("lora") or more.get("loras")):
        settings.loras.append(Lora(text(lora.get("model") or lora.get("file")), lora.get("weight", 1.0)))
    without({**more, **data, "mask_blur": None}, NAME, _PARTS, notes)
    return settings


def _sampling(name: str) -> tuple[str, str]:
    low = name.lower()
    for ending, scheduler in _ENDINGS:
        if low.endswith(" " + ending):
            return name[: -len(ending) - 1], scheduler
    return name, ""
