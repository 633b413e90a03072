"""File names by a template that the person sets: ``{date}_{prompt}_{seed}``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from engine.library.naming import cut_bytes, slug
from engine.protocol.recipe import Recipe

USUAL = "{date}_{time}_{prompt}_{seed}"
MAX_CHARS = 150
MAX_BYTES = 200
_PLACE = re.compile(r"\{(\w+)\}")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f{}]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

_VALUES: dict[str, Callable[[Recipe, time.struct_time], str]] = {
    "date": lambda _recipe, when: time.strftime("%Y-%m-%d", when),
    "time": lambda _recipe, when: time.strftime("%H%M%S", when),
    "prompt": lambda recipe, _when: slug(recipe.prompt),
    "seed": lambda recipe, _when: str(recipe.seed),
    "model": lambda recipe, _when: slug(recipe.model),
    "width": lambda recipe, _when: str(recipe.width),
    "height": lambda recipe, _when: str(recipe.height),
    "steps": lambda recipe, _when: str(recipe.steps),
    "guidance": lambda recipe, _when: f"{recipe.guidance:g}",
    "sampler": lambda recipe, _when: slug(recipe.sampler),
}
PLACES = tuple(_VALUES)


def is_template(text: str) -> bool:
    return bool(_PLACE.search(text))


def unknown_places(template: str) -> list[str]:
    """What stands in braces and means nothing."""
    return [name for name in _PLACE.findall(template) if name not in _VALUES]


def render(template: str, recipe: Recipe, when: float) -> str:
    """The stem of a file name, safe on every system; that of ``USUAL`` where nothing is left of ``template``."""
    moment = time.localtime(when)

    def value(match: re.Match[str]) -> str:
        found = _VALUES.get(match[1])
        return found(recipe, moment) if found is not None else ""

    name = _FORBIDDEN.sub("-", _PLACE.sub(value, template))[:MAX_CHARS]
    name = cut_bytes(name, MAX_BYTES).strip(" .-")
    if not name:
        return render(USUAL, recipe, when)
    return f"_{name}" if _RESERVED.fullmatch(name) else name
