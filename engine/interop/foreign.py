"""Settings as other programs write them into their pictures, on the way to a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.interop.comfy_foreign import by_file
from engine.interop.file_stems import stem_of
from engine.interop.model_files import KnownModels
from engine.interop.report import Notes, as_integer, as_number, drawn, file_name, integer, number, shown
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe
from engine.protocol.sampling_names import find_sampler, find_scheduler
from engine.texts import cleaned

MAX_LORAS = 64
DEFAULT_SCHEDULER = "normal"  # what a program that leaves it open takes from the model


class Lora(NamedTuple):
    """``digest`` is any hash that the program writes; ``text_strength`` that of the text encoders' part."""

    name: str
    strength: Any = 1.0
    digest: str = ""
    text_strength: Any = None


@dataclass
class ForeignSettings:
    """What a program says of a picture, unread: numbers may be texts, names its own."""

    program: str
    prompt: str = ""
    negative_prompt: str = ""
    weighted: bool = False
    steps: Any = None
    guidance: Any = None
    seed: Any = None
    width: Any = None
    height: Any = None
    frames: Any = None
    fps: Any = None
    sampler: str = ""
    scheduler: str = ""
    model: str = ""
    model_hash: str = ""
    shift: Any = None
    denoise: Any = None
    input_image: str = ""
    loras: list[Lora] = field(default_factory=list)
    same_noise: bool = False


def recipe_of(settings: ForeignSettings, notes: Notes, known: KnownModels) -> Recipe | None:
    """A recipe as near to ``settings`` as its words go; it has yet to be made to fit a family. None, and said, for a
    clip of a family that Laterna does not make."""
    id = known.find(settings.model, settings.model_hash) if settings.model or settings.model_hash else ""
    family = known.installed.get(id) or (MODELS[id].family if id in MODELS else "")
    if not family and "video" in (foreign := by_file(settings.model)).lower():
        notes.words = (cleaned(settings.prompt), cleaned(settings.negative_prompt))
        notes.only(f"This is a clip of {foreign} ({shown(file_name(settings.model))}); Laterna makes none of these.")
        return None
    if settings.model and (not id or id not in known.installed):
        notes.missing(file_name(settings.model), "model", id)
    if not family:
        family = next(iter(FAMILIES))
        notes.approximated(
            f"Laterna does not know the model “{shown(file_name(settings.model)) or 'of this picture'}”; its settings"
            f" are read as for {FAMILIES[family].name}, and the picture will be another."
        )
    base = MODELS[id].recipe() if id in MODELS else Recipe(family=family, model=id or stem_of(settings.model))
    sampler, scheduler = _sampling(settings, notes)
    steps = integer(settings.steps, base.steps)
    guidance = number(settings.guidance, base.guidance)
    shift = number(settings.shift, base.shift)
    seed = _seed(settings, notes)
    width, height = _size(settings, base, notes)
    _unsaid(settings, notes)
    if not settings.same_noise:
        notes.approximated(f"{settings.program} draws its noise otherwise, so the same seed gives another picture.")
    recipe = base.replace(
        prompt=_cut(cleaned(settings.prompt), notes),
        negative_prompt=_cut(cleaned(settings.negative_prompt), notes),
        text_encoding="comfyui" if settings.weighted else "diffusers",
        width=width,
        height=height,
        steps=steps,
        guidance=guidance,
        seed=seed,
        sampler=sampler,
        scheduler=scheduler,
        shift=shift,
        adapters=_adapters(settings, notes, known),
        inputs=_inputs(settings, notes),
    )
    if FAMILIES[family].kind == "video":
        recipe = recipe.replace(
            frames=integer(settings.frames, base.frames), fps=max(1, round(number(settings.fps, base.fps)))
        )
    return recipe


def _size(settings: ForeignSettings, base: Recipe, notes: Notes) -> tuple[int, int]:
    width, height = as_integer(settings.width), as_integer(settings.height)
    if width is None or height is None or width <= 0 or height <= 0:
        notes.approximated(f"{settings.program} does not say the picture's size; {base.width} × {base.height} is used.")
        return base.width, base.height
    return width, height


def _seed(settings: ForeignSettings, notes: Notes) -> int:
    seed = as_integer(settings.seed)
    if seed is None:
        seed = drawn(-1, "", Notes())
        notes.approximated(f"{settings.program} does not say its seed; {seed} was drawn.")
        return seed
    return drawn(seed, settings.program, notes)


def _unsaid(settings: ForeignSettings, notes: Notes) -> None:
    """Say which of the numbers stand in the file, and of which there was only the model's usual one to take."""
    for name, value in (("steps", settings.steps), ("guidance", settings.guidance), ("shift", settings.shift)):
        if as_number(value) is not None:
            notes.understood(f"{settings.program} says {as_number(value):g} for {name}.")
        elif value not in (None, ""):
            notes.approximated(
                f"{settings.program} says “{shown(value)[:40]}” for {name}, which is no number; the model's usual one"
                " is used."
            )
        elif name != "shift":
            notes.approximated(f"{settings.program} does not say its {name}; what is usual for the model is used.")


def _adapters(settings: ForeignSettings, notes: Notes, known: KnownModels) -> tuple[Adapter, ...]:
    """Each LoRA once: by its hash under the name that it has here, else by its own."""
    adapters: dict[str, Adapter] = {}
    for lora in settings.loras[:MAX_LORAS]:
        here = known.lora(lora.name, lora.digest)
        name = here or file_name(lora.name)
        if not name or stem_of(name) in adapters:
            continue
        text_strength = as_number(lora.text_strength)
        adapters[stem_of(name)] = Adapter(name, strength=number(lora.strength, 1.0), text_strength=text_strength)
        if not here:
            notes.missing(name, "LoRA")
        elif stem_of(here) != stem_of(lora.name):
            notes.understood(f"The LoRA {shown(lora.name) or shown(lora.digest)} is {here} here, by its hash.")
    if len(settings.loras) > MAX_LORAS:
        notes.ignored(f"{len(settings.loras) - MAX_LORAS} more LoRAs: a recipe has up to {MAX_LORAS}.")
    return tuple(adapters.values())


def _sampling(settings: ForeignSettings, notes: Notes) -> tuple[str, str]:
    found = find_sampler(settings.sampler) if settings.sampler else None
    if found is None:
        notes.approximated(
            f"Laterna does not know the sampler “{shown(settings.sampler)}”; euler it is."
            if settings.sampler
            else f"{settings.program} does not say its sampler; euler it is."
        )
        return "euler", find_scheduler(settings.scheduler) or DEFAULT_SCHEDULER
    if not found.exact:
        notes.approximated(f"Laterna has no {shown(settings.sampler)}; {found.sampler} is its nearest relative.")
    scheduler = find_scheduler(settings.scheduler) or found.scheduler
    if not scheduler:
        named = settings.scheduler and settings.scheduler.lower() != "automatic"
        notes.approximated(
            f"Laterna does not know the scheduler “{shown(settings.scheduler)}”; {DEFAULT_SCHEDULER} it is."
            if named
            else f"{settings.program} left the scheduler to the sampler; {DEFAULT_SCHEDULER} it is."
        )
    return found.sampler, scheduler or DEFAULT_SCHEDULER


def _inputs(settings: ForeignSettings, notes: Notes) -> tuple[Input, ...]:
    if settings.denoise is None:
        return ()
    if not settings.input_image:
        notes.approximated("The picture was made from another one, which the file does not name; here it starts anew.")
        return ()
    name = file_name(settings.input_image)
    notes.missing(name, "picture")
    return (Input("start", name, strength=number(settings.denoise, 1.0)),)


def _cut(text: str, notes: Notes) -> str:
    if len(text) > MAX_PROMPT_CHARS:
        notes.approximated(f"A prompt has {len(text):,} characters; the first {MAX_PROMPT_CHARS:,} are used.")
    return text[:MAX_PROMPT_CHARS]
