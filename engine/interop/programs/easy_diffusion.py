"""Easy Diffusion: a text chunk for each setting, the same as JSON, or lines of ``Name: value`` in a .txt beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.interop.foreign import ForeignSettings, Lora
from engine.interop.programs.values import Data, items, text, without
from engine.interop.report import Notes

NAME = "Easy Diffusion"
_LINES = {
    "prompt": "prompt", "negative prompt": "negative_prompt", "seed": "seed", "steps": "num_inference_steps",
    "guidance scale": "guidance_scale", "prompt strength": "prompt_strength", "width": "width", "height": "height",
    "sampler": "sampler_name", "scheduler": "scheduler_name", "stable diffusion model": "use_stable_diffusion_model",
    "vae model": "use_vae_model", "hypernetwork model": "use_hypernetwork_model", "lora model": "use_lora_model",
    "lora strength": "lora_alpha", "lora alpha": "lora_alpha", "use face correction": "use_face_correction",
    "use upscaling": "use_upscale", "controlnet model": "use_controlnet_model", "clip skip": "clip_skip",
    "init image": "init_image", "use lora model": "use_lora_model", "embeddings": "use_embeddings_model",
}  # fmt: skip
_PARTS = {
    "use_face_correction": "face correction", "use_upscale": "enlarging", "use_hypernetwork_model": "hypernetwork",
    "use_controlnet_model": "ControlNet", "use_embeddings_model": "embeddings", "tiling": "tiling",
}  # fmt: skip


def recognise(data: Data) -> bool:
    return (
        "prompt" in data and len({"num_inference_steps", "use_stable_diffusion_model", "sampler_name"} & set(data)) > 1
    )


def from_lines(said: str) -> Data | None:
    """The settings of a .txt; a value may go over several lines. None where it is none."""
    found: dict[str, str] = {}
    last = ""
    for line in said.splitlines()[:2000]:
        name, colon, value = line.partition(":")
        key = _LINES.get(name.strip().lower()) if colon else None
        if key is not None:
            found[key], last = value.strip(), key
        elif last:
            found[last] += "\n" + line
    return found if recognise(found) else None


def read(data: Data, notes: Notes) -> ForeignSettings:
    said: Mapping[str, Any] = {key: None if value == "None" else value for key, value in data.items()}
    settings = ForeignSettings(
        NAME,
        prompt=text(said.get("prompt")).strip(),
        negative_prompt=text(said.get("negative_prompt")).strip(),
        steps=said.get("num_inference_steps"),
        guidance=said.get("guidance_scale"),
        seed=said.get("seed"),
        width=said.get("width"),
        height=said.get("height"),
        sampler=text(said.get("sampler_name") or said.get("sampler")),
        scheduler=text(said.get("scheduler_name")),
        model=text(said.get("use_stable_diffusion_model")),
    )
    strengths = items(said.get("lora_alpha"))
    for place, name in enumerate(map(text, items(said.get("use_lora_model")))):
        if name and name != "None":
            settings.loras.append(Lora(name, strengths[place] if place < len(strengths) else 1.0))
    if said.get("init_image") or said.get("prompt_strength") not in (None, "", "undefined"):
        settings.denoise = said.get("prompt_strength")
        image = text(said.get("init_image"))
        settings.input_image = image if len(image) < 300 and not image.startswith("data:") else ""
    without(said, NAME, _PARTS, notes)
    return settings
