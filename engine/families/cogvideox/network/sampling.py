"""CogVideoX' samplers: its own two, DDIM and a stochastic DPM-Solver++ (2M), and those that ``vp_flow`` brings.

All run on a variance-preserving schedule with zero terminal SNR (Lin et al. 2023, "Common Diffusion Noise Schedules
and Sample Steps are Flawed") and v-prediction. For its own two diffusers' scheduler objects do the arithmetic, which
makes the result bit-equal to its pipeline; they hold no state of their own between steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.worker.sampling.base import Model, Point, SamplerState, Step
from engine.worker.sampling.flow_samplers import SAMPLERS
from engine.worker.sampling.vp_flow import VPFlow, level, vp_schedule

OLD_X0 = "old_x0"
OWN = ("ddim", "dpm")
"""Samplers that are diffusers' own for CogVideoX."""


def make_scheduler(config: dict[str, Any], sampler: str, scheduler: str, steps: int) -> Any:
    """``CogVideoXDPMScheduler`` for ``dpm``, else ``CogVideoXDDIMScheduler``, spaced as ``scheduler`` says."""
    from diffusers.schedulers.scheduling_ddim_cogvideox import CogVideoXDDIMScheduler
    from diffusers.schedulers.scheduling_dpm_cogvideox import CogVideoXDPMScheduler

    cls = CogVideoXDPMScheduler if sampler == "dpm" else CogVideoXDDIMScheduler
    made = cls.from_config(config, timestep_spacing=scheduler)
    made.set_timesteps(steps)
    return made


def vp_sampler(scheduler: Any, name: str, seed: int) -> VPFlow:
    """A sampler of rectified flow by its name, on the timesteps of ``scheduler``."""
    return VPFlow(vp_schedule(scheduler), level(scheduler.alphas_cumprod), SAMPLERS[name], seed)


def _point(scheduler: Any, index: int) -> Point:
    timestep = scheduler.timesteps[index]
    alpha = scheduler.alphas_cumprod[timestep]
    return Point(index, len(scheduler.timesteps), timestep, alpha**0.5, (1 - alpha) ** 0.5)


@dataclass(frozen=True)
class CogVideoXDDIM:
    """DDIM with eta 0 (Song et al. 2020, formulas 12 and 16)."""

    scheduler: Any

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        steps = len(self.scheduler.timesteps)
        for index in range(state.step, steps):
            point = _point(self.scheduler, index)
            dtype = state.latents.dtype
            output = model(state.latents, point).output
            latents, x0 = self.scheduler.step(output, point.timestep, state.latents, return_dict=False)
            state.latents = latents.to(dtype)
            state.step = index + 1
            yield Step(index, steps, state.latents, lambda x0=x0: x0)


@dataclass(frozen=True)
class CogVideoXDPM:
    """SDE-DPM-Solver++ (2M): each step draws noise, and from the second step on uses the denoised latents before."""

    scheduler: Any

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        timesteps = self.scheduler.timesteps
        for index in range(state.step, len(timesteps)):
            point = _point(self.scheduler, index)
            dtype = state.latents.dtype
            output = model(state.latents, point).output
            latents, x0 = self.scheduler.step(
                output,
                state.history.get(OLD_X0),
                point.timestep,
                timesteps[index - 1] if index else None,
                state.latents,
                generator=state.generator,
                return_dict=False,
            )
            state.latents = latents.to(dtype)
            state.history[OLD_X0] = x0
            state.step = index + 1
            yield Step(index, len(timesteps), state.latents, lambda x0=x0: x0)
