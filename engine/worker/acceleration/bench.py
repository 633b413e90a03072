"""What step caching costs and gives on the models that ship: steps left out, how far the pixels are off, and whether
what a prompt says still stands where it should."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EMBEDDED = Path(__file__).resolve().parents[3] / "resources" / "models"
TOLERANCES = (0.05, 0.1, 0.2, 0.3)
FEWER_STEPS = (15, 10)
"""Of 20: what else would make it faster."""
PICTURES, CLIPS = 40, 8

Figures = dict[str, Any]
Pairs = list[tuple[Any, str]]


def caching() -> Figures:
    """For each model and tolerance, over held-out prompts: the share of steps left out, the seconds of denoising over
    those of all steps, the pixels' mean difference (0 … 1) and the median PSNR in dB against the exact result, and the
    share of prompts that came out right. The same for fewer steps without caching."""
    import torch

    from engine.training import runs
    from engine.training.evaluate import held_out_clips, held_out_scenes
    from engine.worker import device

    torch.set_num_threads(device.cpu_threads())
    pictures = held_out_scenes(runs.mini_image().domain, PICTURES)
    clips = held_out_clips(runs.mini_video().domain, CLIPS)
    return {
        "laterna-mini-image": _model("laterna-mini-image", pictures),
        "laterna-mini-video": _model("laterna-mini-video", clips),
    }


def _model(name: str, pairs: Pairs) -> Figures:
    import torch

    from engine.worker.runner import Runner

    runner = Runner(device=torch.device("cpu"), precision=torch.float32)
    _run(runner, name, pairs[:1])
    exact = _run(runner, name, pairs)
    figures: Figures = {"exact": {"right": _right(exact["frames"], pairs)}}
    for tolerance in TOLERANCES:
        made = _run(runner, name, pairs, step_caching=tolerance)
        figures[f"tolerance {tolerance}"] = _compared(made, exact, pairs)
    for steps in FEWER_STEPS:
        figures[f"{steps} steps"] = _compared(_run(runner, name, pairs, steps=steps), exact, pairs)
    return figures


def _run(runner: Any, name: str, pairs: Pairs, **changes: Any) -> Figures:
    """``frames`` [N, T, H, W, 3] uint8; ``seconds`` of each denoising, and the shares of steps ``reused``."""
    import numpy as np

    from engine.models.catalog import open_folder
    from engine.protocol.commands import Generate
    from engine.worker.progress import Progress

    info = open_folder(EMBEDDED / name).info
    frames, seconds, reused = [], [], []
    for seed, (_, text) in enumerate(pairs):
        progress = Progress("bench", lambda event, blob: None)
        recipe = info.recipe(text, seed=seed, **changes)
        began = time.process_time()
        made = runner.make(Generate("bench", recipe, str(EMBEDDED / name), "", "out", -1.0), progress)
        seconds.append(time.process_time() - began)
        frames.append(made.frames[0].numpy())
        reused.append(made.reused)
    return {"frames": np.stack(frames), "seconds": seconds, "reused": statistics.mean(reused)}


def _compared(made: Figures, exact: Figures, pairs: Pairs) -> Figures:
    import numpy as np

    off = (made["frames"].astype(np.float64) - exact["frames"]) / 255
    noise = np.square(off).reshape(len(off), -1).mean(1)
    return {
        "left_out": round(made["reused"], 3),
        "seconds_ratio": round(sum(made["seconds"]) / sum(exact["seconds"]), 3),
        "mean_difference": round(float(np.abs(off).mean()), 5),
        "psnr_median": round(float(np.median(-10 * np.log10(np.maximum(noise, 1e-10)))), 1),
        "psnr_worst": round(float(-10 * np.log10(max(noise.max(), 1e-10))), 1),
        "right": _right(made["frames"], pairs),
    }


def _right(frames: Any, pairs: Pairs) -> float:
    from engine.training.score import score_clip, score_picture

    scores = [
        score_clip(made / 255.0, scene) if len(made) > 1 else score_picture(made[0] / 255.0, scene)
        for made, (scene, _) in zip(frames, pairs, strict=True)
    ]
    return round(statistics.mean(score.all for score in scores), 3)


NAMES: dict[str, Callable[[], Figures]] = {"caching": caching}
