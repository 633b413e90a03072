"""What is done with each job's results on the way costs: judging every step, learning of what was decoded."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.models import installed
from engine.protocol.commands import Generate
from engine.worker.bench_engine import _make, _runner, image_models, prepare
from resources import MODELS as EMBEDDED

REPEATS = 5

Figures = dict[str, Any]


def finite() -> Figures:
    """Processor seconds of judging the latents behind a step over those of the whole step, on small and large."""
    prepare()
    from engine.worker import finite, runner

    figures: Figures = {}
    for name, folder, recipe in image_models():
        spent = []

        class Timed(finite.StepWatch):
            def reached(self, *state: Any, spent: list[float] = spent) -> None:
                began = time.process_time()
                super().reached(*state)
                spent.append(time.process_time() - began)

        shares, ours = [], _runner()
        runner.StepWatch = Timed  # type: ignore[misc]
        _make(ours, folder, recipe)
        for _ in range(REPEATS):
            spent.clear()
            began = time.process_time()
            _make(ours, folder, recipe.replace(steps=20))
            shares.append(sum(spent) / (time.process_time() - began))
        figures[name] = {"share": statistics.median(shares), "worst": max(shares), "seconds_each": spent[-1]}
    return figures


def learning() -> Figures:
    """Processor seconds of learning a preview from a result over those of decoding that result, and of finding what is
    known of a VAE, once in an engine's life. The models that ship without their own previews, and the VAE of SD3.5
    with random weights, 256 × 256."""
    prepare()
    from engine.worker.progress import Progress

    figures: Figures = {}
    for found in installed.find_installed([EMBEDDED]):
        spent: dict[str, list[float]] = {"learn": [], "find": [], "decode": []}

        def timed(name: str, call: Callable[..., Any], spent: dict[str, list[float]] = spent) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                began = time.process_time()
                result = call(*arguments)
                spent[name].append(time.process_time() - began)
                return result

            return run

        with tempfile.TemporaryDirectory() as folder:
            runner = _runner()
            runner._own_rgb = lambda model: None  # type: ignore[method-assign,assignment]
            runner._decode_as_planned = timed("decode", runner._decode_as_planned)  # type: ignore[method-assign]
            recipe = found.info.recipe(found.info.examples[0]).replace(steps=4)
            for number in range(REPEATS + 1):
                job = Generate(
                    "bench", recipe, str(found.folder), "", "out", -1.0, previews_folder=str(Path(folder) / str(number))
                )
                runner._know(job)
                runner.learned.learn = timed("learn", runner.learned.learn)  # type: ignore[method-assign]
                runner.learned.find = timed("find", runner.learned.find)  # type: ignore[method-assign]
                runner.make(job, Progress("bench", lambda event, blob: None))
        shares = [one / other for one, other in zip(spent["learn"], spent["decode"], strict=True)]
        finding = [one / other for one, other in zip(spent["find"], spent["decode"], strict=True)]
        figures[found.info.id] = {
            "share": statistics.median(shares[1:]),
            "worst": max(shares[1:]),
            "finding": statistics.median(finding[1:]),
            "seconds_each": statistics.median(spent["learn"][1:]),
        }
    figures["sd3.5's VAE"] = _published()
    return figures


def _published() -> Figures:
    import torch

    from engine.models.reading.model_folder import read_model
    from engine.worker.learned_previews import LearnedPreviews
    from engine.worker.pipeline import to_pixels
    from engine.worker.residency.bench_streaming import class_of, network_of

    cls, config = network_of("sd3-vae")
    vae = class_of(cls).from_config(config).eval()
    key = read_model(next(EMBEDDED.glob("*image")), "sd35").parts["vae"]
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        previews, latents = LearnedPreviews(Path(folder)), torch.randn(1, 16, 32, 32)
        previews.find(key, 16)
        began = time.process_time()
        frames = to_pixels(vae.decode(latents, return_dict=False)[0])[:, None]
        decode = time.process_time() - began
        began = time.process_time()
        previews.learn(key, latents[:, None], frames)
        learn = time.process_time() - began
    return {"share": learn / decode, "seconds_each": learn, "decode": decode}


NAMES: dict[str, Callable[[], Figures]] = {"engine-finite": finite, "engine-learning": learning}
