"""Settings as other programs write them into their pictures, on the way to a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.interop.model_files import KnownModels, stem_of
from engine.interop.report import Notes, file_name, integer, number, shown
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe
from engine.protocol.sampling_names import find_sampler, find_scheduler

DEFAULT_SCHEDULER = "normal"  # what a program that leaves it open takes from the model


@dataclass
class Settings:
    """What a program says of a picture, unread: numbers may be texts, names its own. ``loras`` are (name, strength)."""

    program: str
    prompt: str = ""
    negative_prompt: str = ""
    weighted: bool = False
    steps: Any = None
    guidance: Any = None
    seed: Any = None
    width: Any = None
    height: Any = None
    sampler: str = ""
    scheduler: str = ""
    model: str = ""
    model_hash: str = ""
    shift: Any = None
    denoise: Any = None
    input_image: str = ""
    loras: list[tuple[str, Any]] = field(default_factory=list)
    same_noise: bool = False


def recipe_of(settings: Settings, notes: Notes, known: KnownModels) -> Recipe:
    """A recipe as near to ``settings`` as its words go; it has yet to be made to fit a family."""
    id = known.find(settings.model, settings.model_hash) if settings.model or settings.model_hash else ""
    family = known.installed.get(id) or (MODELS[id].family if id in MODELS else "")
    if settings.model and (not id or id not in known.installed):
        notes.missing(file_name(settings.model), "model", id)
    if not family:
        family = "sd35"
        notes.approximated(
            f"Laterna does not know the model “{shown(file_name(settings.model)) or 'of this picture'}”; its settings"
            f" are read as for {FAMILIES[family].name}, and the picture will be another."
        )
    base = MODELS[id].recipe() if id in MODELS else Recipe(family=family, model=id or stem_of(settings.model))
    sampler, scheduler = _sampling(settings, notes)
    steps = integer(settings.steps, base.steps)
    guidance = number(settings.guidance, base.guidance)
    seed = integer(settings.seed, 0)
    notes.understood(
        f"{steps} steps of {sampler} with {scheduler}, guidance {guidance:g}, seed {seed}, from {settings.program}."
    )
    if not settings.same_noise:
        notes.approximated(f"{settings.program} draws its noise otherwise, so the same seed gives another picture.")
    adapters = tuple(Adapter(file_name(name), strength=number(strength, 1.0)) for name, strength in settings.loras[:64])
    for adapter in adapters:
        if not known.has_lora(adapter.name):
            notes.missing(adapter.name, "LoRA")
    return base.replace(
        prompt=_cut(settings.prompt, notes),
        negative_prompt=_cut(settings.negative_prompt, notes),
        text_encoding="comfyui" if settings.weighted else "diffusers",
        width=integer(settings.width, base.width),
        height=integer(settings.height, base.height),
        steps=steps,
        guidance=guidance,
        seed=seed,
        sampler=sampler,
        scheduler=scheduler,
        shift=number(settings.shift, base.shift),
        adapters=adapters,
        inputs=_inputs(settings, notes),
    )


def _sampling(settings: Settings, notes: Notes) -> tuple[str, str]:
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


def _inputs(settings: Settings, notes: Notes) -> tuple[Input, ...]:
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
