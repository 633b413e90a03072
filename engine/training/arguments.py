"""The arguments of `python -m engine.training`, which `python3 start.py train` passes on. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.protocol.errors import BadArguments
from resources import CALLED

KINDS = {
    "image": "train the picture model's transformer and text encoders",
    "world-image": "teach the picture model the wider world (colours, counts, styles, three languages)",
    "image-turbo": "distil the picture model to four steps without guidance",
    "image-vae": "train the picture model's autoencoder",
    "video": "train the clip model's transformer and text encoder",
    "video-vae": "train the clip model's autoencoder",
}
MODELS = ("image", "image-turbo", "video")
DESCRIPTION = """Fine-tune a model on your own pictures (lora), or train the models that ship with Laterna.
A training that is stopped, or killed, goes on where it was when it is started again."""


def size(text: str) -> tuple[int, int]:
    """`WIDTHxHEIGHT`."""
    width, _, height = text.lower().replace("×", "x").partition("x")
    return int(width), int(height or width)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"{CALLED} train", description=DESCRIPTION)
    made.add_argument("--threads", type=int, default=1, metavar="N", help="CPU threads (1)")
    made.add_argument("--processes", type=int, default=1, metavar="N", help="data-parallel processes (1)")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        found.add_argument("--json", action="store_true", help="print the result as JSON")
        return found

    _lora(command("lora", "fine-tune a local model on a folder of captioned pictures; writes a LoRA"))
    for name, text in KINDS.items():
        _course(command(name, text))
    resume = command("resume", "go on with a training")
    resume.add_argument("name", metavar="NAME|FOLDER")
    _course(resume)
    command("list", "the trainings on this machine")
    show = command("show", "what a training is, as JSON, and draw its loss")
    show.add_argument("name", metavar="NAME|FOLDER")
    show.add_argument("--plot", type=Path, metavar="PNG", help="write the loss curve here")
    show.add_argument("--key", default="loss", help="which figure of the log (loss)")
    watch = command("watch", "draw from an embedded model's last checkpoint (PCA decoder) and score")
    watch.add_argument("kind", choices=MODELS)
    export = command("export", "write a trained model as a diffusers folder")
    export.add_argument("kind", choices=(*MODELS, "world-image"))
    export.add_argument("--out", type=Path, help="default resources/models/laterna-mini-KIND")
    evaluate = command("evaluate", "score an exported folder on held-out prompts; a JSON report")
    evaluate.add_argument("kind", choices=MODELS)
    evaluate.add_argument("--folder", type=Path)
    evaluate.add_argument("--pairs", action="store_true", help="pictures of two objects instead of one")
    evaluate.add_argument("--frames", type=int, default=17)
    evaluate.add_argument("--portuguese", action="store_true", help="prompts in Portuguese instead of English")
    for one, count in ((watch, 32), (evaluate, 100)):
        one.add_argument("--count", type=int, default=count)
        one.add_argument("--steps", type=int, help="(the model's own)")
        one.add_argument("--guidance", type=float, help="(the model's own)")
        one.add_argument("--seed", type=int, default=1234, help="which held-out prompts")
        one.add_argument("--grid", type=Path, help="write what was drawn as one PNG")
    preview = command("latent-rgb", "fit preview factors for any VAE folder from pictures")
    preview.add_argument("vae", type=Path)
    preview.add_argument("pictures", type=Path, nargs="+")
    experiment = command("experiment", "measure one of the techniques on a tiny model; without a name: the list")
    experiment.add_argument("names", nargs="*", metavar="NAME")
    return made


def check(arguments: argparse.Namespace) -> None:
    """What is wrong with a fine-tuning's folders, at once: to open torch takes many seconds.

    Raises `BadArguments`.
    """
    if arguments.command != "lora":
        return
    data, model, out = arguments.data, arguments.model, arguments.out
    if not data.is_dir():
        raise BadArguments(f"There is no folder {data}.", "Name the folder with the pictures: --data FOLDER.")
    if not model.is_dir():
        raise BadArguments(f"There is no folder {model}.", "Name the folder of a model: --model FOLDER.")
    if out.suffix != ".safetensors":
        raise BadArguments(f"--out is {out.name}; a LoRA is a .safetensors file.", "Name a .safetensors file.")


def _course(one: argparse.ArgumentParser) -> None:
    one.add_argument("--steps", type=int, metavar="N", help="end of the schedule, to prolong or shorten the run")
    one.add_argument("--compile", action="store_true", help="compile the blocks (needs a C++ compiler)")
    one.add_argument("--samples", type=float, metavar="MINUTES", help="draw samples for the log, that often")


def _lora(one: argparse.ArgumentParser) -> None:
    one.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="the model, in diffusers layout")
    one.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="pictures, each with a .txt beside it")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .safetensors to write")
    one.add_argument("--name", help="the training's name (that of --out)")
    one.add_argument("--caption", default="", metavar="TEXT", help="for pictures without a .txt")
    one.add_argument("--steps", type=int, default=1000, metavar="N", help="(1000)")
    one.add_argument("--rank", type=int, default=16, metavar="N", help="(16)")
    one.add_argument("--batch", type=int, default=4, metavar="N", help="pictures in a step (4)")
    one.add_argument("--rate", type=float, metavar="R", help="learning rate (1e-4; 2e-3 for a small model)")
    one.add_argument("--layers", choices=("attention", "all"), default="attention", help="which layers (attention)")
    one.add_argument("--size", type=size, metavar="WxH", help="(the model's own sizes, the nearest for each picture)")
    one.add_argument("--frames", type=int, metavar="N", help="of clip models; 1 trains on pictures")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    one.add_argument("--prompt", action="append", default=[], metavar="TEXT", help="draw this for the log; repeatable")
    one.add_argument("--samples", type=float, default=10.0, metavar="MINUTES", help="… that often (10)")
    one.add_argument("--checkpoints", type=float, default=3.0, metavar="MINUTES", help="between two checkpoints (3)")
    one.add_argument("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
