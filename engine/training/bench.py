"""How well the models that ship follow held-out prompts, through the reference pipelines: ``bench embedded``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import runs
from .evaluate import (
    draw_clips,
    draw_pictures,
    evaluate,
    held_out_clips,
    held_out_scenes,
    image_pipeline,
    video_pipeline,
)

MODELS = Path(__file__).resolve().parents[2] / "resources" / "models"
PICTURES = 100
CLIPS = 50


def embedded() -> dict[str, Any]:
    """Shares (0 … 1) of held-out prompts drawn right, by part and all together, and seconds each."""
    reports = {
        "image": evaluate(
            held_out_scenes(runs.mini_image().domain, PICTURES),
            draw_pictures(image_pipeline(MODELS / "laterna-mini-image")),
        )[0],
        "video": evaluate(
            held_out_clips(runs.mini_video().domain, CLIPS),
            draw_clips(video_pipeline(MODELS / "laterna-mini-video")),
        )[0],
    }
    return {
        f"{kind}_{key}": report[key]
        for kind, report in reports.items()
        for key in ("count", "objects", "background", "all", "seconds_each", "threads")
    }


NAMES: dict[str, Callable[[], dict[str, Any]]] = {"embedded": embedded}
