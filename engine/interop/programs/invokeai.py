"""InvokeAI: ``invokeai_metadata`` since version 3, ``sd-metadata`` and the command line in ``Dream`` before."""

from __future__ import annotations

import re
import shlex
from typing import Any

from engine.interop.foreign import ForeignSettings, Lora
from engine.interop.programs.values import Data, dicts, text, without
from engine.interop.report import Notes

NAME = "InvokeAI"
DREAM = "dream"
WHOLE = frozenset({"sd-metadata", "invokeai_metadata"})  # what says more than the command
_WEIGHTS = re.compile(r"[\w)](\+\+|--|\+|-)(\s|,|$)|\)\d")
_NEGATIVE = re.compile(r"(?<!\\)\[([^\[\]]*)\]")
_MAX_COMMAND = 50_000
_OPTIONS = {
    "s": "steps", "steps": "steps", "S": "seed", "seed": "seed", "W": "width", "width": "width", "H": "height",
    "height": "height", "C": "guidance", "cfg_scale": "guidance", "A": "sampler", "sampler": "sampler", "m": "sampler",
    "f": "denoise", "strength": "denoise", "I": "input_image", "init_img": "input_image",
}  # fmt: skip
_VALUES = re.compile(r"-[A-Za-z]\S+|--\w+=\S+")
_PARTS = {
    "controlnets": "ControlNets", "ipAdapters": "IP adapters", "t2iAdapters": "T2I adapters",
    "refiner_model": "refiner", "hrf_enabled": "second pass that enlarges", "seamless_x": "tiling",
    "regions": "regions", "postprocessing": "corrections afterwards", "variations": "variations",
    "facetool_strength": "face correction",
}  # fmt: skip


def recognise(data: Data) -> bool:
    old = isinstance(data.get("image"), dict) and ("model_weights" in data or "app_version" in data)
    return old or ("positive_prompt" in data and ("generation_mode" in data or "app_version" in data))


def read(data: Data, notes: Notes) -> ForeignSettings:
    """``invokeai_metadata``; also the ``sd-metadata`` of InvokeAI 2, which keeps the same things under ``image``."""
    image = data.get("image")
    is_old = isinstance(image, dict)
    said: Data = {**image, "model": data.get("model_weights")} if isinstance(image, dict) else data
    model = said.get("model")
    named = model if isinstance(model, dict) else {"name": model}
    settings = ForeignSettings(
        NAME,
        prompt=_prompt(said.get("positive_prompt", said.get("prompt"))),
        negative_prompt=text(said.get("negative_prompt")),
        steps=said.get("steps"),
        guidance=said.get("cfg_scale"),
        seed=said.get("seed"),
        width=said.get("width"),
        height=said.get("height"),
        sampler=text(said.get("scheduler") or said.get("sampler") or "euler"),
        model=text(named.get("name") or named.get("model_name")),
        model_hash=text(named.get("hash")).rpartition(":")[2],
    )
    _sampling(settings)
    if "img2img" in text(said.get("generation_mode")) or said.get("type") == "img2img":
        settings.denoise = said.get("strength", 1.0)
        initial = said.get("init_image", said.get("init_image_path"))
        settings.input_image = text(initial.get("image_name") if isinstance(initial, dict) else initial)
    for lora in dicts(said.get("loras")):
        name: Any = lora.get("model", lora.get("lora"))
        own: Any = name if isinstance(name, dict) else {"name": name}
        digest = text(own.get("hash")).rpartition(":")[2] if "sha256" in text(own.get("hash")) else ""
        settings.loras.append(Lora(text(own.get("name") or own.get("model_name")), lora.get("weight", 1.0), digest))
    if is_old and not settings.negative_prompt:
        _split_negative(settings)
    _say_weights(settings, notes)
    without(said, NAME, _PARTS, notes)
    return settings


def read_dream(command: str, notes: Notes) -> ForeignSettings:
    """``"a prompt [what not]" -s 30 -S 77 -W 512 -H 768 -C 6 -A k_lms``: what InvokeAI 2 was told to do."""
    command = command.strip()[:_MAX_COMMAND].removeprefix("dream>").strip()
    prompt, options = _quoted(command)
    settings = ForeignSettings(NAME, prompt=prompt, sampler="k_lms")
    parts = _words(options)
    for place, part in enumerate(parts):
        key, value = part.lstrip("-"), parts[place + 1] if place + 1 < len(parts) else ""
        if part.startswith("--") and "=" in key:
            key, value = key.split("=", 1)
        elif _VALUES.fullmatch(part) and part[1] in "sSWHCAmfI" and key not in _OPTIONS:  # -s30
            key, value = part[1], part[2:]
        if part.startswith("-") and key in _OPTIONS:
            setattr(settings, _OPTIONS[key], value)
        elif part.startswith("-") and key in ("G", "U", "V", "gfpgan_strength", "upscale", "with_variations", "M"):
            notes.ignored(f"InvokeAI's option {part} {value}: a recipe has no place for it.")
    _split_negative(settings)
    _sampling(settings)
    _say_weights(settings, notes)
    return settings


def _quoted(command: str) -> tuple[str, str]:
    """The prompt, in quotes or up to the first option, and the rest."""
    if command[:1] in ('"', "'"):
        end = re.compile(rf"(?<!\\){command[0]}").search(command, 1)
        if end:
            return command[1 : end.start()].replace("\\" + command[0], command[0]), command[end.end() :]
    first = re.search(r"\s-{1,2}[A-Za-z]", command)
    return (command[: first.start()], command[first.start() :]) if first else (command, "")


def _words(options: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError:
        return options.split()


def _split_negative(settings: ForeignSettings) -> None:
    """InvokeAI 2 writes what is not wanted in brackets within the prompt."""
    negative = [part.strip() for part in _NEGATIVE.findall(settings.prompt) if part.strip()]
    if negative:
        settings.negative_prompt = ", ".join(negative)
        settings.prompt = " ".join(_NEGATIVE.sub(" ", settings.prompt).split())


def _sampling(settings: ForeignSettings) -> None:
    if settings.sampler.lower() in ("euler", ""):
        settings.scheduler = "normal"
    if settings.sampler.lower().endswith("_k"):
        settings.sampler, settings.scheduler = settings.sampler[:-2], "karras"


def _say_weights(settings: ForeignSettings, notes: Notes) -> None:
    if _WEIGHTS.search(settings.prompt):
        notes.approximated("InvokeAI's weights, such as word++ or (word)1.2, are read as plain characters.")


def _prompt(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(text(part.get("prompt")) for part in dicts(value))
    return text(value)
