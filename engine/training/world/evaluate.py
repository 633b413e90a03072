"""How well a picture model follows prompts of the world, by the bars that the second generation is held to.

Prompts reach the model as the program sends them: in the words that it knows (`engine/prompt/adapt.py`). Compositions
are held out from training; the judge is `judge.py`, for free prompts `free.py`. Each part also says how the judge does
on rendered truth and on the pictures of other prompts (`truth`, `shuffled`), so that its shares can be believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.prompt.adapt import adapt
from engine.protocol.family_info import ModelInfo
from engine.world.looks import STYLES

from . import free
from .composition import Composition, Pool, World, draw, render
from .judge import Verdict, judge
from .wording import LANGUAGES, caption

Draw = Callable[[list[str], int], np.ndarray]  # captions, seed -> pictures in 0..1
BATCH = 10
BARS = {  # shares of 0..1 that the second generation shall reach
    "one": 0.97, "two": 0.92, "three": 0.80, "counts": 0.90, "style": 0.95, "negation": 0.90, "free": 0.85,
}  # fmt: skip
WITHIN = 0.03  # of each other: the three languages, turbo and the model it was made from


@dataclass(frozen=True)
class Asked:
    text: str
    composition: Composition


def _plain(composition: Composition) -> bool:
    return all(item.count == 1 for item in composition.items)


_KINDS: dict[str, tuple[str, dict[str, float], Callable[[Composition], bool]]] = {
    "one": ("single", {"coloured": 1.0, "styled": 0.0}, lambda c: bool(c.items[0].colour)),
    "two": ("pair", {"coloured": 1.0, "styled": 0.0}, lambda c: _plain(c) and all(i.colour for i in c.items)),
    "three": ("triple", {"styled": 0.0}, _plain),
    "counts": ("several", {"styled": 0.0}, lambda c: True),
    "style": ("single", {"coloured": 0.0, "styled": 1.0}, lambda c: True),
    "negation": ("single", {"coloured": 0.0, "styled": 0.0}, lambda c: True),
}


def held_out(part: str, world: World, count: int, seed: int = 1234) -> list[Asked]:
    """Compositions that training never sees, in one of their wordings each: of a key of `BARS` but "free", or a
    language's code (one thing, two, or several of one)."""
    rng = np.random.default_rng((seed, sum(part.encode())))
    found: list[Asked] = []
    while len(found) < count:
        if part in LANGUAGES:
            kind = ("single", "pair", "several")[len(found) % 3]
            composition = draw(rng, replace(world, styled=0.0), kind, held_out=True)
            found.append(Asked(caption(composition, rng, language=part, absence=0.0), composition))
            continue
        kind, changes, fits = _KINDS[part]
        composition = draw(rng, replace(world, **changes), kind, held_out=True)
        if part == "style" and composition.style != STYLES[1 + len(found) % (len(STYLES) - 1)]:
            continue  # each as often as the others
        if fits(composition):
            found.append(Asked(caption(composition, rng, absence=float(part == "negation")), composition))
    return found


def pictures(texts: Sequence[str], draw_all: Draw, info: ModelInfo) -> np.ndarray:
    """`[N, 128, 128, 3]`: the prompts as the program sends them to that model, a seed each."""
    asked = [adapt(text, info.vocabulary, info.examples, n, info.any_colour).text for n, text in enumerate(texts)]
    return np.concatenate([draw_all(asked[n : n + BATCH], 1000 + n) for n in range(0, len(asked), BATCH)])


def _share(flags: Sequence[bool]) -> float:
    return round(float(np.mean(flags)), 4)


def _verdicts(drawn: np.ndarray, asked: Sequence[Asked]) -> list[Verdict]:
    return [judge(picture, one.composition) for picture, one in zip(drawn, asked, strict=True)]


def evaluate(part: str, world: World, count: int, draw_all: Draw, info: ModelInfo) -> dict[str, Any]:
    """Shares of `count` prompts: `right` altogether, and what of it."""
    asked = held_out(part, world, count)
    verdicts = _verdicts(pictures([a.text for a in asked], draw_all, info), asked)
    parts = {name: _share([getattr(v, name) for v in verdicts]) for name in ("things", "alone", "background", "style")}
    wrong = [a.text for a, v in zip(asked, verdicts, strict=True) if not v.all]
    return {"prompts": len(asked), "right": _share([v.all for v in verdicts]), **parts, "wrong": wrong}


def evaluate_free(draw_all: Draw, info: ModelInfo, every: int = 1) -> dict[str, Any]:
    """Share of free prompts that are right, in all and by language; of every so many-th of them."""
    prompts = free.free_prompts()[::every]
    drawn = pictures([p.text for p in prompts], draw_all, info)
    right = [free.right(picture, p.wanted) for picture, p in zip(drawn, prompts, strict=True)]
    by = {code: _share([r for r, p in zip(right, prompts, strict=True) if p.language == code]) for code in LANGUAGES}
    wrong = [p.text for p, r in zip(prompts, right, strict=True) if not r]
    return {"prompts": len(prompts), "right": _share(right), **by, "wrong": wrong}


def check_judge(world: World, count: int, parts: Sequence[str] = tuple(_KINDS)) -> dict[str, float]:
    """What the judge says of rendered truth and of the pictures of other prompts."""
    pool, rng = Pool(np.random.default_rng(3), world.backgrounds, each=2), np.random.default_rng(6)
    told: dict[str, float] = {}
    for part in parts:
        asked = held_out(part, world, count)
        truth = np.stack([render(a.composition, rng, pool).pixels for a in asked])
        told[f"{part}_truth"] = _share([v.all for v in _verdicts(truth, asked)])
        told[f"{part}_shuffled"] = _share([v.all for v in _verdicts(np.roll(truth, 1, 0), asked)])
    return told
