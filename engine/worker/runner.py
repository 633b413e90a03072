"""One job from its recipe to its files, top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import torch
from torch import Tensor

from engine.families.registry import FAMILIES
from engine.memory.footprints import Footprints
from engine.memory.plan import StageName
from engine.memory.shapes import computed_steps
from engine.models import installed
from engine.models.reading.component import Component
from engine.models.reading.model_folder import optional_labels, read_model
from engine.protocol.commands import Derive, Generate, JobCommand
from engine.protocol.conditioning import Entry, Words
from engine.protocol.errors import BadRecipe, NotFinite
from engine.protocol.events import JobFinished
from engine.protocol.family_info import LatentRGB, validate
from engine.protocol.inputs import STARTING
from engine.protocol.recipe import Recipe
from engine.worker import pipelines
from engine.worker.acceleration.compiling import Compiler, Region, speed_key
from engine.worker.acceleration.step_caching import StepCache
from engine.worker.adapters import Adapters
from engine.worker.cancel import Cancellation
from engine.worker.checkpoint import Checkpoint, CheckpointRefused, Saved, Written, facts_of
from engine.worker.conditioning.entries import all_texts, told, with_picture
from engine.worker.denoisers import Denoisers
from engine.worker.deriving import derive
from engine.worker.device import PeakMemory, find_device, free_memory
from engine.worker.encodings import EncodingCache, cache_key
from engine.worker.failures import is_out_of_memory
from engine.worker.finite import StepWatch, check_finite
from engine.worker.finite_causes import telling, with_float32
from engine.worker.guidance import Conditioning, Denoiser, Side
from engine.worker.inpainting.canvas import InpaintCanvas, canvas_of
from engine.worker.inpainting.known import KnownPart
from engine.worker.learned_previews import LearnedPreviews
from engine.worker.loaded_model import STREAMED, Model
from engine.worker.pictures import pinned, read_input
from engine.worker.previews import EXPECTED_COST, PreviewBudget, render
from engine.worker.progress import Emit, Progress
from engine.worker.residency.lowering import lowered
from engine.worker.residency.memory_manager import Free, MemoryManager
from engine.worker.residency.networks import tiles
from engine.worker.residency.placing import Placing
from engine.worker.residency.pool import empty_cache
from engine.worker.results import save
from engine.worker.sampling.base import Model as Ask
from engine.worker.sampling.base import SamplerState
from engine.worker.upscaling.networks import UpscalerNetworks

if TYPE_CHECKING:
    from engine.worker.pipeline import Pipeline

T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """``latents`` as the last step left them, ``frames`` [B, T, H, W, 3] uint8; once saved, the checkpoint can go.
    ``reused``: part of the steps (of the network's calls) that step caching left out; ``is_compiled``: blocks were."""

    latents: Tensor
    frames: Tensor
    checkpoint: Checkpoint
    reused: float = 0.0
    is_compiled: bool = False


@dataclass
class Work:
    """A job in hand. ``placing`` changes when memory runs out, and the model's plan with it; None: nothing is known."""

    job: Generate
    recipe: Recipe
    model: Model
    progress: Progress
    checkpoint: Checkpoint
    placing: Placing | None
    canvas: InpaintCanvas | None = None
    known: KnownPart | None = None
    cache: StepCache | None = None
    region: Region = field(default_factory=Region)
    is_compiled: bool = False


class Runner:
    """Runs one job at a time. ``precision`` overrides the planner, for measurements and tests; ``free`` tells how much
    memory there is."""

    def __init__(
        self,
        cancellation: Cancellation | None = None,
        device: torch.device | None = None,
        precision: torch.dtype | None = None,
        free: Free = free_memory,
    ) -> None:
        self.cancellation = cancellation or Cancellation()
        self.device = device or find_device()
        self.memory = MemoryManager(self.device, free, precision)
        self.compiler = Compiler(self.cancellation, self.device)
        self.learned = LearnedPreviews()
        self._encodings: dict[str, EncodingCache] = {}
        self._upscalers = UpscalerNetworks(self.device, self.release)
        self.preview_cost = EXPECTED_COST
        self._checkpoint_pace = 1.0
        self._decode_rates: dict[str, float] = {}

    def run(self, job: JobCommand, emit: Emit) -> JobFinished:
        """Make and save ``job``'s results. Raises ``LaternaError``s, or whatever else went wrong."""
        if isinstance(job, Derive):
            return derive(job, self.cancellation, emit, self.device, self._upscalers)
        return self._generate(job, emit)

    def _generate(self, job: Generate, emit: Emit) -> JobFinished:
        job = msgspec.structs.replace(job, recipe=pinned(job))
        progress = Progress(job.job, emit)
        peak = PeakMemory(self.device)
        peak.start()
        made = self.make(job, progress)
        with self._keeping(made.checkpoint, progress):
            frames = made.frames
            if job.recipe.upscaling is not None:
                frames = self._upscalers.enlarge_all(frames, job, progress, self.cancellation.check)
            with progress.stage("saving"):
                self.cancellation.check()
                files = save(frames, job, self.device, made.is_compiled)
        made.checkpoint.discard()
        return JobFinished(job.job, files, progress.seconds, peak.bytes())

    @torch.no_grad()
    def make(self, job: Generate, progress: Progress) -> Made:
        recipe = job.recipe
        family = pipelines.get(recipe.family)
        validate(recipe, family.info)
        self._know(job)
        model, placing = self._open(Path(job.model_folder), recipe, family, job.memory_level, job.keep_free)
        lacking = optional_labels(model.folder, family.info.id) if recipe.use_t5 else ()
        if lacking:
            progress.noted(f"This model runs without {' and '.join(lacking)}: it is not on this machine.")
        model.adapters = Adapters.of(job, progress.noted)
        family.check(model.folder, recipe)
        keys = _cache_keys(model, recipe)
        canvas = canvas_of(job)
        work = Work(job, recipe, model, progress, self._checkpoint(model, job, keys), placing, canvas)
        saved = self._resume(work)
        with self._keeping(work.checkpoint, progress):
            if saved is None or not saved.is_denoised:
                sides = self._encode(work, keys)
                in_each_step = family.is_told_picture(model.folder)
                begins = recipe.input_of(*STARTING) is not None
                is_kept = in_each_step or canvas is not None
                picture = self._encode_picture(work) if begins and (is_kept or saved is None) else None
                if canvas is not None and picture is not None:
                    work.known = KnownPart(picture, self._noise(work), canvas.free().to(self.device))
                if in_each_step and picture is not None:
                    sides = with_picture(sides[0], picture), sides[1] and with_picture(sides[1], picture)
                state = saved.state if saved else self._begin(work, picture)
                latents = self._denoise(work, sides, state)
            else:
                latents = saved.state.latents
            reused = work.cache.share if work.cache else 0.0
            frames = self._decode(work, latents)
            if canvas is not None:
                frames = canvas.put_back(frames)
            return Made(latents, frames, work.checkpoint, reused, work.is_compiled)

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

    def _resume(self, work: Work) -> Saved | None:
        model, progress = work.model, work.progress
        try:
            saved = work.checkpoint.load(model.residency.device, model.family.noise_shape(model.folder, work.recipe))
        except CheckpointRefused as reason:
            progress.refused(str(reason))
            return None
        if saved is not None:
            progress.resumed(saved.state.step, saved.steps)
            progress.saved(saved.state.step, saved.steps, saved.bytes)
        return saved

    def _begin(self, work: Work, picture: Tensor | None) -> SamplerState:
        """The state before the first step: noise, and what it starts from."""
        family, folder, recipe = work.model.family, work.model.folder, work.recipe
        generator = torch.Generator("cpu").manual_seed(recipe.seed)
        noise = self._noise(work, generator)
        return SamplerState(0, family.start(folder, recipe, noise, picture), generator)

    def _noise(self, work: Work, generator: torch.Generator | None = None) -> Tensor:
        """What the recipe's seed begins with."""
        recipe = work.recipe
        own = work.model.compute_dtype(FAMILIES[recipe.family].denoisers()[0])
        dtype = own if recipe.latents == "model" else torch.float32
        generator = generator or torch.Generator("cpu").manual_seed(recipe.seed)
        shape = work.model.family.noise_shape(work.model.folder, recipe)
        return torch.randn(shape, generator=generator, dtype=dtype).to(self.device)

    def open(self, path: Path, recipe: Recipe | None = None) -> Model:
        """The model in ``path`` as ``recipe`` (or the model's usual one) needs it, nothing loaded yet.

        Raises ``BadRecipe`` or what ``inspect`` raises.
        """
        found = installed.open_folder(path)
        return self._open(path, recipe or found.info.recipe(""), pipelines.get(found.info.family))[0]

    def _open(
        self, path: Path, recipe: Recipe, family: Pipeline, level: int = 0, keep_free: int = 0
    ) -> tuple[Model, Placing | None]:
        found = installed.open_folder(path)
        if found.info.family != family.info.id:
            raise BadRecipe(
                f"The recipe is for {family.info.name}, but {path.name} is a {found.family.name} model.",
                f"Choose a {family.info.name} model, or start from that model's own settings.",
                field="model",
            )
        folder = read_model(path, family.info.id)
        residency, placing = self.memory.residency(recipe, family, folder, level, keep_free)
        return Model(folder, family, residency, self.cancellation, self.memory.pool), placing

    def _know(self, job: Generate) -> None:
        """Take into account what was simulated and learned on this machine."""
        folder = Path(job.footprints_folder) if job.footprints_folder else None
        if folder != self.memory.footprints.folder:
            self.memory.footprints = Footprints(folder)
        previews = Path(job.previews_folder) if job.previews_folder else None
        if previews != self.learned.folder:
            self.learned = LearnedPreviews(previews)

    def preload(self, path: Path) -> None:
        """Read a whole model, if all of it stays in memory."""
        model = self.open(path)
        if model.residency.resident:
            names = [spec.name for spec in model.family.components]
            self.memory.make_room(model, names, "denoising")
            model.load(names)

    def release(self) -> None:
        """Let go of everything that is kept between jobs."""
        self.memory.pool.clear()
        self._upscalers.forget()
        empty_cache(self.device)

    def _within_memory(self, work: Work, stage: StageName, run: Callable[[], T]) -> T:
        """``run()``; where memory runs out, again under a plan that needs less, until there is none."""
        while True:
            try:
                return run()
            except Exception as error:
                lower = lowered(work.model, work.recipe, work.placing, stage) if is_out_of_memory(error) else None
                if lower is None:
                    raise
            # Out here, because within a handler the traceback keeps the tensors of the failed call alive.
            work.placing = lower.placing
            work.model.follow(
                lower.residency or self.memory.carry_out(work.placing, work.model.family, work.model.folder)
            )
            work.progress.lowered(stage, lower.message)

    def _load(self, work: Work, names: list[str], stage: StageName) -> None:
        model, progress = work.model, work.progress
        model.make_way(names)
        self.memory.make_room(model, names, stage, work.job.keep_free)
        if all(model.is_loaded(name) for name in names):
            return
        with progress.stage("loading"):
            model.load(names, lambda label, fraction: progress.at("loading", fraction, label))

    def _encode(self, work: Work, keys: dict[Words, str]) -> tuple[Side, Side | None]:
        """What the network is told, and what guidance moves away from (None without it), for the whole batch."""
        model, recipe, folder = work.model, work.recipe, work.job.cache_folder
        cache = self._encodings.setdefault(folder, EncodingCache(Path(folder) if folder else None))
        positive, negative = _entries(recipe)
        found = {words: cache.get(key) for words, key in keys.items()}
        count = sum(encoding is None for encoding in found.values())

        def encode() -> None:
            names = model.family.text_parts
            self._load(work, list(names), "encoding")
            with work.progress.stage("encoding"), model.use(*names) as parts:
                for done, words in enumerate([words for words in found if found[words] is None], start=1):
                    encoding = model.family.encode(model, parts, recipe, words)
                    with telling("encoding", model, *names):
                        check_finite(encoding)
                    found[words] = encoding
                    cache.put(keys[words], encoding)
                    work.progress.at("encoding", done / count)

        if count:
            self._within_memory(work, "encoding", encode)

        def encoded(words: Words) -> Conditioning:
            return {name: value.to(self.device) for name, value in found[words].items()}

        return told(positive, encoded, recipe.batch), told(negative, encoded, recipe.batch) or None

    def _encode_picture(self, work: Work) -> Tensor:
        """The latents of the picture that the recipe starts from."""
        pixels = work.canvas.work() if work.canvas is not None else read_input(work.job, *STARTING)

        def encode() -> Tensor:
            vae = FAMILIES[work.recipe.family].vae()
            self._load(work, [vae], "encoding")
            self.cancellation.check()
            with work.progress.stage("encoding"), work.model.use(vae) as parts:
                latents = work.model.family.encode_picture(work.model, parts[vae], work.recipe, pixels)
                with telling("picture", work.model, vae):
                    check_finite(latents)
                return latents

        return self._within_memory(work, "encoding", encode)

    def _denoise(self, work: Work, sides: tuple[Side, Side | None], state: SamplerState) -> Tensor:
        """The latents after the last step."""
        kept = [state]  # after the last whole step

        def denoise() -> Tensor:
            kept[0] = self._denoise_from(work, sides, kept)
            return kept[0].latents

        return self._within_memory(work, "denoising", denoise)

    def _denoise_from(self, work: Work, sides: tuple[Side, Side | None], kept: list[SamplerState]) -> SamplerState:
        """The state after the last step; ``kept[0]``, where it starts, is that after each whole step meanwhile."""
        job, model, recipe, progress = work.job, work.model, work.recipe, work.progress
        family = model.family
        self._load(work, [FAMILIES[recipe.family].likely_denoiser(recipe, kept[0].step)], "denoising")
        sampler = family.sampler(model.folder, recipe)
        rgb = self._latent_rgb(model)
        progress.decode_seconds = self._expected_decoding(model, recipe)
        work.checkpoint.begin()
        state = kept[0].copy()

        def sound(reached: SamplerState, steps: int) -> None:
            kept[0] = reached
            work.checkpoint.reached(reached, steps)

        watch = StepWatch(model.residency.device, sound)
        with (
            Denoisers(
                FAMILIES[recipe.family].denoisers(),
                lambda point: family.denoiser_at(model.folder, recipe, point),
                lambda name: self._denoiser(work, name, sides, state),
            ) as denoisers,
            telling("denoising", model, *FAMILIES[recipe.family].denoisers()),
            watch.watching(),
        ):
            cache = work.cache = StepCache(denoisers, recipe.step_caching, state.reuse)
            budget = PreviewBudget(job.preview_interval, self.preview_cost)
            began = time.monotonic()
            asked: Ask = cache if recipe.step_caching else denoisers
            if work.known is not None:
                asked = work.known.around(asked, denoisers)
            for step in sampler(asked, state):
                if work.known is not None and step.index == step.steps - 1:
                    state.latents = work.known.finished(state.latents)
                watch.reached(state.copy(), step.steps)
                self.cancellation.check()
                progress.step(step.index + 1, step.steps, time.monotonic() - began)
                if budget.is_due():
                    with budget.paying():
                        picture = render(family.preview_latents(step.x0()), rgb, job.preview_max_side)
                        progress.preview(step.index + 1, picture)
                self._written(work.checkpoint, work.checkpoint.save_if_due(), progress)
                began = time.monotonic()
            self.preview_cost = budget.expected_cost
        self._written(work.checkpoint, work.checkpoint.save_if_due(), progress)
        return state

    @contextmanager
    def _denoiser(
        self, work: Work, name: str, sides: tuple[Side, Side | None], state: SamplerState
    ) -> Iterator[Denoiser]:
        """One of the model's denoisers, for the steps behind ``state``."""
        model, progress = work.model, work.progress
        self._load(work, [name], "denoising")
        with (
            progress.stage("denoising", fraction=state.step / work.recipe.steps),
            model.use(name) as parts,
            self._compiled(work, name, parts[name]),
        ):
            yield model.family.denoiser(model, parts[name], work.recipe, *sides)
        progress.belongs_to("denoising", "loading", work.region.cost)

    @contextmanager
    def _compiled(self, work: Work, name: str, network: Any) -> Iterator[None]:
        """Within: the denoiser's blocks run compiled, where the job wishes so and it can be."""
        job, model, recipe = work.job, work.model, work.recipe
        family = FAMILIES[recipe.family]
        wish = "never" if model.residency.parts[name].place in STREAMED else job.compile
        both = family.is_guided(recipe) and not model.residency.batched
        calls = round(computed_steps(recipe) * family.turns(recipe).get(name, 1)) * (2 if both else 1)
        key = speed_key(model, recipe, name)
        with self.compiler.around(network, wish, job.compile_folder, key, calls) as region:
            work.region, said = region, region.note
            if said:
                work.progress.noted(said)
            yield
        work.is_compiled = work.is_compiled or region.is_used
        if region.note != said:
            work.progress.noted(region.note)

    def _decode(self, work: Work, latents: Tensor) -> Tensor:
        """In float32 where half precision does not hold what the VAE computes."""
        try:
            return self._learnt(work, latents, self._decode_as_planned(work, latents))
        except NotFinite:
            residency = with_float32(work.model.residency, FAMILIES[work.recipe.family].vae())
            if residency is None:
                raise
        work.progress.noted("Decoding left the range of half precision: it is done again in float32.")
        work.model.follow(residency)
        return self._learnt(work, latents, self._decode_as_planned(work, latents))

    def _learnt(self, work: Work, latents: Tensor, frames: Tensor) -> Tensor:
        """``frames``, after previews have learned of them."""
        model = work.model
        if self._own_rgb(model) is None:
            decoded = model.family.decoded_latents(model.folder, work.recipe, latents)
            self.learned.learn(_vae_of(model), decoded, frames)
        return frames

    def _decode_as_planned(self, work: Work, latents: Tensor) -> Tensor:
        model, recipe = work.model, work.recipe

        def decode() -> Tensor:
            name = FAMILIES[recipe.family].vae()
            self._load(work, [name], "decoding")
            self.cancellation.check()
            with work.progress.stage("decoding"), model.use(name) as parts:
                began = time.monotonic()
                vae, decoding = parts[name], model.residency.decoding
                vae.use_slicing = decoding.sliced
                with tiles(vae, decoding.tile), telling("decoding", model, name):
                    frames = model.family.decode(model, vae, recipe, latents)
                self._decode_rates[str(model.folder.path)] = (time.monotonic() - began) / _pixels(recipe)
            return frames

        return self._within_memory(work, "decoding", decode)

    def _expected_decoding(self, model: Model, recipe: Recipe) -> float | None:
        rate = self._decode_rates.get(str(model.folder.path))
        return None if rate is None else rate * _pixels(recipe)

    def _latent_rgb(self, model: Model) -> LatentRGB:
        vae = _vae_of(model)
        channels = vae.config["latent_channels"]
        return self._own_rgb(model) or self.learned.find(vae, channels) or model.family.latent_rgb(channels)

    @staticmethod
    def _own_rgb(model: Model) -> LatentRGB | None:
        """What the model brings."""
        own = installed.open_folder(model.folder.path).info.latent_rgb
        return own if own is not None and len(own.factors) == _vae_of(model).config["latent_channels"] else None


def _vae_of(model: Model) -> Component:
    return model.folder.parts[FAMILIES[model.family.info.id].vae()]


def _entries(recipe: Recipe) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """What the network is told, and what guidance moves away from."""
    return recipe.positive_entries(), recipe.negative_entries() if FAMILIES[recipe.family].is_guided(recipe) else ()


def _cache_keys(model: Model, recipe: Recipe) -> dict[Words, str]:
    """Where the encoding of each text is kept."""
    positive, negative = _entries(recipe)
    settings = model.family.encoding_settings(recipe)
    return {words: cache_key(model, settings, words) for words in all_texts(positive + negative)}


def _pixels(recipe: Recipe) -> int:
    return recipe.width * recipe.height * recipe.frames * recipe.batch
