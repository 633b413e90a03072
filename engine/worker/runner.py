"""One job from its recipe to its files, top to bottom."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.models import catalog
from engine.protocol.commands import Generate
from engine.protocol.conditioning import Words
from engine.protocol.errors import BadRecipe
from engine.protocol.events import JobFinished, OutputFile
from engine.protocol.family_info import LatentRGB, validate
from engine.protocol.recipe import Recipe
from engine.worker import families
from engine.worker.adapters import Adapters
from engine.worker.cancel import Cancellation
from engine.worker.conditioning.entries import all_texts, told
from engine.worker.device import PeakMemory, describe, find_device, machine, versions
from engine.worker.encodings import EncodingCache, cache_key
from engine.worker.failures import is_out_of_memory
from engine.worker.guidance import Conditioning, Side, is_guided
from engine.worker.memory.plan import make_plan
from engine.worker.model_folder import inspect
from engine.worker.models import Model, ModelCache, empty_device_cache
from engine.worker.pictures import read_picture
from engine.worker.previews import EXPECTED_COST, PreviewBudget, render
from engine.worker.progress import Emit, Progress
from engine.worker.sampling.base import SamplerState

if TYPE_CHECKING:
    from engine.worker.families.base import Family

MODEL_CACHE_SHARE = 0.5
"""Part of the host's memory that models may keep between jobs."""


@dataclass(frozen=True)
class Made:
    """``latents`` as the last step left them, ``frames`` [B, T, H, W, 3] uint8."""

    latents: Tensor
    frames: Tensor


class Runner:
    """Runs one job at a time. ``precision`` overrides the plan's dtype, for measurements and tests."""

    def __init__(
        self,
        cancellation: Cancellation | None = None,
        device: torch.device | None = None,
        precision: torch.dtype | None = None,
    ) -> None:
        self.cancellation = cancellation or Cancellation()
        self.device = device or find_device()
        self._precision = precision
        self._models = ModelCache(int(machine(torch.device("cpu")).host_free * MODEL_CACHE_SHARE))
        self._encodings: dict[str, EncodingCache] = {}
        self.preview_cost = EXPECTED_COST
        self._decode_rates: dict[str, float] = {}

    def run(self, job: Generate, emit: Emit) -> JobFinished:
        """Make and save ``job``'s results. Raises ``LaternaError``s, or whatever else went wrong."""
        progress = Progress(job.job, emit)
        peak = PeakMemory(self.device)
        peak.start()
        made = self.make(job, progress)
        with progress.stage("saving"):
            self.cancellation.check()
            files = self._save(made.frames, job)
        return JobFinished(job.job, files, progress.seconds, peak.bytes())

    @torch.no_grad()
    def make(self, job: Generate, progress: Progress) -> Made:
        recipe = job.recipe
        family = families.get(recipe.family)
        validate(recipe, family.info)
        model = self.open(Path(job.model_folder), family)
        model.adapters = Adapters.of(job)
        family.check(model.folder, recipe)
        positive, negative = self._encode(model, recipe, job.cache_folder, progress)
        picture = self._encode_picture(model, recipe, progress) if recipe.input else None
        latents = self._denoise(model, recipe, positive, negative, picture, job, progress)
        return Made(latents, self._decode(model, recipe, latents, progress))

    def open(self, path: Path, family: Family | None = None) -> Model:
        """The model in ``path``, nothing loaded yet. Raises ``BadRecipe`` or what ``inspect`` raises."""
        found = catalog.open_folder(path)
        family = family or families.get(found.info.family)
        if found.info.family != family.info.id:
            raise BadRecipe(
                f"The recipe is for {family.info.name}, but {path.name} is a {found.family.name} model.",
                f"Choose a {family.info.name} model, or start from that model's own settings.",
                field="model",
            )
        specs = family.components
        folder = inspect(
            path,
            required=[spec.name for spec in specs if spec.has_weights and not spec.optional],
            optional=[spec.name for spec in specs if spec.optional],
            configs_only=["scheduler", *(spec.name for spec in specs if not (spec.has_weights or spec.optional))],
        )
        plan = make_plan(folder, machine(self.device), family.device_dtype, self._precision)
        return self._models.get(Model(folder, family, plan, self.cancellation))

    def preload(self, path: Path) -> None:
        """Read a whole model, if all of it stays in memory."""
        model = self.open(path)
        if model.plan.resident:
            model.load([spec.name for spec in model.family.components])
            self._models.make_room(keep=model)

    def release(self) -> None:
        """Let go of everything that is kept between jobs."""
        self._models.clear()

    def _load(self, model: Model, names: list[str], progress: Progress) -> None:
        if all(model.is_loaded(name) for name in names):
            return
        with progress.stage("loading"):
            model.load(names, lambda label, fraction: progress.at("loading", fraction, label))
            self._models.make_room(keep=model)

    def _encode(self, model: Model, recipe: Recipe, cache_folder: str, progress: Progress) -> tuple[Side, Side | None]:
        """What the network is told, and what guidance moves away from (None without it), for the whole batch."""
        family = model.family
        cache = self._encodings.setdefault(cache_folder, EncodingCache(Path(cache_folder) if cache_folder else None))
        positive = recipe.positive_entries()
        negative = recipe.negative_entries() if is_guided(recipe) else ()
        keys = {
            words: cache_key(model, family.encoding_settings(recipe), words) for words in all_texts(positive + negative)
        }
        found = {words: cache.get(key) for words, key in keys.items()}
        missing = [words for words, encoding in found.items() if encoding is None]
        if missing:
            self._load(model, list(family.text_parts), progress)
            with progress.stage("encoding"), model.use(*family.text_parts) as parts:
                for done, words in enumerate(missing, start=1):
                    found[words] = family.encode(model, parts, recipe, words)
                    cache.put(keys[words], found[words])
                    progress.at("encoding", done / len(missing))

        def encoded(words: Words) -> Conditioning:
            return {name: value.to(model.plan.device) for name, value in found[words].items()}

        return told(positive, encoded, recipe.batch), told(negative, encoded, recipe.batch) or None

    def _encode_picture(self, model: Model, recipe: Recipe, progress: Progress) -> Tensor:
        """The latents of the picture that the recipe starts from."""
        pixels = read_picture(recipe.input, recipe.width, recipe.height)
        self._load(model, ["vae"], progress)
        self.cancellation.check()
        with progress.stage("encoding"), model.use("vae") as parts:
            return model.family.encode_picture(model, parts["vae"], recipe, pixels)

    def _denoise(
        self,
        model: Model,
        recipe: Recipe,
        positive: Side,
        negative: Side | None,
        picture: Tensor | None,
        job: Generate,
        progress: Progress,
    ) -> Tensor:
        self._load(model, ["transformer"], progress)
        family, device = model.family, model.plan.device
        dtype = positive[0].conditioning["embeds"].dtype if recipe.latents == "model" else torch.float32
        generator = torch.Generator("cpu").manual_seed(recipe.seed)
        noise = torch.randn(family.noise_shape(model.folder, recipe), generator=generator, dtype=dtype)
        state = SamplerState(0, family.start(model.folder, recipe, noise.to(device), picture), generator)
        sampler = family.sampler(model.folder, recipe)
        rgb = self._latent_rgb(model)
        progress.decode_seconds = self._expected_decoding(model, recipe)
        with progress.stage("denoising"), model.use("transformer") as parts:
            denoise = family.denoiser(model, parts["transformer"], recipe, positive, negative)
            budget = PreviewBudget(job.preview_interval, self.preview_cost)
            began = time.monotonic()
            for step in sampler(denoise, state):
                self.cancellation.check()
                progress.step(step.index + 1, step.steps, time.monotonic() - began)
                if budget.is_due():
                    with budget.paying():
                        picture = render(family.preview_latents(step.x0()), rgb, job.preview_max_side)
                        progress.preview(step.index + 1, picture)
                began = time.monotonic()
            self.preview_cost = budget.expected_cost
        return state.latents

    def _decode(self, model: Model, recipe: Recipe, latents: Tensor, progress: Progress) -> Tensor:
        self._load(model, ["vae"], progress)
        self.cancellation.check()
        with progress.stage("decoding"), model.use("vae") as parts:
            began = time.monotonic()
            vae = parts["vae"]
            try:
                frames = model.family.decode(model, vae, recipe, latents)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                frames = None
            if frames is None:  # outside of the handler, which holds the failed call's tensors
                frames = self._decode_in_tiles(model, vae, recipe, latents)
            self._decode_rates[str(model.folder.path)] = (time.monotonic() - began) / _pixels(recipe)
        return frames

    def _decode_in_tiles(self, model: Model, vae: torch.nn.Module, recipe: Recipe, latents: Tensor) -> Tensor:
        """The seams are blended: not quite the same pixels, but a result where there was none."""
        empty_device_cache(self.device)
        vae.enable_tiling()
        vae.enable_slicing()
        try:
            return model.family.decode(model, vae, recipe, latents)
        finally:
            vae.disable_tiling()
            vae.disable_slicing()

    def _expected_decoding(self, model: Model, recipe: Recipe) -> float | None:
        rate = self._decode_rates.get(str(model.folder.path))
        return None if rate is None else rate * _pixels(recipe)

    def _latent_rgb(self, model: Model) -> LatentRGB:
        channels = model.folder.parts["transformer"].config["in_channels"]
        own = catalog.open_folder(model.folder.path).info.latent_rgb
        return own if own is not None and len(own.factors) == channels else model.family.latent_rgb(channels)

    def _save(self, frames: Tensor, job: Generate) -> tuple[OutputFile, ...]:
        from engine.media.environment import Environment
        from engine.media.save import save_image, save_video

        recipe = job.recipe
        environment = Environment.current(describe(self.device).name, versions())
        is_clip = families.get(recipe.family).info.kind == "video"
        files = []
        for index, clip in enumerate(frames.numpy()):
            path = _free_path(Path(job.output_folder), job.file_stem, index, ".mp4" if is_clip else ".png")
            if is_clip:
                digest = save_video(clip, path, recipe.fps, recipe, environment)
            else:
                digest = save_image(clip[0], path, recipe, environment)
            files.append(OutputFile(str(path), digest, index))
        return tuple(files)


def _pixels(recipe: Recipe) -> int:
    return recipe.width * recipe.height * recipe.frames * recipe.batch


def _free_path(folder: Path, stem: str, index: int, suffix: str) -> Path:
    """``stem``, then ``stem_2``, ``stem_3`` …; a name that is taken is passed over."""
    number = index + 1
    while True:
        path = folder / (f"{stem}_{number}{suffix}" if number > 1 else f"{stem}{suffix}")
        if not path.exists():
            return path
        number += 1
