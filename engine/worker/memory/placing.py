"""The planner's plans as the worker's: which device, which precision, what stays where."""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.memory.plan import ENGINE
from engine.memory.plan import Plan as MemoryPlan
from engine.worker.memory.plan import Machine, Plan, make_plan
from engine.worker.model_folder import ModelFolder, Part

PLENTY = 2**60


def worker_plan(
    plan: MemoryPlan, folder: ModelFolder, device: torch.device, device_dtype: Callable[[Part], torch.dtype]
) -> Plan:
    """``plan`` for ``folder`` on ``device``. Raises ``ValueError`` for what this engine cannot do yet."""
    if not plan.can_run(ENGINE):
        raise ValueError(f"not within this engine's abilities: {plan.strategy}")
    precise = make_plan(folder, Machine(device, PLENTY, PLENTY), device_dtype)
    return Plan(device, precise.parts, resident=plan.text != "stage", on_device=plan.text == "device")
