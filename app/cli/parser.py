"""The arguments of every command. Exit code 2 for what cannot be understood is argparse's own."""

from __future__ import annotations

import argparse
from typing import NoReturn

from app.cli.path_arguments import path_argument, path_or_export
from engine.models.upscalers import DEFAULT as UPSCALER
from engine.protocol.errors import MAX_SENTENCE, shortened
from engine.protocol.version import VERSION
from resources import CALLED

Namespace = argparse.Namespace
_WORDS = {"library": "terms", "workflow": "files", "upscale": "files", "interpolate": "files", "clip": "files"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(shortened(message, MAX_SENTENCE))


def parse(argv: list[str] | None = None) -> Namespace:
    """The arguments, where words may stand on both sides of an option, and ``-word`` is a word to search without."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    option = "--" if getattr(arguments, "action", "") == "search" else "-"
    if rest and (arguments.command not in _WORDS or any(word.startswith(option) for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        field = _WORDS[arguments.command]
        setattr(arguments, field, [*getattr(arguments, field), *rest])
    return arguments


def build_parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog=CALLED,
        description="Laterna: make pictures and clips from text on your own machine."
        " Without a command it opens the window; in a clone `start.py test` runs the tests.",
    )
    parser.add_argument(
        "--home", type=path_argument, metavar="DIR", help="keep settings, models, library and caches in this folder"
    )
    parser.add_argument(
        "--open",
        type=path_argument,
        metavar="FILE",
        action="append",
        default=[],
        help="open the window with the recipe of this file",
    )
    parser.set_defaults(json=False)
    parser.add_argument("--version", action="version", version=f"Laterna {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _generate(commands)
    _edit(commands)
    _recipe(commands)
    _reproduce(commands)
    _upscale(commands)
    _interpolate(commands)
    _clip(commands)
    _models(commands)
    _library(commands)
    _workflow(commands)
    _plan(commands)
    _train(commands)
    _bench(commands)
    _doctor(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--home", type=path_argument, metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _generate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "generate", "Make a picture or a clip.")
    _generation(parser)
    parser.add_argument(
        "--picture", type=path_argument, metavar="FILE", help="start from this picture instead of from noise alone"
    )
    _mask(parser)


def _edit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "Make a part of a picture anew, or add to its sides; outside of the mask it stays bit for bit."
    parser = _command(commands, "edit", text)
    parser.add_argument("picture", type=path_argument, metavar="FILE")
    _generation(parser)
    _mask(parser)


def _mask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mask", type=path_argument, metavar="FILE", help="white where the picture is made anew; or transparency"
    )
    parser.add_argument(
        "--only-masked", action="store_true", default=None, help="work on the masked part at the model's full size"
    )
    parser.add_argument("--margin", type=int, metavar="PIXELS", help="with --only-masked: seen around the mask (32)")
    parser.add_argument("--feather", type=int, metavar="PIXELS", help="width of the soft edge within the mask (8)")
    parser.add_argument("--expand", metavar="L,T,R,B", help="add this many pixels left, above, right and below")
    parser.add_argument("--fill", choices=["stretch", "blur", "noise"], help="what the added part begins from")


def _generation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prompt", metavar="TEXT", help="alternatives {red|blue} and wildcards __name__ are drawn by seed"
    )
    parser.add_argument(
        "--out", type=path_argument, metavar="FILE", help="a .png or .mp4; without it the result goes into the library"
    )
    parser.add_argument("--model", metavar="ID|PATH", help="a model's id, its folder, or a .safetensors or .gguf file")
    parser.add_argument("--negative", metavar="TEXT")
    parser.add_argument("--width", type=int, metavar="PIXELS")
    parser.add_argument("--height", type=int, metavar="PIXELS")
    parser.add_argument("--frames", type=int, metavar="N")
    parser.add_argument("--fps", type=int, metavar="N")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--guidance", type=float, metavar="SCALE")
    parser.add_argument("--sampler", metavar="NAME")
    parser.add_argument("--scheduler", metavar="NAME")
    parser.add_argument("--shift", type=float, metavar="S")
    parser.add_argument("--seed", type=int, metavar="N", help="without it a random one is taken, and printed")
    _step_caching(parser)
    _weights(parser)
    parser.add_argument("--upscale", metavar="N", help="make the result 2, 3 or 4 times larger, or off")
    parser.add_argument("--upscaler", metavar="NAME", help=f"by this network ({UPSCALER}), or lanczos")
    parser.add_argument(
        "--strength", type=float, metavar="D", help="of a picture to start from: how much is drawn anew, up to 1"
    )
    parser.add_argument("--count", type=int, default=1, metavar="N", help="this many results, with seeds counted up")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="a result for each value: guidance=3..5, steps=20,30, seed=x4; twice for a grid",
    )
    parser.add_argument("--combinations", action="store_true", help="a result for every combination of alternatives")
    parser.add_argument(
        "--recipe", type=path_argument, metavar="FILE", help="start from a recipe: JSON, or a file made by Laterna"
    )
    parser.add_argument(
        "--compile",
        choices=["never", "auto", "always"],
        default="never",
        help="compile the model: less time a step, a minute or more once; the last bits may differ",
    )
    parser.add_argument("--resume", action="store_true", help="go on with what was stopped last, from where it was")
    parser.add_argument("--a1111", action="store_true", help="put Automatic1111's parameters into PNGs too")
    parser.add_argument(
        "--lora",
        action="append",
        default=[],
        type=path_argument,
        metavar="FILE[:STRENGTH]",
        help="apply this LoRA; may be given again",
    )


def _step_caching(parser: argparse.ArgumentParser) -> None:
    text = "leave out steps at which little changes: 0.1 is a bit faster, 0.2 faster; the result differs slightly"
    parser.add_argument("--step-caching", type=float, metavar="TOLERANCE", help=text)


def _weights(parser: argparse.ArgumentParser) -> None:
    text = "int8: kept in 8 bits, half the memory of 16; the result differs slightly"
    parser.add_argument("--weights", choices=["native", "int8"], help=text)


def _recipe(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "recipe", "Print the recipe inside a file made by Laterna, as JSON.")
    parser.add_argument("file", type=path_argument, metavar="FILE")


def _reproduce(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "reproduce", "Make a file again and say whether the pixels are equal.")
    parser.add_argument("file", type=path_argument, metavar="FILE")
    parser.add_argument("--out", type=path_argument, metavar="FILE", help="keep the new file here")
    parser.add_argument("--model", metavar="ID|PATH", help="the model, where its id is not found")
    parser.add_argument(
        "--lora",
        action="append",
        default=[],
        type=path_argument,
        metavar="FILE",
        help="a LoRA of the recipe, where it is",
    )
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        type=path_argument,
        metavar="FILE",
        help="a picture that the recipe was given, where it is",
    )


def _upscale(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "upscale", "Make pictures and clips larger; after a stop, go on.")
    parser.add_argument("files", nargs="+", type=path_argument, metavar="FILE")
    parser.add_argument("--scale", type=int, default=2, metavar="N", help="2, 3 or 4 times as wide and high")
    parser.add_argument(
        "--upscaler",
        default=UPSCALER,
        metavar="NAME",
        help=f"a network: {UPSCALER}, or one that was imported; lanczos: plain resampling, which invents nothing",
    )
    parser.add_argument("--out", type=path_argument, metavar="FILE", help="write here, not into the library")


def _interpolate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "interpolate", "Give clips more frames in a second; after a stop, go on.")
    parser.add_argument("files", nargs="+", type=path_argument, metavar="FILE")
    parser.add_argument("--fps", type=float, metavar="N", help="frames in a second")
    parser.add_argument("--factor", type=int, metavar="N", help="so many times as many (2)")
    parser.add_argument("--out", type=path_argument, metavar="FILE", help="write here, not into the library")


def _clip(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "A part of a clip, or several one after another, as .mp4, .gif or .webp: faster, backwards, again."
    parser = _command(commands, "clip", text)
    parser.add_argument("files", nargs="+", type=path_argument, metavar="FILE")
    parser.add_argument("--out", type=path_argument, metavar="FILE", required=True)
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first frame, counted from 1")
    parser.add_argument("--last", type=int, metavar="N", help="the last frame")
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="2 is twice as fast")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="0.5 is half as wide and high")
    parser.add_argument("--backwards", action="store_true")
    parser.add_argument("--to-and-fro", action="store_true", help="forwards and back again")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="all of it so many times")


def _models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "models", "The models on this machine: list, download, import, verify, remove, move.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.set_defaults(action="list", updates=False)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the result as JSON")
        made.add_argument(
            "--home", type=path_argument, metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        return made

    listing = action("list", "What is here, and what can be downloaded.")
    listing.add_argument("--updates", action="store_true", help="ask the hub whether there are newer files")
    download = action("download", "Get models: exactly the files that a run needs; goes on where it stopped.")
    download.add_argument("names", nargs="+", metavar="ID")
    download.add_argument("--precision", choices=["native", "fp8"], default="native", help="fp8: a smaller T5 (SD 3.5)")
    _download_options(download)
    importing = action("import", "Use models that you have, where they are; upscalers are copied.")
    importing.add_argument(
        "path",
        type=path_argument,
        metavar="PATH",
        help="a diffusers folder, .safetensors, .gguf, ComfyUI or hub cache; an upscaler's file, .pth too",
    )
    importing.add_argument("--name", default="", metavar="NAME")
    importing.add_argument("--dry-run", action="store_true", help="only say what it is")
    completing = action("complete", "Download what an import lacks: tokenizers, text encoders, the VAE.")
    completing.add_argument("names", nargs=1, metavar="NAME")
    completing.add_argument("--t5", action="store_true", help="also the T5, without which it reads prompts less well")
    completing.add_argument("--precision", choices=["native", "fp8"], default="native", help="fp8: a smaller T5")
    _download_options(completing)
    verify = action("verify", "Hash all files again.")
    verify.add_argument("names", nargs="*", metavar="NAME", help="all, where none is named")
    verify.add_argument("--repair", action="store_true", help="download damaged files anew")
    remove = action("remove", "Remove models, and the files that nothing else uses.")
    remove.add_argument("names", nargs="*", metavar="NAME")
    remove.add_argument("--unused", action="store_true", help="also files of downloads that were given up")
    remove.add_argument("--dry-run", action="store_true", help="only say how much it would free")
    licence = action("licence", "Show the licences, and accept one.")
    licence.add_argument("names", nargs="*", metavar="LICENCE|ID")
    licence.add_argument("--accept", action="store_true")
    token = action("token", "The hub's token for gated models; `token set` reads it from the standard input.")
    token.add_argument("change", nargs="?", choices=["show", "set", "delete", "check"], default="show")
    move = action("move", "Move all models to another disk, checked.")
    move.add_argument("path", type=path_argument, metavar="DIR")


def _download_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=float, default=0.0, metavar="MB/S", help="at most this many MB a second")
    parser.add_argument("--accept-licence", action="store_true", help="you have read the licence and accept it")
    parser.add_argument("--dry-run", action="store_true", help="only say which files, how many bytes, how much disk")


def _library(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "library", "Search the library, add files, check it, or rebuild its database.")
    parser.add_argument("action", choices=["search", "add", "check", "rebuild"])
    parser.add_argument("terms", nargs="*", metavar="TEXT|FILE", help="words to search for, or files to add")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most this many results (50)")


def _workflow(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "A ComfyUI workflow, or a picture or settings of another program, as a recipe; `workflow export`: back."
    parser = _command(commands, "workflow", text)
    parser.add_argument(
        "files",
        nargs="+",
        type=path_or_export,
        metavar="[export] FILE",
        help="a workflow, a picture, a recipe, or a text of settings",
    )
    parser.add_argument(
        "--out",
        type=path_argument,
        metavar="FILE",
        help="the recipe as JSON; for export the graph (.json), A1111's text (.txt), or a copy of a .png with both",
    )


def _plan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "What a generation would need of memory and time, and how it would run; exit code 4 where nothing fits."
    parser = _command(commands, "plan", text)
    parser.add_argument("--model", metavar="ID|FOLDER", required=True, help="also one that is not downloaded yet")
    parser.add_argument("--width", type=int, metavar="PIXELS")
    parser.add_argument("--height", type=int, metavar="PIXELS")
    parser.add_argument("--frames", type=int, metavar="N")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--guidance", type=float, metavar="SCALE")
    parser.add_argument("--batch", type=int, metavar="N")
    _step_caching(parser)
    _weights(parser)
    parser.add_argument("--vram", type=float, metavar="GIB", help="for a card of this size; 0 for no card")
    parser.add_argument("--ram", type=float, metavar="GIB", help="for a machine with this much memory")
    parser.add_argument("--card", metavar="NAME", help='with --vram: which card, for the time ("RTX 4070")')


def _train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The training has a parser of its own: everything behind the name is passed on, ``--help`` too."""
    text = "Fine-tune a model on your own pictures (a LoRA), or train the embedded ones; `train --help`."
    parser = commands.add_parser("train", help=text, add_help=False, prefix_chars="\0")
    parser.add_argument("arguments", nargs="*")


def _bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "bench", "Measure; ratios within one run. Without a name: the list of benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME")


def _doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "doctor", "Say what is here, what is wrong with it, and what mends it.")
    parser.add_argument("--offline", action="store_true", help="do not try whether the hub answers")
