"""One job from its recipe to its files, top to bottom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from torch import Tensor

from engine.models import catalog
from engine.protocol.commands import Generate
from engine.protocol.conditioning import Entry, Words
from engine.protocol.errors import BadRecipe
from engine.protocol.events import JobFinished
from engine.protocol.family_info import LatentRGB, validate
from engine.protocol.recipe import Recipe
from engine.worker import families
from engine.worker.adapters import Adapters
from engine.worker.cancel import Cancellation
from engine.worker.checkpoint import Checkpoint, CheckpointRefused, Saved, Written, facts_of
from engine.worker.conditioning.entries import all_texts, told
from engine.worker.device import PeakMemory, find_device, machine
from engine.worker.encodings import EncodingCache, cache_key
from engine.worker.failures import is_out_of_memory
from engine.worker.guidance import Conditioning, Side, is_guided
from engine.worker.memory.networks import tile_for, tiles
from engine.worker.memory.plan import make_plan
from engine.worker.model_folder import inspect
from engine.worker.models import Model, ModelCache, empty_device_cache
from engine.worker.pictures import pinned, read_picture
from engine.worker.previews import EXPECTED_COST, PreviewBudget, render
from engine.worker.progress import Emit, Progress
from engine.worker.results import save
from engine.worker.sampling.base import SamplerState

if TYPE_CHECKING:
    from engine.worker.families.base import Family

MODEL_CACHE_SHARE = 0.5
"""Part of the host's memory that models may keep between jobs."""


@dataclass(frozen=True)
class Made:
    """``latents`` as the last step left them, ``frames`` [B, T, H, W, 3] uint8; once saved, the checkpoint can go."""

    latents: Tensor
    frames: Tensor
    checkpoint: Checkpoint


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
        self._checkpoint_pace = 1.0
        self._decode_rates: dict[str, float] = {}

    def run(self, job: Generate, emit: Emit) -> JobFinished:
        """Make and save ``job``'s results. Raises ``LaternaError``s, or whatever else went wrong."""
        job = msgspec.structs.replace(job, recipe=pinned(job.recipe))
        progress = Progress(job.job, emit)
        peak = PeakMemory(self.device)
        peak.start()
        made = self.make(job, progress)
        with self._keeping(made.checkpoint, progress), progress.stage("saving"):
            self.cancellation.check()
            files = save(made.frames, job, self.device)
        made.checkpoint.discard()
        return JobFinished(job.job, files, progress.seconds, peak.bytes())

    @torch.no_grad()
    def make(self, job: Generate, progress: Progress) -> Made:
        recipe = job.recipe
        family = families.get(recipe.family)
        validate(recipe, family.info)
        model = self.open(Path(job.model_folder), family)
        model.adapters = Adapters.of(job)
        family.check(model.folder, recipe)
        keys = _cache_keys(model, recipe)
        checkpoint = self._checkpoint(model, job, keys)
        saved = self._resume(model, recipe, checkpoint, progress)
        with self._keeping(checkpoint, progress):
            if saved is None or not saved.is_denoised:
                sides = self._encode(model, recipe, keys, job.cache_folder, progress)
                state = saved.state if saved else self._begin(model, recipe, sides[0], progress)
                latents = self._denoise(model, job, sides, state, checkpoint, progress)
            else:
                latents = saved.state.latents
            return Made(latents, self._decode(model, recipe, latents, progress), checkpoint)

    @contextmanager
    def _keeping(self, checkpoint: Checkpoint, progress: Progress) -> Iterator[None]:
        """Whatever ends the job within leaves a checkpoint of its last whole step."""
        try:
            yield
        except BaseException:
            self._written(checkpoint, checkpoint.save(), progress)
            raise

    def _written(self, checkpoint: Checkpoint, written: Written | None, progress: Progress) -> None:
        self._checkpoint_pace = checkpoint.pace
        if written is not None:
            progress.saved(written.step, written.steps, written.bytes)

    def _checkpoint(self, model: Model, job: Generate, keys: dict[Words, str]) -> Checkpoint:
        path = Path(job.checkpoint) if job.checkpoint else None
        facts = facts_of(model, job.recipe, keys.values(), job.memory_level) if path else {}
        return Checkpoint(path, facts, job.checkpoint_share, self._checkpoint_pace)

    def _resume(self, model: Model, recipe: Recipe, checkpoint: Checkpoint, progress: Progress) -> Saved | None:
        try:
            saved = checkpoint.load(model.plan.device, model.family.noise_shape(model.folder, recipe))
        except CheckpointRefused as reason:
            progress.refused(str(reason))
            return None
        if saved is not None:
            progress.resumed(saved.state.step, saved.steps)
            progress.saved(saved.state.step, saved.steps, saved.bytes)
        return saved

    def _begin(self, model: Model, recipe: Recipe, positive: Side, progress: Progress) -> SamplerState:
        """The state before the first step: noise, and what it starts from."""
        family = model.family
        picture = self._encode_picture(model, recipe, progress) if recipe.input else None
        dtype = positive[0].conditioning["embeds"].dtype if recipe.latents == "model" else torch.float32
        generator = torch.Generator("cpu").manual_seed(recipe.seed)
        noise = torch.randn(family.noise_shape(model.folder, recipe), generator=generator, dtype=dtype)
        return SamplerState(0, family.start(model.folder, recipe, noise.to(model.plan.device), picture), generator)

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

    def _encode(
        self, model: Model, recipe: Recipe, keys: dict[Words, str], cache_folder: str, progress: Progress
    ) -> tuple[Side, Side | None]:
        """What the network is told, and what guidance moves away from (None without it), for the whole batch."""
        family = model.family
        cache = self._encodings.setdefault(cache_folder, EncodingCache(Path(cache_folder) if cache_folder else None))
        positive, negative = _entries(recipe)
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
        job: Generate,
        sides: tuple[Side, Side | None],
        state: SamplerState,
        checkpoint: Checkpoint,
        progress: Progress,
    ) -> Tensor:
        """The latents after the last step."""
        self._load(model, ["transformer"], progress)
        family, recipe = model.family, job.recipe
        sampler = family.sampler(model.folder, recipe)
        rgb = self._latent_rgb(model)
        progress.decode_seconds = self._expected_decoding(model, recipe)
        checkpoint.begin()
        with progress.stage("denoising"), model.use("transformer") as parts:
            denoise = family.denoiser(model, parts["transformer"], recipe, *sides)
            budget = PreviewBudget(job.preview_interval, self.preview_cost)
            began = time.monotonic()
            for step in sampler(denoise, state):
                checkpoint.reached(state, step.steps)
                self.cancellation.check()
                progress.step(step.index + 1, step.steps, time.monotonic() - began)
                if budget.is_due():
                    with budget.paying():
                        picture = render(family.preview_latents(step.x0()), rgb, job.preview_max_side)
                        progress.preview(step.index + 1, picture)
                self._written(checkpoint, checkpoint.save_if_due(), progress)
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
        vae.enable_slicing()
        try:
            with tiles(vae, tile_for(vae, recipe.height, recipe.width)):
                return model.family.decode(model, vae, recipe, latents)
        finally:
            vae.disable_slicing()

    def _expected_decoding(self, model: Model, recipe: Recipe) -> float | None:
        rate = self._decode_rates.get(str(model.folder.path))
        return None if rate is None else rate * _pixels(recipe)

    def _latent_rgb(self, model: Model) -> LatentRGB:
        channels = model.folder.parts["transformer"].config["in_channels"]
        own = catalog.open_folder(model.folder.path).info.latent_rgb
        return own if own is not None and len(own.factors) == channels else model.family.latent_rgb(channels)


def _entries(recipe: Recipe) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """What the network is told, and what guidance moves away from."""
    return recipe.positive_entries(), recipe.negative_entries() if is_guided(recipe) else ()


def _cache_keys(model: Model, recipe: Recipe) -> dict[Words, str]:
    """Where the encoding of each text is kept."""
    positive, negative = _entries(recipe)
    settings = model.family.encoding_settings(recipe)
    return {words: cache_key(model, settings, words) for words in all_texts(positive + negative)}


def _pixels(recipe: Recipe) -> int:
    return recipe.width * recipe.height * recipe.frames * recipe.batch
