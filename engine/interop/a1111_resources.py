"""What the line of settings says of models and LoRAs beside their names: hashes, Civitai's resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.interop.file_stems import stem_of
from engine.interop.foreign import ForeignSettings, Lora
from engine.interop.model_files import MIN_HASH
from engine.interop.report import Notes, as_number, shown

KEYS = ("lora hashes", "lora weights", "hashes", "civitai resources", "civitai metadata", "resources")
MAX_RESOURCES = 200
_LORAS = ("lora", "lycoris", "locon", "dora", "lyco")
_MODELS = ("checkpoint", "model", "unet", "diffusion_model")


def take(settings: ForeignSettings, pairs: Mapping[str, str], notes: Notes) -> None:
    """Put hashes to the LoRAs that the prompt names, and add those that only the settings name."""
    digests, weights = _hashes(pairs)
    settings.model_hash = settings.model_hash or digests.pop("model", "")
    settings.loras = [one._replace(digest=digests.get(stem_of(one.name), one.digest)) for one in settings.loras]
    named = {stem_of(one.name) for one in settings.loras}
    settings.loras += [
        Lora(name, weight, digests.get(name, "")) for name, weight in weights.items() if name not in named
    ]
    for key in ("Civitai resources", "resources", "Resources"):
        if key in pairs:
            take_resources(settings, _loaded(pairs[key]), notes)


def _hashes(pairs: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Digests by the LoRA's name ("model" for the model's), and the strengths that stand beside LoRAs."""
    digests: dict[str, str] = {}
    weights: dict[str, str] = {}
    for name, parts in _listed(pairs.get("Lora hashes", "")):
        digests[name] = parts[0]
        if len(parts) > 1:  # Fooocus: name: hash: strength
            weights[name] = parts[1]
    for name, parts in _listed(pairs.get("Lora weights", "")):
        weights[name] = parts[0]
    both = _loaded(pairs.get("Hashes", ""))
    for key, value in both.items() if isinstance(both, dict) else ():
        kind, _, name = str(key).partition(":")
        if kind.lower() in _LORAS and name:
            digests.setdefault(stem_of(name), str(value))
        elif kind == "model":
            digests["model"] = str(value)
    return digests, weights


def _listed(text: str) -> Iterator[tuple[str, list[str]]]:
    for part in text.split(",")[:MAX_RESOURCES]:
        name, *rest = (piece.strip() for piece in part.split(":"))
        if name and rest:
            yield stem_of(name), rest


def take_resources(settings: ForeignSettings, resources: Any, notes: Notes) -> None:
    """Civitai's list: ``type``, names, ``weight`` or ``strength``, and hashes where there are any."""
    named = {stem_of(one.name) for one in settings.loras}
    for one in resources[:MAX_RESOURCES] if isinstance(resources, list) else []:
        if not isinstance(one, dict):
            continue
        kind = str(one.get("type", one.get("modelType", ""))).lower()
        name, digest = resource_name(one), resource_hash(one)
        if kind in _MODELS:
            settings.model = settings.model or name
            settings.model_hash = settings.model_hash or digest
        elif kind in _LORAS:
            if stem_of(name) not in named:
                weight = one.get("weight", one.get("strength", 1.0))
                settings.loras.append(Lora(name, 1.0 if as_number(weight) is None else weight, digest))
        elif name or kind:
            notes.ignored(f"The resource {shown(name or kind)} ({shown(kind) or 'of an unknown kind'}) is left out.")


def resource_name(one: Mapping[str, Any]) -> str:
    """The model's name with its version's, as far as they are told; else Civitai's number of it."""
    name = str(one.get("modelName") or one.get("name") or "").strip()
    version = str(one.get("modelVersionName") or one.get("versionName") or "").strip()
    if name:
        return name if not version or version.lower() in name.lower() else f"{name} {version}"
    return str(one.get("air") or one.get("modelVersionId") or "")


def resource_hash(one: Mapping[str, Any]) -> str:
    """The longest hash that a resource is given: the longer, the surer."""
    hashes = one.get("hashes")
    found = [str(one.get("hash") or "")]
    found += [str(value) for value in hashes.values()] if isinstance(hashes, dict) else []
    found = [value for value in found if re.fullmatch(rf"(0x)?[0-9A-Fa-f]{{{MIN_HASH},64}}", value)]
    return max(found, key=len, default="")


def _loaded(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in ("[", "{") else None
    except (ValueError, RecursionError):
        return None
