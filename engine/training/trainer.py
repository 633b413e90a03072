"""The training loop, the same for every model of the project.

A `Task` owns modules and turns a step number into a loss; the trainer owns optimizers, the learning-rate schedule,
the moving average of the weights, checkpoints, the log and the samples. Since everything random of a step is derived
from (seed, step), a resumed run continues with the numbers an uninterrupted one would have used, to the last bit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image
from torch import nn

from engine.protocol.errors import BadRecipe, from_os_error

from . import checkpoint, plot
from .journal import TrainingJournal, read_log, smoothed
from .muon import Muon
from .parallel import Ranks
from .progress import Pace, Report, Status
from .schedule import Schedule

PATIENCE = 20  # steps without a finite gradient, after which a training is given up


def native_bf16() -> bool:
    """Whether bf16 products are faster than fp32 ones here (AVX512-BF16 or AMX); without, they are much slower."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@dataclass
class ParameterGroup:
    """`kind` is "muon" (matrices) or "adam"; `scale` multiplies the kind's learning rate."""

    kind: str
    parameters: list[nn.Parameter]
    scale: float = 1.0


class Task(Protocol):
    modules: nn.ModuleDict

    def groups(self) -> list[ParameterGroup]: ...

    def loss(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, dict[str, float]]: ...


@runtime_checkable
class Shows(Protocol):
    """A task that can be looked at."""

    def pictures(self) -> np.ndarray:
        """One picture `[H, W, 3]` uint8 of what the model makes now, always of the same prompts and seeds."""
        ...


def split_groups(module: nn.Module, scale: float = 1.0, adam_only: tuple[str, ...] = ()) -> list[ParameterGroup]:
    """Matrices and kernels inside blocks to Muon, all else (embeddings, norms, ends, modulations) to AdamW."""
    muon, adam = [], []
    for name, p in module.named_parameters():
        inside = "block" in name and p.ndim >= 2 and not any(part in name for part in adam_only)
        (muon if inside else adam).append(p)
    return [g for g in (ParameterGroup("muon", muon, scale), ParameterGroup("adam", adam, scale)) if g.parameters]


def diffusion_groups(modules: nn.ModuleDict) -> list[ParameterGroup]:
    """A transformer, its text encoders (slower, all AdamW), and the heads that training alone uses."""
    transformer = split_groups(modules["transformer"], 1.0, ("norm1", "norm2"))
    text = split_groups(modules["text"], 0.3, ("",))
    heads = [p for name in ("layout", "token_objects", "token_background") for p in modules[name].parameters()]
    return [*transformer, *text, ParameterGroup("adam", heads)]


class Trainer:
    """`run()` trains until `schedule.steps`, from the newest checkpoint in `folder` if `resume()` found one. `about`
    goes into every checkpoint: what the training is."""

    def __init__(
        self,
        task: Task,
        schedule: Schedule,
        folder: Path,
        ranks: Ranks | None = None,
        about: dict[str, Any] | None = None,
    ) -> None:
        self.task, self.schedule, self.folder = task, schedule, folder
        self.ranks, self.about = ranks or Ranks(), about or {}
        self.step, self.seconds = 0, 0.0
        self.stopping = False  # set it from a signal handler: `run` saves and returns after the step in hand
        self._broken = 0
        groups = task.groups()
        self._parameters = [p for g in groups for p in g.parameters]
        self._device = self._parameters[0].device
        self._bf16 = native_bf16() if self._device.type == "cpu" else torch.cuda.is_bf16_supported()
        dtype = torch.bfloat16 if self._bf16 else torch.float32
        if schedule.optimizer == "adamw":
            groups = [ParameterGroup("adam", g.parameters, g.scale) for g in groups]
        self._muon = Muon(self._options(groups, "muon", schedule.muon_lr), schedule.muon_lr, dtype=dtype)
        self._adam = torch.optim.AdamW(
            self._options(groups, "adam", schedule.adam_lr), schedule.adam_lr, (0.9, 0.98), weight_decay=0.0
        )
        self._names = {p: n for n, p in task.modules.named_parameters()}
        self._ema = {n: t.detach().clone() for n, t in task.modules.state_dict().items()}

    @staticmethod
    def _options(groups: list[ParameterGroup], kind: str, rate: float) -> list[dict[str, Any]]:
        found = [{"params": g.parameters, "peak": rate * g.scale} for g in groups if g.kind == kind]
        return found or [{"params": [nn.Parameter(torch.zeros(1, 1))], "peak": 0.0}]

    def resume(self, path: Path | None = None) -> bool:
        """Go on from `path`, or from the folder's last checkpoint; false where there is none. Raises `BadFile`."""
        path = path or self.folder / "last.safetensors"
        if not path.is_file():
            return False
        tensors, meta = checkpoint.load(path)
        with checkpoint.fitting(path):
            self.task.modules.load_state_dict(checkpoint.part(tensors, "model."))
            for n, optimizer in enumerate((self._muon, self._adam)):
                checkpoint.load_optimizer(optimizer, self._names, f"optimizer.{n}.", tensors)
        self._ema = {k: v.to(self._device) for k, v in checkpoint.part(tensors, "ema.").items()}
        self.step, self.seconds = meta["step"], meta["seconds"]
        return True

    def save(self, name: str = "last") -> None:
        """Raises `NoSpace` or `NotWritable`; the checkpoint before it stays."""
        tensors = {f"model.{k}": v for k, v in self.task.modules.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self._ema.items()}
        for n, optimizer in enumerate((self._muon, self._adam)):
            tensors |= checkpoint.optimizer_tensors(optimizer, self._names, f"optimizer.{n}.")
        meta = {"step": self.step, "seconds": self.seconds, "schedule": asdict(self.schedule), **self.about}
        checkpoint.save(self.folder / f"{name}.safetensors", tensors, meta)

    def train_step(self) -> dict[str, float]:
        rate = self.schedule.rate(self.step)
        for optimizer in (self._muon, self._adam):
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        told = self._backward()
        norm = nn.utils.clip_grad_norm_(self._parameters, self.schedule.clip)
        if torch.isfinite(norm):
            self._muon.step()
            self._adam.step()
        self._broken = 0 if torch.isfinite(norm) else self._broken + 1
        self._muon.zero_grad(set_to_none=True)
        self._adam.zero_grad(set_to_none=True)
        self._update_ema()
        self.step += 1
        if self._broken >= PATIENCE:
            raise BadRecipe(
                f"The training went astray: for {PATIENCE} steps its gradients have not been numbers.",
                "Start again with a lower learning rate, or go on from an earlier checkpoint.",
            )
        return {**told, "norm": norm.item(), "rate": rate}

    def _backward(self) -> dict[str, float]:
        """Gradients of the step's whole batch, over all parts and processes; the mean loss and metrics."""
        parts = self.schedule.parts
        total: dict[str, float] = {}
        for part in self.ranks.parts(parts):
            schedule = self.schedule if parts == 1 else self.schedule.of_part(part)
            torch.manual_seed(self.schedule.seed * 1_000_003 + self.step * parts + part)  # dropout
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
                loss, metrics = self.task.loss(self.step, schedule)
            (loss / parts).backward()
            for key, value in {"loss": loss.item(), **metrics}.items():
                total[key] = total.get(key, 0.0) + value / parts
        if self.ranks.size == 1:
            return total
        figures = torch.tensor([*total.values(), float(self.stopping)], dtype=torch.float32)
        *sums, stopping = self.ranks.add_up(self._parameters, figures).tolist()
        self.stopping = stopping > 0  # one process was asked to stop: all do, after the same step
        return dict(zip(total, sums, strict=True))

    @torch.no_grad()
    def _update_ema(self) -> None:
        keep = min(self.schedule.ema, (1 + self.step) / (10 + self.step))
        ours, theirs = [], []
        for name, tensor in self.task.modules.state_dict().items():
            if tensor.is_floating_point():
                ours.append(self._ema[name])
                theirs.append(tensor)
            else:
                self._ema[name] = tensor.clone()
        torch._foreach_lerp_(ours, theirs, 1 - keep)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The moving average in place of the weights, and evaluation mode, for as long as the block runs."""
        weights = {n: t.detach().clone() for n, t in self.task.modules.state_dict().items()}
        self.task.modules.load_state_dict(self._ema)
        self.task.modules.eval()
        try:
            yield
        finally:
            self.task.modules.load_state_dict(weights)
            self.task.modules.train()

    def run(self, milestone_every: int = 0, report: Report = lambda status: None) -> None:
        """Raises `NoSpace` or `NotWritable` where a checkpoint or the log cannot be written."""
        first = self.ranks.is_first
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            journal = TrainingJournal(self.folder / "log.jsonl", self.step) if first else None
        except OSError as error:
            raise from_os_error(error, "writing the training's log", self.folder) from error
        self.task.modules.train()
        pace, saved, shown = Pace(), time.monotonic(), time.monotonic()
        try:
            while self.step < self.schedule.steps and not self.stopping:
                begun = time.monotonic()
                told = self.train_step()
                self.seconds += time.monotonic() - begun
                pace.add(time.monotonic() - begun)
                if journal is None:
                    continue
                journal.write({"step": self.step, "seconds": round(self.seconds, 2), **told})
                left = pace.left(self.schedule.steps - self.step)
                report(Status(self.step, self.schedule.steps, told["loss"], left))
                if milestone_every and self.step % milestone_every == 0:
                    self.save(f"step-{self.step:06d}")
                if time.monotonic() - saved > self.schedule.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
                if 0 < self.schedule.sample_seconds < time.monotonic() - shown:
                    self.show()
                    shown = time.monotonic()
            if first:
                self.save()
                self.show()
        except OSError as error:
            raise from_os_error(error, "writing the training's log", self.folder) from error
        finally:
            if journal is not None:
                journal.close()

    def show(self) -> None:
        """Write `loss.png`, and `samples/step-….png` where the schedule wants samples and the task can draw them."""
        try:
            lines = read_log(self.folder / "log.jsonl")
            plot.save(plot.draw({"loss": smoothed(lines, "loss")}, self.folder.name), self.folder / "loss.png")
            if self.schedule.sample_seconds > 0 and isinstance(self.task, Shows):
                with self.averaged():
                    picture = Image.fromarray(self.task.pictures())
                plot.save(picture, self.folder / "samples" / f"step-{self.step:06d}.png")
        except OSError as error:
            raise from_os_error(error, "writing the training's samples", self.folder) from error


__all__ = ["ParameterGroup", "Schedule", "Shows", "Task", "Trainer", "diffusion_groups", "native_bf16", "split_groups"]
