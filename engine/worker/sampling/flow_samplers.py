"""Samplers and schedules of rectified flow by their names in recipes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.worker.sampling.base import Sampler
from engine.worker.sampling.deis import DEIS
from engine.worker.sampling.deis_log_snr import DEISLogSNR
from engine.worker.sampling.dpm_2 import DPM2
from engine.worker.sampling.dpmpp_2m import DPMpp2M, DPMpp2MLogSNR
from engine.worker.sampling.dpmpp_sde import DPMpp2MSDE, DPMpp3MSDE, DPMppSDE
from engine.worker.sampling.euler_ancestral import EulerAncestral
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_euler import FlowEuler
from engine.worker.sampling.heun import Heun
from engine.worker.sampling.lcm import LCM
from engine.worker.sampling.lms import LMS
from engine.worker.sampling.res_multistep import RESMultistep
from engine.worker.sampling.schedules import SCHEDULES
from engine.worker.sampling.uni_pc import UniPC, UniPCLogSNR

SAMPLERS: dict[str, Callable[[FlowSchedule, int], Sampler]] = {
    "euler": lambda schedule, seed: FlowEuler(schedule),
    "euler_ancestral": EulerAncestral,
    "heun": lambda schedule, seed: Heun(schedule),
    "dpm_2": lambda schedule, seed: DPM2(schedule),
    "dpmpp_2m": lambda schedule, seed: DPMpp2M(schedule),
    "dpmpp_2m_log_snr": lambda schedule, seed: DPMpp2MLogSNR(schedule),
    "dpmpp_2m_sde": DPMpp2MSDE,
    "dpmpp_sde": DPMppSDE,
    "dpmpp_3m_sde": DPMpp3MSDE,
    "uni_pc": lambda schedule, seed: UniPC(schedule),
    "uni_pc_log_snr": lambda schedule, seed: UniPCLogSNR(schedule),
    "lms": lambda schedule, seed: LMS(schedule),
    "deis": lambda schedule, seed: DEIS(schedule),
    "deis_log_snr": lambda schedule, seed: DEISLogSNR(schedule),
    "res_multistep": lambda schedule, seed: RESMultistep(schedule),
    "ddim": lambda schedule, seed: FlowEuler(schedule),  # DDIM with eta 0 on a rectified flow is Euler's method
    "lcm": LCM,
}
"""``SAMPLERS[name](schedule, seed)``; the seed is for noise on the way."""

WITHOUT_PENULTIMATE = frozenset({"dpm_2", "uni_pc"})
"""Samplers whose schedules ComfyUI makes one step longer, to leave out the last sigma but one."""


def make_schedule(
    config: dict[str, Any], sampler: str, scheduler: str, steps: int, shift: float, strength: float = 1.0
) -> FlowSchedule:
    """The schedule of a recipe. ``strength`` d below 1 takes the last ``steps`` of ``int(steps / d)`` steps.

    ``config`` is the model's scheduler configuration: Euler on the ``normal`` schedule takes diffusers' own sigmas from
    it, which differ from ComfyUI's by rounding.
    """
    whole = steps if strength > 0.9999 else int(steps / strength)
    extra = 1 if sampler in WITHOUT_PENULTIMATE else 0
    if (sampler, scheduler) == ("euler", "normal"):
        schedule = FlowSchedule.normal(config, whole + extra, shift)
    else:
        schedule = FlowSchedule.of(SCHEDULES[scheduler](whole + extra, shift), shift)
    if extra:
        schedule = schedule.without_penultimate()
    return schedule if strength > 0.9999 else schedule.last(steps)
