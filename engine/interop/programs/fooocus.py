"""Fooocus' own scheme, and the lines of its log. Its other scheme is A1111's text (``a1111.py``)."""

from __future__ import annotations

import re

from engine.interop.foreign import ForeignSettings, Lora
from engine.interop.programs.values import Data, items, size, text, without
from engine.interop.report import Notes, shown

NAME = "Fooocus"
_COMBINED = re.compile(r"lora_combined_\d+|lora_\d+|lora_\[.*\]_weight")
_PARTS = {
    "sharpness": "sharpness", "adm_guidance": "ADM guidance", "refiner_model": "refiner model", "freeu": "FreeU",
    "inpaint_method": "inpainting", "adaptive_cfg": "adaptive guidance",
}  # fmt: skip


def recognise(data: Data) -> bool:
    return {"base_model", "guidance_scale"} <= set(_plain(data))


def read(data: Data, notes: Notes) -> ForeignSettings:
    """Keys are small, or as the log writes them ("Base Model")."""
    said = _plain(data)
    sides = size(said.get("resolution"))
    settings = ForeignSettings(
        NAME,
        prompt=text(said.get("prompt")),
        negative_prompt=text(said.get("negative_prompt")),
        steps=said.get("steps"),
        guidance=said.get("guidance_scale"),
        seed=said.get("seed"),
        width=sides[0] if sides else said.get("width"),
        height=sides[1] if sides else said.get("height"),
        sampler=text(said.get("sampler")),
        scheduler=text(said.get("scheduler")),
        model=text(said.get("base_model")),
        model_hash=text(said.get("base_model_hash")),
    )
    if settings.steps is None:
        settings.steps = _STEPS.get(text(said.get("performance")).lower())
    for lora in items(said.get("loras")):
        if isinstance(lora, list | tuple) and len(lora) >= 2:
            settings.loras.append(Lora(text(lora[0]), lora[1], text(lora[2]) if len(lora) > 2 else ""))
    for key, value in said.items():
        if _COMBINED.fullmatch(key) and " : " in text(value):
            name, _, strength = text(value).rpartition(" : ")
            settings.loras.append(Lora(name.strip(), strength.strip()))
    if said.get("styles") not in (None, "[]", []):
        notes.ignored(f"Fooocus' styles {shown(said['styles'])} add words of their own; the prompt is as it was typed.")
    without(said, NAME, _PARTS, notes)
    return settings


# What a performance stands for where the steps are not written beside it (Fooocus 2.5).
_STEPS = {"quality": 60, "speed": 30, "extreme speed": 8, "lightning": 4, "hyper-sd": 4}


def _plain(data: Data) -> Data:
    return {str(key).lower().replace(" ", "_"): value for key, value in data.items()}
