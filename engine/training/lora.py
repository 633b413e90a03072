"""Fine-tuning a local model with LoRA (Hu et al. 2021, arXiv:2106.09685) on a folder of captioned pictures or clips.

The model is opened, and its samples are drawn, by the very code that generates with it; peft adds the trained
matrices. Pictures and captions are encoded once, before the first step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.families.registry import FAMILIES
from engine.media import atomic
from engine.models.installed import open_folder
from engine.protocol.conditioning import Words
from engine.protocol.errors import BadArguments, from_os_error
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe
from engine.worker.device import find_device
from engine.worker.guidance import Conditioning, Told, repeat
from engine.worker.loaded_model import Model
from engine.worker.runner import Runner
from engine.worker.sampling.base import Point, SamplerState

from .captioned import nearest_size, read_examples, read_pixels
from .grids import grid
from .objectives import objective
from .schedule import Schedule
from .trainer import ParameterGroup

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
FEED_FORWARD = ("ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2")
LAYERS = {"attention": ATTENTION, "all": ATTENTION + FEED_FORWARD}
SMALL_MODEL = 100_000_000  # parameters; a smaller one is trained with larger steps


@dataclass(frozen=True)
class LoraRun:
    """A fine-tuning: `model` a folder, `data` a folder of captioned pictures, `out` the file to write. `sizes` are the
    shapes that pictures are brought to; alpha is the rank, so strength 1 is what was trained. `prompts` are drawn for
    the log."""

    name: str
    model: str
    data: str
    out: str
    schedule: Schedule
    sizes: tuple[tuple[int, int], ...]
    rank: int = 16
    layers: str = "attention"
    frames: int = 1
    caption: str = ""
    dropped: float = 0.1  # share of captions left out, for guidance
    prompts: tuple[str, ...] = ()
    gradient_checkpointing: bool = False


def lora_run(
    name: str,
    model: Path,
    data: Path,
    out: Path,
    steps: int = 1000,
    batch: int = 4,
    rate: float | None = None,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    **more: Any,
) -> LoraRun:
    """The usual settings for a model: its own sizes, AdamW at 1e-4 (2e-3 for a small one). Raises what opening the
    model raises, and `BadRecipe` for a size it cannot have."""
    info = open_folder(model).info
    more.setdefault("frames", info.defaults.frames)
    sizes = (size,) if size else info.sizes or ((info.defaults.width, info.defaults.height),)
    for width, height in sizes:
        validate(info.recipe(width=width, height=height, frames=more["frames"]), open_folder(model).family)
    small = sum(file.stat().st_size for file in (model / "transformer").glob("*.safetensors")) < 2 * SMALL_MODEL
    schedule = Schedule(
        steps=steps, batch=batch, adam_lr=rate or (2e-3 if small else 1e-4), warmup=min(50, steps // 10 + 1), ema=0.99,
        decay=0.3, seed=seed, optimizer="adamw", sample_seconds=600.0 if more.get("prompts") else 0.0,
    )  # fmt: skip
    return LoraRun(name, str(model.resolve()), str(data.resolve()), str(out.resolve()), schedule, tuple(sizes), **more)


class LoraTask:
    """Raises what opening the model or reading the data raises."""

    def __init__(self, run: LoraRun, device: torch.device | None = None) -> None:
        if run.rank < 1 or run.layers not in LAYERS:
            raise BadArguments(f"Rank {run.rank} of {run.layers} makes no sense.", "Take a rank from 1 on.")
        self.run = run
        device = device or find_device()
        precision = torch.float32 if device.type == "cpu" else torch.bfloat16
        self._model: Model = Runner(device=device, precision=precision).open(Path(run.model))
        info = open_folder(Path(run.model)).info
        self._recipe = info.recipe(frames=run.frames, seed=7)
        self._objective = objective(info.family, self._model.folder)
        self._read()
        self._model.load(["transformer"])
        with self._model.use("transformer") as parts:
            self._transformer = parts["transformer"]
        torch.manual_seed(run.schedule.seed)  # peft's first matrices
        self.modules = add_lora(self._transformer, run.rank, LAYERS[run.layers])
        self._transformer.train()
        if run.gradient_checkpointing:
            self._transformer.enable_gradient_checkpointing()

    @torch.no_grad()
    def _read(self) -> None:
        """Latents of every example by size, and the conditioning of every text."""
        run, model = self.run, self._model
        examples = read_examples(Path(run.data), run.caption, clips=run.frames > 1)
        self._captions = [example.caption for example in examples]
        texts = list(dict.fromkeys([*self._captions, *run.prompts, ""]))
        model.load(list(model.family.text_parts))
        with model.use(*model.family.text_parts) as parts:
            self._texts = {text: model.family.encode(model, parts, self._recipe, Words(text)) for text in texts}
        model.release(list(model.family.text_parts))
        model.load(["vae"])
        self._buckets: dict[tuple[int, int], list[int]] = {}
        self._latents: list[Tensor] = []
        with model.use("vae") as parts:
            for number, example in enumerate(examples):
                size = nearest_size(example.path, run.sizes)
                self._buckets.setdefault(size, []).append(number)
                frames = torch.from_numpy(read_pixels(example.path, size, run.frames)).permute(0, 3, 1, 2)
                latents = self._objective.encode(parts["vae"], frames / 127.5 - 1).cpu()
                recipe = self._recipe.replace(width=size[0], height=size[1])
                self._latents.append(_padded(latents, model.family.noise_shape(model.folder, recipe)))

    def groups(self) -> list[ParameterGroup]:
        return [ParameterGroup("adam", list(self.modules.parameters()))]

    def rows(self, step: int, schedule: Schedule) -> list[int]:
        """The examples of a step: every example once an epoch, all of a batch of one size."""
        whole = schedule.batch * schedule.parts
        each = {size: -(-len(members) // whole) for size, members in self._buckets.items()}
        epoch, position = divmod(step, sum(each.values()))
        rng = np.random.default_rng((schedule.seed, 5, epoch))
        batches: list[list[int]] = []
        for size, members in self._buckets.items():
            order = list(rng.permutation(members))
            order = (order * (whole // len(order) + 2))[: each[size] * whole]
            batches += [order[i : i + whole] for i in range(0, len(order), whole)]
        chosen = batches[int(rng.permutation(len(batches))[position])]
        return chosen[schedule.part * schedule.batch : (schedule.part + 1) * schedule.batch]

    def loss(self, step: int, schedule: Schedule) -> tuple[Tensor, dict[str, float]]:
        rows, rng, device = self.rows(step, schedule), schedule.rng(step), self._model.residency.device
        clean = torch.cat([self._latents[row] for row in rows]).to(device)
        captions = ["" if rng.random() < self.run.dropped else self._captions[row] for row in rows]
        noised = self._objective.noised(clean, schedule.generator(step), schedule)
        height, width = (8 * side for side in clean.shape[-2:])
        recipe = self._recipe.replace(width=width, height=height)
        made = self._predict(noised.x, noised.timesteps, self._told(captions), recipe)
        error = (made.float() - noised.target).square().mean()
        return error, {}

    def _told(self, captions: list[str]) -> Conditioning:
        found = [self._texts[caption] for caption in captions]
        return {name: torch.cat([one[name] for one in found]).to(self._model.residency.device) for name in found[0]}

    def _predict(self, x: Tensor, timesteps: Tensor, told: Conditioning, recipe: Recipe) -> Tensor:
        denoise = self._model.family.denoiser(self._model, self._transformer, recipe, (Told(told),), None)
        half = torch.tensor(0.5)  # only a prediction of x0 would ask for it
        return denoise(x, Point(0, 1, timesteps, half, half)).output

    def pictures(self) -> np.ndarray:
        return grid(np.concatenate([self.sample(prompt) for prompt in self.run.prompts]), 4)

    @torch.no_grad()
    def sample(self, prompt: str, seed: int = 7) -> np.ndarray:
        """`[1, H, W, 3]` (clips `[1, T, H, W, 3]`) in 0..1: what the model makes now of one of the run's prompts."""
        model, (width, height) = self._model, self.run.sizes[0]
        recipe = self._recipe.replace(prompt=prompt, width=width, height=height, seed=seed)
        sides = [(Told(repeat(self._told([text]), 1)),) for text in (prompt, "")]
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(model.family.noise_shape(model.folder, recipe), generator=generator)
        state = SamplerState(
            0, model.family.start(model.folder, recipe, noise.to(model.residency.device), None), generator
        )
        negative = sides[1] if FAMILIES[recipe.family].is_guided(recipe) else None
        denoise = model.family.denoiser(model, self._transformer, recipe, sides[0], negative)
        for _ in model.family.sampler(model.folder, recipe)(denoise, state):
            pass
        with model.use("vae") as parts:
            frames = model.family.decode(model, parts["vae"], recipe, state.latents).numpy() / np.float32(255)
        return frames if frames.shape[1] > 1 else frames[:, 0]


def _padded(latents: Tensor, shape: tuple[int, ...]) -> Tensor:
    """With copies of the first frame in front, where the transformer (CogVideoX 1.5) takes frames in pairs."""
    missing = shape[1] - latents.shape[1]
    return torch.cat([latents[:, :1]] * missing + [latents], 1) if missing > 0 else latents


def add_lora(transformer: Any, rank: int, layers: tuple[str, ...]) -> nn.ModuleDict:
    """Give `transformer` LoRA matrices through peft; what is trained, by layer (dots as slashes)."""
    from peft import LoraConfig
    from peft.tuners.lora import LoraLayer

    config = LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=list(layers))
    transformer.add_adapter(config)
    found = nn.ModuleDict()
    for name, module in transformer.named_modules():
        if isinstance(module, LoraLayer):
            pair = {"lora_A": module.lora_A["default"], "lora_B": module.lora_B["default"]}
            found[name.replace(".", "/")] = nn.ModuleDict(pair)
    return found


def save_lora(modules: nn.ModuleDict, run: LoraRun, path: Path) -> None:
    """Names as peft and diffusers write them, which ComfyUI reads as well; the run itself is in the header, without its
    folders. Raises `NoSpace` or `NotWritable`."""
    tensors = {
        f"transformer.{name.replace('/', '.')}.{kind}.weight": pair[kind].weight.detach().float().cpu().contiguous()
        for name, pair in modules.items()
        for kind in ("lora_A", "lora_B")
    }
    layers = sorted({name.split("/", 2)[-1].replace("/", ".") for name in modules})
    told = {"transformer.r": run.rank, "transformer.lora_alpha": run.rank, "transformer.target_modules": layers}
    about = {
        "name": run.name, "model": Path(run.model).name, "rank": run.rank, "layers": run.layers,
        "steps": run.schedule.steps, "batch": run.schedule.batch, "rate": run.schedule.adam_lr,
    }  # fmt: skip
    metadata = {"format": "pt", "lora_adapter_metadata": json.dumps(told), "laterna": json.dumps(about)}
    try:
        with atomic.replacing(path) as temporary:
            save_file(tensors, temporary, metadata)
            temporary.chmod(0o644)
    except OSError as error:
        raise from_os_error(error, "saving the LoRA", path) from error
