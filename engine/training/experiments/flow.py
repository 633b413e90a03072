"""Rectified flow and what steadies its training: noise levels, query-key normalization, the optimizer, resolutions,
gradient checkpointing. All on the toy of `toy.py`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from ..schedule import Schedule
from ..trainer import Trainer
from .toy import ToySetting, ToyTask, draw

STEPS = 200
SEEDS = (0, 1)


def trained(setting: ToySetting, schedule: Schedule, seed: int = 0) -> tuple[ToyTask, float]:
    """The task with its averaged weights, and the CPU seconds it took."""
    task = ToyTask(setting, seed)
    trainer = Trainer(task, schedule, Path(tempfile.gettempdir()))
    task.modules.train()
    begun = time.process_time()
    while trainer.step < schedule.steps:
        trainer.train_step()
    seconds = time.process_time() - begun
    task.modules.load_state_dict(trainer._ema)
    task.modules.eval()
    return task, seconds


def usual(seed: int = 0, **changes: Any) -> Schedule:
    return Schedule(**({"steps": STEPS, "batch": 16, "warmup": 20, "ema": 0.98, "seed": seed} | changes))


def logit_normal() -> dict[str, Any]:
    """Noise levels drawn from a logit-normal distribution, against uniform ones (Esser et al. 2024)."""
    found: dict[str, Any] = {}
    for sigmas in ("uniform", "logit-normal"):
        tasks = [trained(ToySetting(sigmas=sigmas), usual(seed), seed)[0] for seed in SEEDS]
        found[sigmas] = {
            "validation_error": _mean([t.validation() for t in tasks]),
            **{f"sample_error_{n}_steps": _mean([t.sample_error(n) for t in tasks]) for n in (4, 20)},
        }
    return found


def qk_norm() -> dict[str, Any]:
    """RMS normalization of queries and keys, where their weights have grown large (as they do in long trainings)."""
    found: dict[str, Any] = {}
    for name, norm in (("without", None), ("rms_norm", "rms_norm")):
        for scale in (1.0, 8.0):
            task, _ = trained(ToySetting(qk_norm=norm, scale=scale), usual(optimizer="adamw", adam_lr=3e-3))
            found[f"{name}, weights ×{scale:g}"] = {
                "validation_error": round(task.validation(), 4), "largest_logit": round(_largest_logit(task), 1),
            }  # fmt: skip
    return found


def _largest_logit(task: ToyTask) -> float:
    """The largest attention logit in the first block."""
    attention = task.modules["transformer"].transformer_blocks[0].attn
    kept: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Any:
        return lambda module, inputs, output: kept.__setitem__(name, output)

    ends = {"q": attention.norm_q or attention.to_q, "k": attention.norm_k or attention.to_k}
    hooks = [module.register_forward_hook(keep(name)) for name, module in ends.items()]
    task.validation(count=32)
    for hook in hooks:
        hook.remove()
    q, k = (x if x.ndim == 4 else x.unflatten(-1, (-1, 32)).transpose(1, 2) for x in (kept["q"], kept["k"]))
    return ((q @ k.mT) / 32**0.5).abs().max().item()


def muon() -> dict[str, Any]:
    """Muon for the blocks' matrices with AdamW for the rest, against AdamW alone at its better rate."""
    found = {}
    for name, changes in (
        ("AdamW, 1e-3", {"optimizer": "adamw"}),
        ("AdamW, 3e-3", {"optimizer": "adamw", "adam_lr": 3e-3}),
        ("Muon, 0.02", {}),
    ):
        runs = [trained(ToySetting(), usual(seed, **changes), seed) for seed in SEEDS]
        found[name] = {
            "validation_error": _mean([task.validation() for task, _ in runs]),
            "cpu_seconds": round(_mean([seconds for _, seconds in runs]), 1),
        }
    return found


def progressive() -> dict[str, Any]:
    """Low resolution first, then high, against high resolution all the time, at equal CPU seconds."""
    high, seconds = trained(ToySetting(stages=((1.0, 16, 16),)), usual(steps=200))
    found = {
        "high only": {"steps": 200, "cpu_seconds": round(seconds, 1), "validation_error": _mean([high.validation()])}
    }
    stages = ((0.6, 8, 16), (0.4, 16, 16))
    _, probe = trained(ToySetting(stages=stages), usual(steps=40))
    steps = round(40 * seconds / probe)
    task, spent = trained(ToySetting(stages=stages), usual(steps=steps))
    found["low, then high"] = {
        "steps": steps, "cpu_seconds": round(spent, 1), "validation_error": task.validation(),
    }  # fmt: skip
    return found


def checkpointing() -> dict[str, Any]:
    """Bytes that the forward pass keeps for the backward pass, and CPU seconds, with and without checkpointing."""
    found = {}
    for name, setting in (("without", ToySetting()), ("with", ToySetting(checkpointing=True))):
        task = ToyTask(setting, layers=8)
        task.modules.train()
        kept: dict[int, int] = {}

        def keep(tensor: torch.Tensor, kept: dict[int, int] = kept) -> torch.Tensor:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        begun = time.process_time()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss, _ = task.loss(0, usual())
        held = sum(kept.values())
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in task.modules.parameters() if p.grad is not None])
        found[name] = {
            "kept_mib": round(held / 2**20, 1), "cpu_seconds": round(time.process_time() - begun, 2),
            "gradient_norm": round(gradient.norm().item(), 6),
        }  # fmt: skip
    return found


def loss_variance() -> dict[str, Any]:
    """Explicit uniform sampling: how much the loss of a global batch jumps, with ranks that draw freely or each from
    its own interval (CogVideoX). One and the same model, eight ranks of one and of four rows."""
    task, _ = trained(ToySetting(), usual())
    found: dict[str, Any] = {}
    for rows in (1, 4):
        for name, intervals in (("free", False), ("own interval", True)):
            losses = torch.tensor([_global_loss(task, step, rows, intervals) for step in range(150)])
            found[f"{name}, {rows} a rank"] = {
                "mean": round(losses.mean().item(), 4), "standard_deviation": round(losses.std().item(), 4),
            }  # fmt: skip
    return found


@torch.no_grad()
def _global_loss(task: ToyTask, step: int, rows: int, intervals: bool, ranks: int = 8) -> float:
    from ..timesteps import uniform

    generator = torch.Generator().manual_seed(10_000 + step)
    clean, classes = draw(rows * ranks, 16, generator)
    times = torch.cat([uniform(rows, generator, *((rank, ranks) if intervals else (0, 1))) for rank in range(ranks)])
    return task.errors(clean, classes, (times + 0.5) / 1000, generator).mean().item()


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4)
