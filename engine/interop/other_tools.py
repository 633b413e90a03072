"""What InvokeAI and Fooocus put into their pictures: JSON of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.interop.foreign import Settings, recipe_of
from engine.interop.model_files import KnownModels
from engine.interop.report import Notes, shown
from engine.protocol.recipe import Recipe

_SIZE = re.compile(r"\(?\s*(\d{1,9})\s*[,x×]\s*(\d{1,9})\s*\)?")


def read_invokeai(data: Mapping[str, Any], notes: Notes, known: KnownModels) -> Recipe:
    """``invokeai_metadata``; also the ``sd-metadata`` of InvokeAI 2, which keeps the same things under ``image``."""
    image = data.get("image")
    said: Mapping[str, Any] = {**image, "model": data.get("model_weights")} if isinstance(image, dict) else data
    model = said.get("model")
    named = model if isinstance(model, dict) else {"name": model}
    settings = Settings(
        "InvokeAI",
        prompt=_invoke_prompt(said.get("positive_prompt", said.get("prompt"))),
        negative_prompt=_text(said.get("negative_prompt")),
        steps=said.get("steps"),
        guidance=said.get("cfg_scale"),
        seed=said.get("seed"),
        width=said.get("width"),
        height=said.get("height"),
        sampler=_text(said.get("scheduler") or said.get("sampler") or "euler"),
        model=_text(named.get("name") or named.get("model_name")),
        model_hash=_text(named.get("hash")).rpartition(":")[2],
    )
    if settings.sampler.lower() in ("euler", ""):
        settings.scheduler = "normal"
    if settings.sampler.lower().endswith("_k"):
        settings.sampler, settings.scheduler = settings.sampler[:-2], "karras"
    if "img2img" in _text(said.get("generation_mode")):
        settings.denoise = said.get("strength", 1.0)
    for lora in _dicts(said.get("loras")):
        name = lora.get("model", lora.get("lora"))
        named = name if isinstance(name, dict) else {"name": name}
        settings.loras.append((_text(named.get("name") or named.get("model_name")), lora.get("weight")))
    if re.search(r"[\w)](\+\+|--|\+|-)(\s|,|$)|\)\d", settings.prompt):
        notes.approximated("InvokeAI's weights, such as word++ or (word)1.2, are read as plain characters.")
    for key in ("controlnets", "ipAdapters", "t2iAdapters", "refiner_model"):
        if said.get(key):
            notes.ignored(f"InvokeAI's {key}: Laterna has none.")
    return recipe_of(settings, notes, known)


def _invoke_prompt(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(part.get("prompt")) for part in _dicts(value))
    return _text(value)


def read_fooocus(data: Mapping[str, Any], notes: Notes, known: KnownModels) -> Recipe:
    """Fooocus' JSON scheme; keys are small or as its log writes them ("Base Model")."""
    said = {str(key).lower().replace(" ", "_"): value for key, value in data.items()}
    size = _SIZE.fullmatch(_text(said.get("resolution")))
    settings = Settings(
        "Fooocus",
        prompt=_text(said.get("prompt")),
        negative_prompt=_text(said.get("negative_prompt")),
        steps=said.get("steps"),
        guidance=said.get("guidance_scale"),
        seed=said.get("seed"),
        width=size[1] if size else None,
        height=size[2] if size else None,
        sampler=_text(said.get("sampler")),
        scheduler=_text(said.get("scheduler")),
        model=_text(said.get("base_model")),
        model_hash=_text(said.get("base_model_hash")),
    )
    loras = said.get("loras")
    for lora in loras if isinstance(loras, list) else []:
        if isinstance(lora, list) and len(lora) >= 2:
            settings.loras.append((_text(lora[0]), lora[1]))
    if said.get("styles") not in (None, "[]", []):
        notes.ignored(f"Fooocus' styles {shown(said['styles'])} add words of their own; the prompt is as it was typed.")
    for key in ("sharpness", "adm_guidance", "refiner_model", "freeu", "inpaint_method"):
        if said.get(key) not in (None, "", "None"):
            notes.ignored(f"Fooocus' {key.replace('_', ' ')}: Laterna has none.")
    return recipe_of(settings, notes, known)


def is_fooocus(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    keys = {str(key).lower().replace(" ", "_") for key in data}
    return "base_model" in keys and "guidance_scale" in keys


def is_invokeai(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    old = isinstance(data.get("image"), dict) and ("model_weights" in data or "app_version" in data)
    return old or ("positive_prompt" in data and "generation_mode" in data)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
