"""Civitai's generator, where it writes the graph that it ran with its own words beside it in ``extraMetadata``.

Its other form is A1111's text with ``Civitai resources`` (``a1111_resources.py``).
"""

from __future__ import annotations

import re
from typing import Any

from engine.interop import a1111_prompt
from engine.interop.a1111_resources import take_resources
from engine.interop.foreign import ForeignSettings
from engine.interop.programs.values import Data, loads, text
from engine.interop.report import Notes

NAME = "Civitai"
_AIR = re.compile(r"urn:air:[^:]*:(?P<type>[^:]*):civitai:(?P<model>\d+)(?:@(?P<version>\d+))?", re.IGNORECASE)


def recognise(data: Data) -> bool:
    return isinstance(_words(data), dict)


def _words(data: Data) -> Any:
    words = loads(data.get("extraMetadata"))
    return words if isinstance(words, dict) and ("prompt" in words or "resources" in words) else None


def read(data: Data, notes: Notes) -> ForeignSettings:
    said: Data = _words(data)
    pieces = []
    settings = ForeignSettings(NAME)
    for key in ("prompt", "negativePrompt"):
        found, loras = a1111_prompt.read(text(said.get(key)), notes)
        settings.loras += loras
        pieces.append(a1111_prompt.recipe_text(found))
    (settings.prompt, settings.negative_prompt), settings.weighted = a1111_prompt.joined(pieces)
    settings.steps, settings.seed = said.get("steps"), said.get("seed")
    settings.guidance = said.get("cfgScale")
    settings.width, settings.height = said.get("width"), said.get("height")
    settings.sampler, settings.scheduler = text(said.get("sampler")), text(said.get("scheduler"))
    settings.denoise = said.get("denoise") if said.get("sourceImage") or said.get("image") else None
    types = _types(data)
    resources = [
        {"type": types.get(text(one.get("modelVersionId")), ""), **one}
        for one in said.get("resources", [])
        if isinstance(one, dict)
    ]
    take_resources(settings, resources, notes)
    return settings


def _types(data: Data) -> dict[str, str]:
    """What each of Civitai's version numbers is, by the names that the graph uses."""
    extra = data.get("extra")
    airs = extra.get("airs") if isinstance(extra, dict) else None
    found = [_AIR.match(text(air)) for air in (airs if isinstance(airs, list) else [])[:200]]
    return {match["version"] or match["model"]: match["type"].lower() for match in found if match}
