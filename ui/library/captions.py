"""What a person reads about an item: a title out of its prompt, a length, a sentence for a screen reader."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from engine.derive.interpolate.interpolate import Interpolate
from engine.derive.upscale.upscale import Upscale
from engine.interop.prompt_weights import plain_text
from engine.library.item import Item
from engine.protocol.derivation import Derivation
from engine.protocol.recipe import Recipe

MAX_TITLE = 80
_CLAUSE = re.compile(r"[,.;:\n\r]\s*")


def prompt_title(prompt: str) -> str:
    """The first clause of a prompt: "A red apple on the left, blue sky" → "A red apple on the left"."""
    head = prompt.strip()[:400]
    title = next((part.strip() for part in _CLAUSE.split(head) if part.strip()), "")
    if len(title) > MAX_TITLE:
        title = title[:MAX_TITLE].rsplit(" ", 1)[0] + "…"
    return title[:1].upper() + title[1:]


def recipe_title(recipe: Recipe | None, path: Path | None = None) -> str:
    """Out of the prompt; "Untitled" where that is empty, and the file's name where no recipe is known."""
    if recipe is None and path is not None:
        return path.stem
    title = ""
    if recipe is not None:
        is_weighted = recipe.text_encoding == "comfyui"
        title = prompt_title(plain_text(recipe.prompt) if is_weighted else recipe.prompt)
    return title or QCoreApplication.translate("Captions", "Untitled")


def derivation_title(derivation: Derivation) -> str:
    """What is done to its source, in a few words."""
    if derivation.kind == Upscale.id:
        scale, name = derivation.settings.get("scale", "?"), derivation.settings.get("name")
        if name:
            return QCoreApplication.translate("Captions", "{0} times as large by {1}").format(scale, name)
        return QCoreApplication.translate("Captions", "{0} times as large").format(scale)
    if derivation.kind == Interpolate.id:
        fps = derivation.settings.get("fps", "?")
        return QCoreApplication.translate("Captions", "{0} frames a second").format(
            f"{fps:g}" if isinstance(fps, int | float) else fps
        )
    return derivation.kind


def item_title(item: Item) -> str:
    if item.recipe is None and item.prompt:
        return prompt_title(item.prompt) or item.path.stem
    return recipe_title(item.recipe, item.path)


def duration(seconds: float) -> str:
    """A clip's length as "0:06"; below one second still "0:01"."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def grouped(number: int) -> str:
    """A long number in groups of three, as seeds are read: 1884203772 → "1 884 203 772"."""
    return f"{number:,}".replace(",", "\u202f")


def spoken(item: Item) -> str:
    """An item in one sentence for a screen reader."""

    def translate(text: str) -> str:
        return QCoreApplication.translate("Captions", text)

    parts = [item_title(item)]
    parts.append(translate("clip") if item.kind == "video" else translate("picture"))
    if item.kind == "video":
        parts.append(duration(item.seconds))
    parts.append(translate("{0} by {1} pixels").format(item.width, item.height))
    if item.favourite:
        parts.append(translate("favourite"))
    if item.rating:
        parts.append(translate("{0} of 5 stars").format(item.rating))
    if item.tags:
        parts.append(translate("tags: {0}").format(", ".join(item.tags)))
    if item.trashed is not None:
        parts.append(translate("not in the trash any more") if item.missing else translate("in the trash"))
    elif item.missing:
        parts.append(translate("file missing"))
    return ", ".join(parts)
