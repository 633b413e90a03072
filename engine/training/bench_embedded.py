"""How well and how fast the models that ship do what prompts say: ``bench embedded``, by the reference pipelines.

Shares are 0 … 1. Of the picture models: of the bars that the second generation is held to (`world/evaluate.py`; the
bar stands beside it), of free prompts, and of the first generation's scenes, which it must not lose (`score.py`). Of
the clip model: object there and moving as told, background, both. Seconds are of one prompt at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.models.installed import open_folder
from engine.protocol.family_info import ModelInfo
from resources import MODELS

from . import runs
from .evaluate import Draw, draw_clips, draw_pictures, evaluate, held_out_clips, held_out_scenes
from .scenes import Scene
from .world import evaluate as bars
from .world.wording import LANGUAGES

PROMPTS = 50  # of each bar
SCENES = 50  # of the first generation's: of one object, as many of two, as many in Portuguese
CLIPS = 50  # of each length
TIMED = 3

Pairs = list[tuple[Scene, str]]


def embedded() -> dict[str, Any]:
    report: dict[str, Any] = {f"judge_{k}": v for k, v in bars.check_judge(runs.FIRST_WORLD, PROMPTS).items()}
    for model in ("image", "image-turbo"):
        folder, name = MODELS / f"laterna-mini-{model}", model.replace("-", "_")
        draw = draw_pictures(folder)
        report |= {f"{name}_{key}": value for key, value in pictures(draw, open_folder(folder).info).items()}
        report[f"{name}_seconds"] = _seconds(draw)
    clips = held_out_clips(runs.mini_video().domain, CLIPS)
    for frames in (17, 9):
        draw = draw_clips(MODELS / "laterna-mini-video", frames)
        report |= _figures(f"video_{frames}", clips, draw)
        report[f"video_{frames}_seconds"] = _seconds(draw)
    return report


def pictures(draw: Draw, info: ModelInfo, prompts: int = PROMPTS, scenes: int = SCENES,
             every: int = 1) -> dict[str, Any]:  # fmt: skip
    """Everything of one picture model; `every`: of the free prompts, every so many-th."""
    report: dict[str, Any] = {}
    for part in (*(part for part in bars.BARS if part != "free"), *LANGUAGES):
        told = bars.evaluate(part, runs.FIRST_WORLD, prompts, draw, info)
        report[part] = told["right"]
        if part in bars.BARS:
            report[f"{part}_bar"] = bars.BARS[part]
    told = bars.evaluate_free(draw, info, every)
    report |= {"free": told["right"], "free_bar": bars.BARS["free"], "free_prompts": told["prompts"]}
    report |= {f"free_{code}": told[code] for code in LANGUAGES}
    domain = runs.mini_image().domain
    first = {
        "single": held_out_scenes(domain, scenes),
        "pair": held_out_scenes(domain, scenes, singles=0.0),
        "portuguese": held_out_scenes(domain, scenes, singles=0.5, seed=77, portuguese=1.0),
    }
    return report | {f"first_{name}": evaluate(pairs, draw)[0]["all"] for name, pairs in first.items()}


def _figures(name: str, pairs: Pairs, draw: Draw) -> dict[str, Any]:
    told = evaluate(pairs, draw)[0]
    keys = ("count", "objects", "background", "all", "flicker", "flicker_most", "threads")
    return {f"{name}_{key}": told[key] for key in keys if key in told}


def _seconds(draw: Draw) -> float:
    """The median of some prompts drawn alone, the model being warm."""

    def once(seed: int) -> float:
        begun = time.monotonic()
        draw(["a red apple, blue background"], seed)
        return time.monotonic() - begun

    return round(float(np.median([once(seed) for seed in range(TIMED)])), 3)


NAMES: dict[str, Callable[[], dict[str, Any]]] = {"embedded": embedded}
