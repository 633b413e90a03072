"""Train, export and evaluate: ``python -m engine.training COMMAND --help``."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

import torch
from PIL import Image

_TRAININGS = {
    "image": "train the picture model's transformer and text encoders",
    "image-vae": "train the picture model's autoencoder",
    "video": "train the clip model's transformer and text encoder",
    "video-vae": "train the clip model's autoencoder",
}
_EXPORTS = Path(__file__).resolve().parents[2] / "resources" / "models"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.training", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in _TRAININGS.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--steps", type=int, help="end of the schedule, to prolong or shorten the run")
        command.add_argument("--compile", action="store_true", help="compile the blocks (needs a C++ compiler)")
    watch = commands.add_parser("watch", help="draw from a training's last checkpoint (PCA decoder) and score")
    watch.add_argument("kind", choices=("image", "video"))
    export = commands.add_parser("export", help="write a trained model as a diffusers folder")
    export.add_argument("kind", choices=("image", "video"))
    export.add_argument("--out", type=Path, help="default resources/models/laterna-mini-KIND")
    evaluate = commands.add_parser("evaluate", help="score an exported folder on held-out prompts; a JSON report")
    evaluate.add_argument("kind", choices=("image", "video"))
    evaluate.add_argument("--folder", type=Path)
    evaluate.add_argument("--pairs", action="store_true", help="pictures of two objects instead of one")
    evaluate.add_argument("--frames", type=int, default=17)
    for command, count in ((watch, 32), (evaluate, 100)):
        command.add_argument("--count", type=int, default=count)
        command.add_argument("--steps", type=int, default=20)
        command.add_argument("--guidance", type=float, default=3.0)
        command.add_argument("--seed", type=int, default=1234, help="which held-out prompts")
        command.add_argument("--grid", type=Path, help="write what was drawn as one PNG")
    preview = commands.add_parser("latent-rgb", help="fit preview factors for any VAE folder from pictures")
    preview.add_argument("vae", type=Path)
    preview.add_argument("pictures", type=Path, nargs="+")
    return parser


def _train(arguments: argparse.Namespace) -> None:
    from . import assemble, runs

    run, task = assemble.training(arguments.command, arguments.compile)
    assemble.train(task, run.schedule, runs.folder(run.name), arguments.steps)


def _watch(arguments: argparse.Namespace) -> dict:
    from . import assemble
    from .evaluate import evaluate, grid, held_out_clips, held_out_scenes

    run, task, step = assemble.trained_task(arguments.kind)
    held_out = held_out_scenes if arguments.kind == "image" else held_out_clips
    report, pictures = evaluate(
        held_out(run.domain, arguments.count, seed=arguments.seed),
        lambda captions, seed: task.sample(captions, seed, steps=arguments.steps, guidance=arguments.guidance),
        batch=16,
    )
    if arguments.grid:
        Image.fromarray(grid(pictures, 8 if arguments.kind == "image" else 4)).save(arguments.grid)
    return {"step": step, **report}


def _export(arguments: argparse.Namespace) -> dict:
    from . import assemble
    from .export import export_image, export_video

    _, task, step = assemble.trained_task(arguments.kind)
    _, vae, vae_step = assemble.trained_task(f"{arguments.kind}-vae")
    out = arguments.out or _EXPORTS / f"laterna-mini-{arguments.kind}"
    (export_image if arguments.kind == "image" else export_video)(task, vae, out)
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
    return {"folder": str(out), "bytes": size, "step": step, "vae_step": vae_step}


def _evaluate(arguments: argparse.Namespace) -> dict:
    from . import runs
    from .evaluate import (
        draw_clips,
        draw_pictures,
        evaluate,
        grid,
        held_out_clips,
        held_out_scenes,
        image_pipeline,
        video_pipeline,
    )  # fmt: skip

    folder = arguments.folder or _EXPORTS / f"laterna-mini-{arguments.kind}"
    if arguments.kind == "image":
        pairs = held_out_scenes(
            runs.mini_image().domain, arguments.count, 0.0 if arguments.pairs else 1.0, arguments.seed
        )
        draw = draw_pictures(image_pipeline(folder), arguments.steps, arguments.guidance)
    else:
        pairs = held_out_clips(runs.mini_video().domain, arguments.count, arguments.seed)
        draw = draw_clips(video_pipeline(folder), arguments.frames, arguments.steps, arguments.guidance)
    report, pictures = evaluate(pairs, draw)
    if arguments.grid:
        Image.fromarray(grid(pictures, 10 if arguments.kind == "image" else 4)).save(arguments.grid)
    return report


def _latent_rgb(arguments: argparse.Namespace) -> dict:
    from dataclasses import asdict

    from .latent_rgb import fit_folder

    return asdict(fit_folder(arguments.vae, arguments.pictures))


def main() -> None:
    arguments = _parser().parse_args()
    torch.set_num_threads(arguments.threads)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if arguments.command in _TRAININGS:
        _train(arguments)
        return
    command = {"watch": _watch, "export": _export, "evaluate": _evaluate, "latent-rgb": _latent_rgb}[arguments.command]
    json.dump(command(arguments), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
