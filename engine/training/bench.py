"""How well and how fast the models that ship draw held-out prompts: ``bench embedded``, by the reference pipelines.

For each model: the share (0 … 1) of prompts of which every object stands where it should (in clips: and moves as told),
of backgrounds, of both together, and the seconds each, one prompt at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from resources import MODELS

from . import runs
from .evaluate import Draw, draw_clips, draw_pictures, evaluate, held_out_clips, held_out_scenes
from .scenes import Scene

PICTURES = 100  # of one object, and as many of two
CLIPS = 50  # of each length
PORTUGUESE = 50
TIMED = 3

Pairs = list[tuple[Scene, str]]


def embedded() -> dict[str, Any]:
    domain = runs.mini_image().domain
    pictures = {
        "single": held_out_scenes(domain, PICTURES),
        "pair": held_out_scenes(domain, PICTURES, singles=0.0),
        "portuguese": held_out_scenes(domain, PORTUGUESE, singles=0.5, seed=77, portuguese=1.0),
    }
    clips = held_out_clips(runs.mini_video().domain, CLIPS)
    report: dict[str, Any] = {}
    for model in ("image", "image-turbo"):
        draw = draw_pictures(MODELS / f"laterna-mini-{model}")
        for part, pairs in pictures.items():
            report |= _figures(f"{model.replace('-', '_')}_{part}", pairs, draw)
        report[f"{model.replace('-', '_')}_seconds"] = _seconds(draw)
    for frames in (17, 9):
        draw = draw_clips(MODELS / "laterna-mini-video", frames)
        report |= _figures(f"video_{frames}", clips, draw)
        report[f"video_{frames}_seconds"] = _seconds(draw)
    return report


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
