"""What the two ways of going faster give and cost on the models that ship.

Times are processor seconds of whole jobs, measured in turn within one process: a busy machine burdens all alike.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.worker.bench_engine import image_models, prepare
from resources import MODELS as EMBEDDED

TOLERANCES = (0.1, 0.2, 0.3)
FEWER_STEPS = (15, 10)
"""Of 20: what else would make it faster."""
PICTURES, CLIPS = 20, 4
CALLS = 7

Figures = dict[str, Any]
Pairs = list[tuple[Any, str]]


def caching() -> Figures:
    """Step caching, and fewer steps without it, over held-out prompts: the share of steps left out, the median ratio of
    seconds to those of all steps, the pixels' mean difference (0 … 1) and PSNR in dB against the exact result, and the
    share of prompts that came out right."""
    prepare()
    from engine.training import runs
    from engine.training.evaluate import held_out_clips, held_out_scenes

    pictures = held_out_scenes(runs.mini_image().domain, PICTURES)
    clips = held_out_clips(runs.mini_video().domain, CLIPS)
    return {
        "laterna-mini-image": _model("laterna-mini-image", pictures),
        "laterna-mini-video": _model("laterna-mini-video", clips),
        "laterna-mini-video, dpm": _model("laterna-mini-video", clips, sampler="dpm"),
    }


def _model(name: str, pairs: Pairs, **base: Any) -> Figures:
    import torch

    from engine.models.installed import open_folder
    from engine.worker.runner import Runner

    runner = Runner(device=torch.device("cpu"), precision=torch.float32)
    ways: dict[str, Figures] = {"exact": {}}
    ways |= {f"tolerance {tolerance}": {"step_caching": tolerance} for tolerance in TOLERANCES}
    ways |= {f"{steps} steps": {"steps": steps} for steps in FEWER_STEPS}
    info = open_folder(EMBEDDED / name).info
    made: dict[str, list[Figures]] = {way: [] for way in ways}
    _run(runner, EMBEDDED / name, info.recipe(pairs[0][1]))
    for seed, (_, text) in enumerate(pairs):
        for way, changes in ways.items():
            made[way].append(_run(runner, EMBEDDED / name, info.recipe(text, seed=seed, **(base | changes))))
    figures = {way: _compared(made[way], made["exact"], pairs) for way in ways if way != "exact"}
    return {"exact": {"right": _right(made["exact"], pairs)}} | figures


def _run(runner: Any, folder: Path, recipe: Any, **more: Any) -> Figures:
    """``frames`` [T, H, W, 3] uint8, ``seconds``, the share of steps ``reused``."""
    from engine.protocol.commands import Generate
    from engine.worker.progress import Progress

    progress = Progress("bench", lambda event, blob: None)
    began = time.process_time()
    made = runner.make(Generate("bench", recipe, str(folder), "", "out", -1.0, **more), progress)
    return {"frames": made.frames[0].numpy(), "seconds": time.process_time() - began, "reused": made.reused}


def _compared(made: list[Figures], exact: list[Figures], pairs: Pairs) -> Figures:
    import numpy as np

    off = [(one["frames"].astype(np.float64) - other["frames"]) / 255 for one, other in zip(made, exact, strict=True)]
    psnr = [-10 * np.log10(max(float(np.square(one).mean()), 1e-10)) for one in off]
    ratios = [one["seconds"] / other["seconds"] for one, other in zip(made, exact, strict=True)]
    return {
        "left_out": round(statistics.mean(one["reused"] for one in made), 3),
        "seconds_ratio": round(statistics.median(ratios), 3),
        "mean_difference": round(float(np.mean([np.abs(one).mean() for one in off])), 5),
        "psnr_median": round(statistics.median(psnr), 1),
        "psnr_worst": round(min(psnr), 1),
        "right": _right(made, pairs),
    }


def _right(made: list[Figures], pairs: Pairs) -> float:
    from engine.training.score import score_clip, score_picture

    scores = [
        score_clip(one["frames"] / 255.0, scene)
        if len(one["frames"]) > 1
        else score_picture(one["frames"][0] / 255.0, scene)
        for one, (scene, _) in zip(made, pairs, strict=True)
    ]
    return round(statistics.mean(score.all for score in scores), 3)


def compiling() -> Figures:
    """Compiled blocks on the embedded picture model and on one of about 100 million parameters: processor seconds of a
    job over those without, seconds on the clock that compiling took with nothing kept and with kernels
    kept, and the largest difference of a pixel in 255ths."""
    prepare()
    import torch

    from engine.worker.acceleration.compiling import missing_compiler
    from engine.worker.acceleration.gains import Gains
    from engine.worker.runner import Runner

    if missing := missing_compiler(torch.device("cpu")):
        return {"missing": missing}
    figures: Figures = {}
    for name, folder, recipe in image_models():
        with tempfile.TemporaryDirectory() as cache:
            wished = {"compile": "always", "compile_folder": cache}
            costs, gains = [], Gains(Path(cache) / "gains.json")
            for _ in ("nothing kept", "kernels kept"):
                torch._dynamo.reset()
                runner = Runner(device=torch.device("cpu"), precision=torch.float32)
                _run(runner, folder, recipe, **wished)
                gains = Gains(Path(cache) / "gains.json")
                costs.append(next(iter(gains.known.values())).cost)
            times: dict[str, list[float]] = {"plain": [], "compiled": []}
            frames = {}
            for _ in range(CALLS):
                for way, more in (("plain", {}), ("compiled", wished)):
                    made = _run(runner, folder, recipe, **more)
                    times[way].append(made["seconds"])
                    frames[way] = made["frames"].astype(int)
            ratios = [one / other for one, other in zip(times["compiled"], times["plain"], strict=True)]
            figures[name] = {
                "ratio": round(statistics.median(ratios), 3),
                "cost_at_first": round(costs[0], 1),
                "cost_with_kept_kernels": round(costs[1], 1),
                "largest_difference": int(abs(frames["plain"] - frames["compiled"]).max()),
            }
    return figures


NAMES: dict[str, Callable[[], Figures]] = {"caching": caching, "compiling": compiling}
