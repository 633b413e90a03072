"""The training loop, the same for every model of the project.

A `Task` owns modules and turns a step number into a loss; the trainer owns optimizers, the learning-rate schedule,
the moving average of the weights, checkpoints and the log. Since a task derives everything random from (seed, step),
a resumed run continues with the numbers an uninterrupted one would have used.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from . import checkpoint
from .muon import Muon


def native_bf16() -> bool:
    """Whether bf16 products are faster than fp32 ones here (AVX512-BF16 or AMX); without, they are much slower."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@dataclass(frozen=True)
class Schedule:
    """What a training is, besides its task. Learning rate: linear warm-up, constant, linear to zero over the last
    `decay` of the steps."""

    steps: int
    batch: int
    muon_lr: float = 0.02
    adam_lr: float = 1e-3
    warmup: int = 60
    decay: float = 0.35
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0
    checkpoint_seconds: float = 180.0
    begin: int = 0  # the step this course starts from: a trained model that goes on warms up and decays afresh

    def progress(self, step: int) -> float:
        """How much of the course is over, 0..1."""
        return (step - self.begin) / max(1, self.steps - self.begin)

    def rate(self, step: int) -> float:
        """Factor on the learning rates, 0..1."""
        left = (1 - self.progress(step)) / max(1e-9, self.decay)
        return max(0.0, min(1.0, (step - self.begin + 1) / self.warmup, left))


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
    """`run()` trains until `schedule.steps`, from the newest checkpoint in `folder` if there is one."""

    def __init__(self, task: Task, schedule: Schedule, folder: Path) -> None:
        self.task, self.schedule, self.folder = task, schedule, folder
        self.step, self.seconds = 0, 0.0
        self.stopping = False  # set it from a signal handler: `run` saves and returns after the step in hand
        dtype = torch.bfloat16 if native_bf16() else torch.float32
        groups = task.groups()
        self._muon = Muon(self._options(groups, "muon", schedule.muon_lr), schedule.muon_lr, dtype=dtype)
        self._adam = torch.optim.AdamW(
            self._options(groups, "adam", schedule.adam_lr), schedule.adam_lr, (0.9, 0.98), weight_decay=0.0
        )
        self._parameters = [p for g in groups for p in g.parameters]
        self._names = {p: n for n, p in task.modules.named_parameters()}
        self._ema = {n: t.detach().clone() for n, t in task.modules.state_dict().items()}

    @staticmethod
    def _options(groups: list[ParameterGroup], kind: str, rate: float) -> list[dict[str, Any]]:
        found = [{"params": g.parameters, "peak": rate * g.scale} for g in groups if g.kind == kind]
        return found or [{"params": [nn.Parameter(torch.zeros(1, 1))], "peak": 0.0}]

    def resume(self, path: Path | None = None) -> bool:
        path = path or self.folder / "last.safetensors"
        if not path.is_file():
            return False
        tensors, meta = checkpoint.load(path)
        self.task.modules.load_state_dict(checkpoint.part(tensors, "model."))
        self._ema = checkpoint.part(tensors, "ema.")
        for n, optimizer in enumerate((self._muon, self._adam)):
            checkpoint.load_optimizer(optimizer, self._names, f"optimizer.{n}.", tensors)
        self.step, self.seconds = meta["step"], meta["seconds"]
        return True

    def save(self, name: str = "last") -> None:
        tensors = {f"model.{k}": v for k, v in self.task.modules.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self._ema.items()}
        for n, optimizer in enumerate((self._muon, self._adam)):
            tensors |= checkpoint.optimizer_tensors(optimizer, self._names, f"optimizer.{n}.")
        meta = {"step": self.step, "seconds": self.seconds, "schedule": asdict(self.schedule)}
        checkpoint.save(self.folder / f"{name}.safetensors", tensors, meta)

    def train_step(self) -> dict[str, float]:
        rate = self.schedule.rate(self.step)
        for optimizer in (self._muon, self._adam):
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        with torch.autocast("cpu", torch.bfloat16, enabled=native_bf16()):
            loss, metrics = self.task.loss(self.step, self.schedule)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self._parameters, self.schedule.clip)
        if torch.isfinite(norm):
            self._muon.step()
            self._adam.step()
        self._muon.zero_grad(set_to_none=True)
        self._adam.zero_grad(set_to_none=True)
        self._update_ema()
        self.step += 1
        return {"loss": loss.item(), "norm": norm.item(), **metrics}

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

    def run(self, log_every: int = 20, milestone_every: int = 0) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.task.modules.train()
        total: dict[str, float] = {}
        saved = begun = time.monotonic()
        while self.step < self.schedule.steps and not self.stopping:
            for key, value in self.train_step().items():
                total[key] = total.get(key, 0.0) + value
            now = time.monotonic()
            self.seconds += now - begun
            begun = now
            if self.step % log_every == 0:
                line = {"step": self.step, "seconds": round(self.seconds, 1)}
                line |= {k: round(v / log_every, 5) for k, v in total.items()}
                total.clear()
                with (self.folder / "log.jsonl").open("a") as file:
                    file.write(json.dumps(line) + "\n")
            if milestone_every and self.step % milestone_every == 0:
                self.save(f"step-{self.step:06d}")
            if now - saved > self.schedule.checkpoint_seconds:
                self.save()
                saved = now
        self.save()
