"""What each command of `python -m engine.training` does; a command returns what it has to tell."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from PIL import Image

from engine.protocol.errors import BadArguments, Cancelled
from resources import CALLED, MODELS

from . import assemble, checkpoint, plot, runs
from .journal import read_log, smoothed
from .lora import LoraTask, lora_run, save_lora
from .parallel import Ranks
from .progress import Console, duration
from .runs import Run

Report = dict[str, Any]


def train_embedded(arguments: argparse.Namespace) -> Report:
    run = runs.BY_KIND[arguments.command]()
    return train(changed(run, arguments), runs.folder(run.name), arguments.compile)


def resume(arguments: argparse.Namespace) -> Report:
    run, place = find(arguments.name)
    return train(changed(run, arguments), place, arguments.compile)


def lora(arguments: argparse.Namespace) -> Report:
    out: Path = arguments.out
    more = {"frames": arguments.frames} if arguments.frames else {}
    run = lora_run(
        arguments.name or out.stem, arguments.model, arguments.data, out, arguments.steps, arguments.batch,
        arguments.rate, arguments.size, arguments.seed, rank=arguments.rank, layers=arguments.layers,
        caption=arguments.caption, prompts=tuple(arguments.prompt),
        gradient_checkpointing=arguments.gradient_checkpointing, **more,
    )  # fmt: skip
    seconds = {"checkpoint_seconds": 60 * arguments.checkpoints}
    if arguments.prompt:
        seconds["sample_seconds"] = 60 * arguments.samples
    run = with_schedule(run, **seconds)
    place = runs.folder(run.name)
    before = checkpoint.read_meta(place / "last.safetensors").get("run")
    if before and not same_training(runs.from_dict(before), run):
        raise BadArguments(
            f"There is a training “{run.name}” with other settings.",
            f"Take another name (--name), go on with it (resume {run.name}), or remove {place}.",
        )
    return train(run, place)


def same_training(one: Run, other: Run) -> bool:
    """Whether `other` goes on with `one`: its end and how often it saves may differ."""
    free = {"steps": 0, "checkpoint_seconds": 0.0, "sample_seconds": 0.0, "decay": 0.0, "warmup": 0}
    return with_schedule(one, **free) == with_schedule(other, **free)


def with_schedule(run: Run, **changes: Any) -> Run:
    return replace(run, schedule=replace(run.schedule, **changes))


def changed(run: Run, arguments: argparse.Namespace) -> Run:
    """With the end and the samples that the arguments ask for."""
    changes: dict[str, Any] = {} if arguments.steps is None else {"steps": arguments.steps}
    if arguments.samples is not None:
        changes["sample_seconds"] = 60 * arguments.samples
    if arguments.processes > 1:
        changes["parts"] = arguments.processes
    return with_schedule(run, **changes)


def train(run: Run, place: Path, compiled: bool = False) -> Report:
    """To the end, or until told to stop. A LoRA is written in either case."""
    ranks = Ranks()
    try:
        task = assemble.task_of(run, compiled)
        trainer = assemble.trainer(task, run, place, ranks)
        report: Report = {"name": run.name, "folder": str(place), "from_step": trainer.step}
        assemble.run(trainer, Console() if ranks.is_first else lambda status: None)
        report |= {"step": trainer.step, "steps": run.schedule.steps, "seconds": round(trainer.seconds, 1)}
        if isinstance(task, LoraTask) and ranks.is_first:
            with trainer.averaged():
                save_lora(task.modules, task.run, Path(task.run.out))
            report["file"] = task.run.out
    finally:
        ranks.close()
    if trainer.step < run.schedule.steps:
        raise Cancelled(f"Stopped at step {trainer.step}; it is saved.", f"Go on: {CALLED} train resume {run.name}")
    return report


def find(name: str) -> tuple[Run, Path]:
    """A training by its name or folder, and what it is."""
    place = Path(name) if Path(name).is_dir() else runs.folder(name)
    told = checkpoint.read_meta(place / "last.safetensors")
    if told.get("run"):
        return runs.from_dict(told["run"]), place
    for make in runs.BY_KIND.values():
        if make().name == place.name and told:
            return make(), place
    known = ", ".join(path.parent.name for path in sorted(runs.home().glob("*/last.safetensors")))
    raise BadArguments(f"There is no training “{name}”.", f"Trainings: {known}." if known else "Start one first.")


def list_trainings(arguments: argparse.Namespace) -> Report:
    found = {}
    for path in sorted(runs.home().glob("*/last.safetensors")):
        told = checkpoint.read_meta(path)
        lines = smoothed(read_log(path.parent / "log.jsonl"), "loss")
        found[path.parent.name] = {
            "step": told.get("step"), "steps": told.get("schedule", {}).get("steps"),
            "loss": round(lines[-1][1], 5) if lines else None, "time": duration(told.get("seconds", 0.0)),
        }  # fmt: skip
    return found


def show(arguments: argparse.Namespace) -> Report:
    run, place = find(arguments.name)
    lines = smoothed(read_log(place / "log.jsonl"), arguments.key)
    if arguments.plot:
        plot.save(plot.draw({arguments.key: lines}, run.name), arguments.plot)
    return {"folder": str(place), arguments.key: [lines[0], lines[-1]] if lines else [], "run": runs.to_dict(run)}


def watch(arguments: argparse.Namespace) -> Report:
    from .evaluate import evaluate, grid, held_out_clips, held_out_scenes

    run, task, step = assemble.trained_task(arguments.kind)
    held_out = held_out_clips if arguments.kind == "video" else held_out_scenes
    asked = {"steps": arguments.steps, "guidance": arguments.guidance}
    options = {key: value for key, value in asked.items() if value is not None}
    report, pictures = evaluate(
        held_out(run.domain, arguments.count, seed=arguments.seed),
        lambda captions, seed: task.sample(captions, seed, **options),
        batch=16,
    )
    if arguments.grid:
        Image.fromarray(grid(pictures, 4 if arguments.kind == "video" else 8)).save(arguments.grid)
    return {"step": step, **report}


def export(arguments: argparse.Namespace) -> Report:
    from .export import EXPORTERS
    from .world.export import export_world

    if arguments.kind == "world-image":
        _, task, step = assemble.trained_task(arguments.kind)
        out = export_world(task, arguments.out or MODELS / "laterna-mini-image")
        return {"folder": str(out), "step": step}
    _, task, step = assemble.trained_task(arguments.kind)
    _, vae, vae_step = assemble.trained_task(f"{arguments.kind.removesuffix('-turbo')}-vae")
    out = arguments.out or MODELS / f"laterna-mini-{arguments.kind}"
    EXPORTERS[arguments.kind](task, vae, out)
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
    return {"folder": str(out), "bytes": size, "step": step, "vae_step": vae_step}


def evaluate(arguments: argparse.Namespace) -> Report:
    from . import evaluate as scoring

    folder = arguments.folder or MODELS / f"laterna-mini-{arguments.kind}"
    portuguese = float(arguments.portuguese)
    if arguments.kind == "video":
        pairs = scoring.held_out_clips(runs.mini_video().domain, arguments.count, arguments.seed, portuguese)
        draw = scoring.draw_clips(folder, arguments.frames, arguments.steps, arguments.guidance)
    else:
        singles = 0.0 if arguments.pairs else 1.0
        domain = runs.mini_image().domain
        pairs = scoring.held_out_scenes(domain, arguments.count, singles, arguments.seed, portuguese)
        draw = scoring.draw_pictures(folder, arguments.steps, arguments.guidance)
    report, pictures = scoring.evaluate(pairs, draw)
    if arguments.grid:
        Image.fromarray(scoring.grid(pictures, 4 if arguments.kind == "video" else 10)).save(arguments.grid)
    return report


def latent_rgb(arguments: argparse.Namespace) -> Report:
    from .latent_rgb import fit_folder

    return asdict(fit_folder(arguments.vae, arguments.pictures))


def experiment(arguments: argparse.Namespace) -> Report:
    from .experiments import EXPERIMENTS

    unknown = [name for name in arguments.names if name not in EXPERIMENTS]
    if unknown:
        raise BadArguments(f"There is no experiment “{unknown[0]}”.", f"Experiments: {', '.join(EXPERIMENTS)}.")
    return {name: EXPERIMENTS[name]() for name in arguments.names} or {"experiments": list(EXPERIMENTS)}


COMMANDS: dict[str, Callable[[argparse.Namespace], Report]] = {
    **dict.fromkeys(runs.BY_KIND, train_embedded),
    "lora": lora,
    "resume": resume,
    "list": list_trainings,
    "show": show,
    "watch": watch,
    "export": export,
    "evaluate": evaluate,
    "latent-rgb": latent_rgb,
    "experiment": experiment,
}
