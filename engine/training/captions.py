"""Captions: many wordings of one scene, in English and in Portuguese (`portuguese.py`).

A caption determines the composition: no size word means the normal size, no place means the centre, "a and b" means
from left to right, no motion word means that nothing moves. Only the background may be left open.
"""

from __future__ import annotations

import re

import numpy as np

from .catalogue import BACKGROUNDS, OBJECTS, SIZE_WORDS, SceneBackground
from .portuguese import portuguese_caption
from .scenes import Placed, Scene

MOST_WORDS = 22  # words and punctuation marks: with start and end it is the text encoders' length

PLACE_PHRASES: dict[str, tuple[str, ...]] = {
    "centre": ("in the middle", "in the centre", "in the center"),
    "left": ("on the left", "at the left", "on the left side"),
    "right": ("on the right", "at the right", "on the right side"),
    "top": ("at the top", "on top"),
    "bottom": ("at the bottom", "on the bottom"),
    "top left": ("at the top left", "in the top left corner", "in the upper left corner"),
    "top right": ("at the top right", "in the top right corner", "in the upper right corner"),
    "bottom left": ("at the bottom left", "in the bottom left corner", "in the lower left corner"),
    "bottom right": ("at the bottom right", "in the bottom right corner", "in the lower right corner"),
}
RELATION_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "top": ("above", "over"),
    "bottom": ("below", "under"),
}
MOTION_PHRASES: dict[str, tuple[str, ...]] = {
    "left": (
        "moving left",
        "moves to the left",
        "moving to the left",
        "flying left",
        "slides left",
        "drifts to the left",
    ),
    "right": (
        "moving right",
        "moves to the right",
        "moving to the right",
        "flying right",
        "slides right",
        "drifts to the right",
    ),
    "up": ("moving up", "moves up", "rising", "flying up", "rises", "moving upwards"),
    "down": ("moving down", "moves down", "falling", "sinks", "falls", "moving downwards"),
    "still": ("standing still", "not moving", "motionless", "staying still"),
}


def _pick(rng: np.random.Generator, options: tuple[str, ...] | list[str]) -> str:
    return options[rng.integers(len(options))]


def _noun(rng: np.random.Generator, item: Placed, article: bool) -> str:
    names = OBJECTS[item.object].names
    name = names[0] if rng.random() < 0.6 else _pick(rng, names)
    words = SIZE_WORDS[item.size]
    if words:
        name = f"{words[0] if rng.random() < 0.6 else _pick(rng, words)} {name}"
    if rng.random() < 0.04:
        name = f"{_pick(rng, ('cute', 'nice', 'beautiful'))} {name}"
    if not article:
        return name
    return f"the {name}" if rng.random() < 0.12 else _with_article(name)


def _with_article(name: str) -> str:
    if name.endswith(("grapes", "cherries")) and "bunch" not in name:
        return name
    return f"{'an' if name[0] in 'aeiou' and not name.startswith(('uni', 'ufo')) else 'a'} {name}"


def _background(rng: np.random.Generator, background: SceneBackground) -> tuple[str, bool]:
    """The words, and whether they attach without a comma."""
    name = background.name if rng.random() < 0.75 else _pick(rng, background.names)
    roll = rng.random()
    if roll < 0.45:
        return f"{name} background", False
    if background.phrases and roll < 0.85:
        return _pick(rng, background.phrases), True
    if roll < 0.85:
        return f"{_pick(rng, ['on', 'in front of'])} {_with_article(f'{name} background')}", True
    return name, False


def _join(rng: np.random.Generator, body: str, background: SceneBackground) -> str:
    words, attaches = _background(rng, background)
    roll = rng.random()
    if roll < 0.12:
        return f"{words}, {body}"
    if roll < 0.15 and not body.startswith(("at ", "in ", "on ")):
        return f"{background.name} background with {body}"
    return f"{body} {words}" if attaches and rng.random() < 0.7 else f"{body}, {words}"


def _single(rng: np.random.Generator, item: Placed, bare: bool) -> str:
    roll = rng.random()
    if bare and item.place == "centre" and roll < 0.6:
        return _noun(rng, item, article=rng.random() < 0.4)
    if roll < 0.12:  # keywords: "owl, left"
        noun = _noun(rng, item, article=False)
        return noun if item.place == "centre" and rng.random() < 0.5 else f"{noun}, {item.place}"
    noun = _noun(rng, item, article=rng.random() < 0.85)
    if item.place == "centre" and rng.random() < 0.55:
        return noun
    place = _pick(rng, PLACE_PHRASES[item.place])
    return f"{place}, {noun}" if roll < 0.18 else f"{noun} {place}"


def _pair(rng: np.random.Generator, items: tuple[Placed, ...], bare: bool) -> str:
    first, second = items if rng.random() < 0.5 else items[::-1]
    article = rng.random() < 0.85
    a, b = _noun(rng, first, article), _noun(rng, second, article)
    if first.place == "left" and rng.random() < (0.5 if bare else 0.25):  # the order is the place
        joint = " and" if rng.random() < 0.6 else _pick(rng, (",", " next to", " beside", " near", " with"))
        return f"{a}{joint} {b}"
    roll = rng.random()
    if roll < 0.06:
        return f"{_pick(rng, PLACE_PHRASES[first.place])} {a}, {_pick(rng, PLACE_PHRASES[second.place])} {b}"
    if roll < 0.65:
        return f"{a} {_pick(rng, RELATION_PHRASES[first.place])} {b}"
    joint = " and " if rng.random() < 0.7 else ", "
    return f"{a} {_pick(rng, PLACE_PHRASES[first.place])}{joint}{b} {_pick(rng, PLACE_PHRASES[second.place])}"


def _english(scene: Scene, rng: np.random.Generator, background: bool) -> str:
    bare = not background
    body = _single(rng, scene.items[0], bare) if len(scene.items) == 1 else _pair(rng, scene.items, bare)
    if scene.motion is not None and not (scene.motion == "still" and rng.random() < 0.5):
        body = f"{body} {_pick(rng, MOTION_PHRASES[scene.motion])}"
    roll = rng.random()
    if roll < 0.04:
        body = f"{_pick(rng, ['a picture of', 'a photo of', 'a drawing of'])} {body}"
    elif roll < 0.05:
        body = f"there is {body}"
    return _join(rng, body, BACKGROUNDS[scene.background]) if background else body


def caption(scene: Scene, rng: np.random.Generator, background: bool = True, portuguese: float = 0.0) -> str:
    """One wording, lower case, at most MOST_WORDS long; without `background` it leaves that open. `portuguese` is the
    share of captions in that language."""
    while True:
        make = portuguese_caption if portuguese and rng.random() < portuguese else _english
        text = make(scene, rng, background)
        if rng.random() < 0.04:
            text += "."
        if len(re.findall(r"\w+|[^\w\s]", text)) <= MOST_WORDS:
            return text


def plain_caption(scene: Scene) -> str:
    """The canonical wording, for evaluation and examples: "a small owl on the right, forest background"."""
    background = BACKGROUNDS[scene.background]

    def noun(item: Placed) -> str:
        words = SIZE_WORDS[item.size][:1]
        return _with_article(" ".join((*words, OBJECTS[item.object].name)))

    if len(scene.items) == 2:
        first, second = scene.items
        body = f"{noun(first)} {RELATION_PHRASES[first.place][0]} {noun(second)}"
    else:
        item = scene.items[0]
        body = noun(item)
        if scene.motion is None or item.place != "centre":
            body += f" {PLACE_PHRASES[item.place][0]}"
    if scene.motion is not None:
        body += f" {MOTION_PHRASES[scene.motion][0]}"
    return f"{body}, {background.name} background"
