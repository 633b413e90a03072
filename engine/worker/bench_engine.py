"""What the engine costs: against the bare pipeline, of previews, to cancel, to start, and for the models that ship.

Compared things run in turn within one process, so that a busy machine burdens both alike; figures are medians. A
large model is stood in for by the embedded one with a transformer of about 100 million random parameters.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.models import catalog, installed
from engine.protocol.commands import Generate
from engine.protocol.errors import Cancelled, ModelMissing
from engine.protocol.events import EngineReady, JobFailed, JobFinished, PreviewReady
from engine.protocol.recipe import Recipe
from resources import MODELS as EMBEDDED

if TYPE_CHECKING:
    from engine.worker.runner import Runner

REPEATS = 5
CANCELS = 8
CHECKPOINTED = 3
STARTS = 3
PATIENCE = 120.0

Figures = dict[str, Any]


def overhead() -> Figures:
    """Our loop over ``StableDiffusion3Pipeline``, both from encoded prompts to pixels, without previews."""
    prepare()
    from diffusers import StableDiffusion3Pipeline

    figures: Figures = {}
    for name, folder, recipe in image_models():
        runner = _runner()
        pipeline = StableDiffusion3Pipeline.from_pretrained(folder, dtype=_float32(), local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, shift=recipe.shift)
        times = _in_turn({"ours": _ours(runner, folder, recipe), "pipeline": _reference(pipeline, recipe)})
        figures[name] = {key: statistics.median(values) for key, values in times.items()}
        ratios = [ours / theirs for ours, theirs in zip(times["ours"], times["pipeline"], strict=True)]
        figures[name]["ratio"] = statistics.median(ratios)
    return figures


def previews() -> Figures:
    """A generation with previews (ten a second at most) over one without, and how many there were."""
    prepare()
    figures: Figures = {}
    for name, folder, recipe in image_models():
        runner, counts = _runner(), []

        def with_previews(
            runner: Runner = runner, folder: Path = folder, recipe: Recipe = recipe, counts: list[int] = counts
        ) -> None:
            counts.append(_make(runner, folder, recipe, preview_interval=0.1))

        times = _in_turn({"with": with_previews, "without": _ours(runner, folder, recipe)})
        ratios = [one / other for one, other in zip(times["with"], times["without"], strict=True)]
        figures[name] = {
            "ratio": statistics.median(ratios),
            "previews": statistics.median(counts),
            "seconds_each": runner.preview_cost,
        }
    return figures


def checkpoints() -> Figures:
    """What checkpoints took of the time between the first step and the last, at defaults, and how many there were."""
    prepare()
    from engine.protocol.events import CheckpointSaved
    from engine.worker.progress import Progress

    figures: Figures = {}
    for name, folder, recipe in image_models():
        runner = _runner()
        _make(runner, folder, recipe)
        shares, counts = [], []
        for _ in range(CHECKPOINTED):
            events: list[object] = []
            progress = Progress("bench", lambda event, blob, events=events: events.append(event))
            with tempfile.TemporaryDirectory() as scratch:
                file = str(Path(scratch) / "c.safetensors")
                job = Generate("bench", recipe.replace(steps=60), str(folder), "", "out", -1.0, checkpoint=file)
                made = runner.make(job, progress)
            shares.append(made.checkpoint.spent / progress.seconds["denoising"])
            counts.append(sum(isinstance(event, CheckpointSaved) for event in events))
        figures[name] = {"share": statistics.median(shares), "worst": max(shares), "checkpoints": counts}
    return figures


def cancel() -> Figures:
    """Seconds from the request to the end of the job, at moments spread over a generation."""
    prepare()
    figures: Figures = {}
    for name, folder, recipe in image_models():
        runner = _runner()
        _make(runner, folder, recipe)
        began = time.perf_counter()
        _make(runner, folder, recipe)
        whole = time.perf_counter() - began
        latencies = [_cancel_after(runner, folder, recipe, whole * (i + 0.5) / CANCELS) for i in range(CANCELS)]
        figures[name] = {
            "median": statistics.median(latencies),
            "worst": max(latencies),
            "step": whole / recipe.steps,
        }
    return figures


def engine_start() -> Figures:
    """Seconds until a fresh engine process is ready for a job, the same over importing PyTorch alone (in turn), and
    seconds until a picture is made by a job that waited from the start."""
    ready, first, alone = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(STARTS):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import torch"], check=True)
            alone.append(time.perf_counter() - began)
            seconds, whole = _first_job(Path(folder))
            ready.append(seconds)
            first.append(whole)
    return {
        "seconds": statistics.median(ready),
        "over_torch": statistics.median(one / other for one, other in zip(ready, alone, strict=True)),
        "torch_seconds": statistics.median(alone),
        "first_picture_seconds": statistics.median(first),
    }


def _first_job(folder: Path) -> tuple[float, float]:
    from engine.jobs.connection import EngineConnection
    from engine.jobs.transport import LocalProcess

    ready, done = threading.Event(), threading.Event()

    def hear(event: object, blob: bytes) -> None:
        if isinstance(event, EngineReady):
            ready.set()
        elif isinstance(event, JobFinished | JobFailed):
            done.set()

    def gone(error: object) -> None:
        ready.set()
        done.set()

    model = EMBEDDED / catalog.MINI_IMAGE
    recipe = installed.open_folder(model).info.recipe("a red apple")
    process = EngineConnection(hear, gone, LocalProcess(folder / "engine.log"))
    began = time.perf_counter()
    process.start()
    ready.wait(PATIENCE)
    seconds = time.perf_counter() - began
    process.send(Generate("bench", recipe, str(model), str(folder), "out", -1.0))
    done.wait(PATIENCE)
    whole = time.perf_counter() - began
    process.shutdown()
    return seconds, whole


def embedded() -> Figures:
    """Seconds of one picture and one clip of the models that ship, saving included, engine and model warm."""
    prepare()
    runner, figures = _runner(), {}
    for found in installed.find_installed([EMBEDDED]):
        recipe = found.info.recipe(found.info.examples[0] if found.info.examples else "a red apple")
        with tempfile.TemporaryDirectory() as folder:
            job = Generate("bench", recipe, str(found.folder), folder, "out")
            times = []
            for seed in range(4):
                began = time.perf_counter()
                runner.run(_with(job, recipe.replace(seed=seed)), lambda event, blob: None)
                times.append(time.perf_counter() - began)
        figures[found.info.id] = {"first": times[0], "seconds": statistics.median(times[1:])}
    return figures


NAMES: dict[str, Callable[[], Figures]] = {
    "engine-checkpoints": checkpoints,
    "engine-overhead": overhead,
    "engine-previews": previews,
    "engine-cancel": cancel,
    "engine-start": engine_start,
    "engine-embedded": embedded,
}


def prepare() -> None:
    """As the engine's process sets itself up, before PyTorch is imported."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TQDM_DISABLE": "1"}
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch

    from engine.worker.device import cpu_threads

    torch.set_num_threads(cpu_threads())


def _float32() -> Any:
    import torch

    return torch.float32


def _runner() -> Runner:
    import torch

    from engine.worker.runner import Runner

    return Runner(device=torch.device("cpu"), precision=torch.float32)


@contextmanager
def _large(small: Path) -> Iterator[Path]:
    """``small`` with another transformer, of about 100 million random parameters."""
    from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel

    config = json.loads((small / "transformer" / "config.json").read_text())
    config |= {"num_layers": 8, "attention_head_dim": 64, "num_attention_heads": 12, "caption_projection_dim": 768}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        shutil.copytree(small, folder)
        shutil.rmtree(folder / "transformer")
        SD3Transformer2DModel.from_config(config).save_pretrained(folder / "transformer")
        yield folder


def image_models() -> Iterator[tuple[str, Path, Recipe]]:
    """Name, folder and recipe of the embedded picture model and of one with a large transformer."""
    small = EMBEDDED / catalog.MINI_IMAGE
    if not (small / "model_index.json").is_file():
        raise ModelMissing(f"{small} is missing.", "Get Laterna again: its small models come with it.")
    recipe = installed.open_folder(small).info.recipe("a red apple on the left, blue sky background")
    yield "small", small, recipe
    with _large(small) as large:
        yield "100M", large, recipe.replace(steps=4)


def _with(job: Generate, recipe: Recipe) -> Generate:
    return Generate(job.job, recipe, job.model_folder, job.output_folder, job.file_stem, job.preview_interval)


def _make(runner: Runner, folder: Path, recipe: Recipe, preview_interval: float = -1.0) -> int:
    """Latents and pixels, nothing saved; the number of previews."""
    from engine.worker.progress import Progress

    count = 0

    def emit(event: object, blob: bytes) -> None:
        nonlocal count
        count += isinstance(event, PreviewReady)

    job = Generate("bench", recipe, str(folder), "", "out", preview_interval)
    runner.make(job, Progress("bench", emit))
    return count


def _ours(runner: Runner, folder: Path, recipe: Recipe) -> Callable[[], None]:
    def run() -> None:
        _make(runner, folder, recipe)

    return run


def _reference(pipeline: Any, recipe: Recipe) -> Callable[[], None]:
    import torch

    with torch.no_grad():
        encoded = pipeline.encode_prompt(
            recipe.prompt, None, None, max_sequence_length=recipe.max_sequence_length, negative_prompt=""
        )
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")

    def run() -> None:
        pipeline(
            **dict(zip(names, encoded, strict=True)),
            width=recipe.width,
            height=recipe.height,
            num_inference_steps=recipe.steps,
            guidance_scale=recipe.guidance,
            generator=torch.Generator("cpu").manual_seed(recipe.seed),
            output_type="np",
        )

    return run


def _in_turn(runs: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Seconds of each, run alternately; a first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(REPEATS + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if repeat:
                times[name].append(time.perf_counter() - began)
    return times


def _cancel_after(runner: Runner, folder: Path, recipe: Recipe, seconds: float) -> float:
    requested = []

    def request() -> None:
        requested.append(time.perf_counter())
        runner.cancellation.request()

    runner.cancellation.reset()
    timer = threading.Timer(seconds, request)
    timer.start()
    try:
        _make(runner, folder, recipe)
    except Cancelled:
        return time.perf_counter() - requested[0]
    finally:
        timer.cancel()
        timer.join()
        runner.cancellation.reset()
    return 0.0  # the job was faster than the request
