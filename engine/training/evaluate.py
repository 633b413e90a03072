"""How good is a model? Held-out compositions, drawn through the real pipelines, judged by the template scorer."""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import CogVideoXPipeline, StableDiffusion3Pipeline

from engine.models.reading.shared import gather

from .captions import caption
from .catalogue import OBJECTS
from .clips import draw_clip
from .grids import grid
from .scenes import Domain, Scene, draw_scene
from .score import Score, score_clip, score_picture
from .tokenizers import T5_LENGTH

Draw = Callable[[list[str], int], np.ndarray]  # captions, seed -> pictures or clips in 0..1


def held_out_scenes(domain: Domain, count: int, singles: float = 1.0, seed: int = 1234,
                    portuguese: float = 0.0) -> list[tuple[Scene, str]]:  # fmt: skip
    """Scenes whose compositions training never sees, each with a random one of its wordings (`portuguese`: share of
    those)."""
    rng = np.random.default_rng((seed, 9))
    scenes = [draw_scene(rng, domain, singles, held_out=True) for _ in range(count)]
    return [(s, caption(s, rng, portuguese=portuguese)) for s in scenes]


def held_out_clips(domain: Domain, count: int, seed: int = 1234, portuguese: float = 0.0) -> list[tuple[Scene, str]]:
    rng = np.random.default_rng((seed, 9))
    scenes = [draw_clip(rng, domain, held_out=True) for _ in range(count)]
    return [(s, caption(s, rng, portuguese=portuguese)) for s in scenes]


def _shares(pairs: list[tuple[Scene, str]], scores: list[Score]) -> dict[str, Any]:
    def share(values: list[bool]) -> float:
        return round(float(np.mean(values)), 4)

    groups: dict[str, list[bool]] = defaultdict(list)
    for (scene, _), score in zip(pairs, scores, strict=True):
        groups["size " + scene.items[0].size].append(score.all)
        groups["place " + scene.items[0].place].append(score.all)
        if scene.motion:
            groups["motion " + scene.motion].append(score.all)
    flickers = [s.flicker for (scene, _), s in zip(pairs, scores, strict=True) if scene.motion]
    clips = {"flicker": round(float(np.mean(flickers)), 4), "flicker_most": round(max(flickers), 4)} if flickers else {}
    return {
        "count": len(pairs),
        **clips,
        "objects": share([all(s.objects) for s in scores]),
        "background": share([s.background for s in scores]),
        "all": share([s.all for s in scores]),
        "groups": {k: [share(v), len(v)] for k, v in sorted(groups.items())},
        "wrong": [_miss(text, s) for (_, text), s in zip(pairs, scores, strict=True) if not s.all],
    }


def _miss(text: str, score: Score) -> dict[str, Any]:
    errors = [round(e, 3) for e in score.errors]
    return {"prompt": text, "objects": list(score.objects), "background": score.background, "errors": errors}


def evaluate(pairs: list[tuple[Scene, str]], draw: Draw, batch: int = 10) -> tuple[dict[str, Any], np.ndarray]:
    """The report and everything drawn, in order."""
    begun = time.monotonic()
    texts = [text for _, text in pairs]
    drawn = [draw(texts[start : start + batch], 1000 + start) for start in range(0, len(texts), batch)]
    seconds = time.monotonic() - begun
    pictures = np.concatenate(drawn)
    judge = score_clip if pairs[0][0].motion else score_picture
    scores = [judge(picture, scene) for picture, (scene, _) in zip(pictures, pairs, strict=True)]
    report = _shares(pairs, scores)
    report["seconds_each"] = round(seconds / len(pairs), 3)
    report["threads"] = torch.get_num_threads()
    return report, pictures


def defaults(folder: Path) -> dict[str, Any]:
    """The settings that the model's card recommends."""
    return json.loads((folder / "laterna.json").read_text())["defaults"]


def image_pipeline(folder: Path) -> StableDiffusion3Pipeline:
    with tempfile.TemporaryDirectory() as scratch:
        whole = gather(folder, Path(scratch) / folder.name)
        pipeline = StableDiffusion3Pipeline.from_pretrained(whole, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def video_pipeline(folder: Path) -> CogVideoXPipeline:
    pipeline = CogVideoXPipeline.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw_pictures(
    model: Path | StableDiffusion3Pipeline, steps: int | None = None, guidance: float | None = None
) -> Draw:
    """By the model in a folder through diffusers' pipeline in fp32, with its card's settings where none are given; or
    by a pipeline, with those of laterna-mini-image."""
    if isinstance(model, Path):
        pipeline, card = image_pipeline(model), defaults(model)
    else:
        pipeline, card = model, {"steps": 20, "guidance": 3.0, "scheduler": "normal"}
    steps, guidance = steps or card["steps"], card["guidance"] if guidance is None else guidance
    # the card's "normal" is what the pipeline does by itself; "sgm_uniform" leaves out the last step of almost nothing
    even = {"sigmas": [1 - n / steps for n in range(steps)]} if card["scheduler"] == "sgm_uniform" else {}

    def draw(captions: list[str], seed: int) -> np.ndarray:
        return pipeline(
            captions, negative_prompt=[""] * len(captions), height=128, width=128, num_inference_steps=steps,
            guidance_scale=guidance, max_sequence_length=T5_LENGTH, output_type="np", **even,
            generator=[torch.Generator().manual_seed(seed + i) for i in range(len(captions))],
        ).images  # fmt: skip

    return draw


def draw_clips(folder: Path, frames: int = 17, steps: int | None = None, guidance: float | None = None) -> Draw:
    """As `draw_pictures`."""
    pipeline, card = video_pipeline(folder), defaults(folder)
    steps, guidance = steps or card["steps"], card["guidance"] if guidance is None else guidance

    def draw(captions: list[str], seed: int) -> np.ndarray:
        return pipeline(
            captions, negative_prompt=[""] * len(captions), height=96, width=96, num_frames=frames,
            num_inference_steps=steps, guidance_scale=guidance, max_sequence_length=T5_LENGTH, output_type="np",
            generator=[torch.Generator().manual_seed(seed + i) for i in range(len(captions))],
        ).frames  # fmt: skip

    return draw


__all__ = ["OBJECTS", "draw_clips", "draw_pictures", "evaluate", "grid", "held_out_clips", "held_out_scenes"]
