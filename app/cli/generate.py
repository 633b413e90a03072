"""``generate``: arguments to recipe, recipe to files."""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from app.cli.engine_session import EngineSession
from app.cli.inpaint_arguments import inpainting_changes, mask_of
from app.cli.learning import Learning
from app.cli.model_argument import find_model
from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.cli.settings import read_settings
from app.cli.several import in_known_words, recipes_of
from app.cli.target import OutputTarget, check_writable, named
from app.cli.unfinished import Expected, Result, Unfinished, UnfinishedFolder, new_id
from app.kept_encodings import encodings_folder
from app.paths import Paths
from engine.files import PICTURE_LIMIT, open_regular, read_regular
from engine.jobs import assets
from engine.library.library import Library
from engine.library.naming import file_stem, unused_stem
from engine.media import atomic, metadata, pictures
from engine.media.known import KnownMedia
from engine.models.adapters import adapter_from, locate
from engine.models.catalog import MINI_IMAGE, MINI_VIDEO
from engine.models.installed import InstalledModel
from engine.models.upscalers import DEFAULT, Upscalers
from engine.prompt.wildcards import Wildcards
from engine.protocol.errors import (
    BadArguments,
    BadFile,
    BadRecipe,
    Cancelled,
    EngineDied,
    NoSpace,
    NotWritable,
    OutOfMemory,
    from_os_error,
)
from engine.protocol.inputs import STARTING, Input, Role
from engine.protocol.recipe import MAX_JSON_BYTES, Recipe
from engine.protocol.upscaling import Upscaling
from engine.texts import text_of

SUFFIXES = {"image": ".png", "video": ".mp4"}
USUAL_STRENGTH = 0.6

_FLAGS = {
    "prompt": "prompt",
    "negative": "negative_prompt",
    "width": "width",
    "height": "height",
    "frames": "frames",
    "fps": "fps",
    "steps": "steps",
    "guidance": "guidance",
    "sampler": "sampler",
    "scheduler": "scheduler",
    "shift": "shift",
    "seed": "seed",
    "step_caching": "step_caching",
    "weights": "weights",
}


def run(arguments: Namespace, paths: Paths) -> int:
    unfinished = UnfinishedFolder(paths.unfinished)
    work = unfinished.newest() if arguments.resume else _asked_for(arguments, paths)
    try:
        work = _make(work, unfinished, paths, arguments.json)
    except (KeyboardInterrupt, Cancelled, EngineDied, OutOfMemory, NoSpace, NotWritable):
        print("Go on with it: generate --resume", file=sys.stderr, flush=True)
        raise
    except BaseException:
        unfinished.remove(work)
        raise
    unfinished.remove(work)
    if work.into_library:
        with closing(Library(paths.library_database, paths.output)) as library:
            for result in work.results:
                library.add(Path(result.path))
    if arguments.json:
        print_json({"files": work.results, "recipe": work.recipes[0]})
    return 0


def _asked_for(arguments: Namespace, paths: Paths) -> Unfinished:
    """What the arguments ask for, nothing of it done yet."""
    if not 1 <= arguments.count <= 1000:
        raise BadArguments(f"--count is {arguments.count}; it must be from 1 to 1000.", "Choose another count.")
    base = read_recipe(Path(arguments.recipe)) if arguments.recipe else None
    model = find_model(_model_name(arguments, base), paths)
    first = make_recipe(arguments, base, model, Upscalers(paths.upscalers))
    loras = locate(first.adapters, paths.adapters, [path for path, _ in map(lora_argument, arguments.lora)])
    first, input_files = KnownMedia(paths.known_media).settled(first)
    recipes = recipes_of(first, arguments, Wildcards(paths.wildcards).lines)
    if arguments.prompt is not None:
        recipes = in_known_words(recipes, model.info)
    target = _target(arguments, paths, model, recipes)
    return Unfinished(
        id=new_id(),
        recipes=recipes,
        model_folder=str(model.folder),
        folder=str(target.folder),
        stem=target.stem,
        suffix=target.suffix,
        into_library=not arguments.out,
        since=target.since,
        adapter_files=tuple(map(str, loras)),
        input_files=tuple(map(str, input_files)),
        a1111=arguments.a1111,
        compile=arguments.compile,
    )


def _make(work: Unfinished, unfinished: UnfinishedFolder, paths: Paths, is_quiet: bool) -> Unfinished:
    """Make what is left of ``work``; after each recipe what is done is noted."""
    target, folder = OutputTarget(Path(work.folder), work.stem, work.suffix, work.since), Path(work.model_folder)
    learning, upscalers = Learning(paths), Upscalers(paths.upscalers)
    encodings = encodings_folder(paths, read_settings(paths))
    with EngineSession(paths.engine_log, progress := ProgressLine()) as engine:
        for i, recipe in enumerate(work.recipes[work.done :], work.done):
            unfinished.save(work)
            network = assets.network(recipe.upscaling, upscalers)
            engine.wait_ready()
            forecast = learning.begin(recipe, folder, engine.device, engine.memory)
            done = engine.generate(
                recipe,
                folder,
                target.folder,
                f"{atomic.TEMPORARY_PREFIX}{work.id}",
                encodings,
                f"{i + 1} of {len(work.recipes)}: " if len(work.recipes) > 1 else "",
                tuple(map(Path, work.adapter_files)),
                work.a1111,
                unfinished.checkpoint(work),
                paths.footprints,
                paths.previews,
                work.compile,
                paths.compiled,
                tuple(map(Path, work.input_files)),
                network,
            )
            progress.end()
            if not engine.resumed:
                learning.end(recipe, folder, done)
            expected = Expected(forecast.seconds, learning.peak(forecast)) if forecast is not None else None
            results = []
            for number, file in enumerate(done.files, len(work.results) + 1):
                path = target.take(Path(file.path), number)
                results.append(
                    Result(str(path), recipe.seed, file.pixels_sha256, done.seconds, done.peak_memory, expected)
                )
                if not is_quiet:
                    print(path, flush=True)
            work = msgspec.structs.replace(work, results=(*work.results, *results), done=i + 1)
    return work


def read_recipe(path: Path) -> Recipe:
    """A recipe from JSON, or from the metadata of a PNG, MP4, GIF or WebP."""
    if path.suffix.lower() in metadata.RECIPE_SUFFIXES:
        found, _problem = metadata.read_recipe(path)
        if found is None:
            raise BadFile(f"{path} carries no recipe.", "Choose a file that Laterna made.")
        return found
    try:
        with open_regular(path) as file:
            return Recipe.from_json(text_of(file.read(2 * MAX_JSON_BYTES + 2)))
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


def make_recipe(
    arguments: Namespace, base: Recipe | None, model: InstalledModel, upscalers: Upscalers | None = None
) -> Recipe:
    """The recipe that the flags ask for, on top of ``base`` or of the model's reference settings."""
    changes: dict[str, Any] = {
        field: getattr(arguments, flag) for flag, field in _FLAGS.items() if getattr(arguments, flag) is not None
    }
    rule = model.family.rule_of(*STARTING)
    start = _start_picture(arguments, base, rule.role if rule is not None else "start")
    mask = mask_of(arguments, base)
    if start is not None or mask is not None:
        others = base.inputs if base is not None else ()
        kept = (one for one in others if one.role not in (*STARTING, "mask"))
        changes["inputs"] = (*(one for one in (start, mask) if one is not None), *kept)
    changes |= inpainting_changes(arguments, base, model, start)
    changes |= _upscaling(arguments, base, model, upscalers or Upscalers())
    if arguments.lora:
        changes["adapters"] = tuple(adapter_from(*lora_argument(text)) for text in arguments.lora)
    if base is None:
        if "prompt" not in changes:
            raise BadArguments("There is no prompt.", "Say what to make: --prompt TEXT.")
        changes.setdefault("seed", secrets.randbelow(2**32))
        recipe = model.info.recipe(**changes)
    else:
        if base.family != model.info.family:
            raise BadRecipe(
                f"The recipe is for {base.family}, but {model.info.name} is {model.info.family}.",
                "Choose a model of the same family.",
            )
        recipe = base.replace(**changes, model=model.info.id)
    model.check(recipe)
    return recipe


def _upscaling(
    arguments: Namespace, base: Recipe | None, model: InstalledModel, upscalers: Upscalers
) -> dict[str, Upscaling | None]:
    """What ``--upscale`` and ``--upscaler`` change; nothing where neither is given."""
    if arguments.upscale is None and arguments.upscaler is None:
        return {}
    if arguments.upscale == "off":
        return {"upscaling": None}
    usual = base.upscaling if base is not None else model.info.defaults.upscaling
    try:
        scale = int(arguments.upscale) if arguments.upscale is not None else usual.scale if usual is not None else 2
    except ValueError:
        raise BadArguments(f"--upscale is {arguments.upscale}.", "Give 2, 3, 4 or off.") from None
    name = arguments.upscaler or (usual.by if usual is not None else DEFAULT)
    return {"upscaling": upscalers.named(name, scale)}


def lora_argument(text: str) -> tuple[Path, float]:
    """``FILE`` or ``FILE:STRENGTH``; what follows the last colon counts as a strength if it is a number."""
    file, colon, strength = text.rpartition(":")
    try:
        return (Path(file), float(strength)) if colon else (Path(text), 1.0)
    except ValueError:
        return Path(text), 1.0


def _start_picture(arguments: Namespace, base: Recipe | None, role: Role) -> Input | None:
    """The picture that the flags name, or that of ``base``; None where there is neither."""
    start = base.input_of(*STARTING) if base else None
    if arguments.picture is not None:
        path = Path(arguments.picture).resolve()
        try:
            content = read_regular(path, PICTURE_LIMIT)
            if not pictures.is_picture(content[: pictures.START_BYTES]):
                raise BadFile(f"{path} is no picture.", f"Name one of these: {pictures.KINDS}.")
            is_whole = role == "first_frame" or arguments.mask is not None or arguments.expand is not None
            strength = 1.0 if is_whole else USUAL_STRENGTH
            start = Input(role, str(path), hashlib.sha256(content).hexdigest(), strength)
        except OSError as error:
            raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    if arguments.strength is None:
        return start
    if start is None:
        raise BadArguments("--strength says how a picture is changed.", "Name one: --picture FILE.")
    return start.replace(strength=arguments.strength)


def _model_name(arguments: Namespace, base: Recipe | None) -> str:
    if arguments.model is not None:
        return str(arguments.model)
    if base is not None:
        return base.model
    wants_clip = str(arguments.out or "").lower().endswith(SUFFIXES["video"]) or (arguments.frames or 1) > 1
    return MINI_VIDEO if wants_clip else MINI_IMAGE


def _target(arguments: Namespace, paths: Paths, model: InstalledModel, recipes: tuple[Recipe, ...]) -> OutputTarget:
    suffix = SUFFIXES[model.info.kind]
    if arguments.out:
        return named(arguments.out, suffix, model.info.name, sum(recipe.batch for recipe in recipes))
    try:
        paths.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, "writing the result", paths.output) from error
    check_writable(paths.output)
    stem = unused_stem(paths.output, file_stem(recipes[0].prompt, recipes[0].seed, time.time()))
    return OutputTarget(paths.output, stem, suffix)
