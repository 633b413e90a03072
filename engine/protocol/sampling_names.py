"""The samplers and schedulers that Laterna has a name for, and what other programs call them.

A name here is no promise: ``FamilyInfo.samplers`` says what a family offers, and ``validate`` refuses the rest.
"""

from __future__ import annotations

import re

import msgspec


class Named(msgspec.Struct, frozen=True):
    """``id`` stands in recipes; ``aliases`` are other programs' names for the same thing, in any spelling."""

    id: str
    name: str
    summary: str
    aliases: tuple[str, ...] = ()


SAMPLERS: tuple[Named, ...] = (
    Named(
        "euler",
        "Euler",
        "First order, one call of the model a step; the reference for rectified flow.",
        ("k_euler", "FlowMatchEulerDiscreteScheduler", "EulerDiscreteScheduler", "Euler FlowMatch"),
    ),
    Named(
        "euler_ancestral",
        "Euler a",
        "Euler that puts fresh noise in at each step, in its rectified-flow form; another picture at each step count.",
        ("Euler a", "k_euler_a", "EulerAncestralDiscreteScheduler", "Euler A", "euler_ancestral_RF"),
    ),
    Named(
        "heun",
        "Heun",
        "Second order, two calls a step: half the steps for about the same result.",
        ("k_heun", "FlowMatchHeunDiscreteScheduler", "HeunDiscreteScheduler", "Heun FlowMatch"),
    ),
    Named(
        "dpm_2",
        "DPM2",
        "Second order by a midpoint, two calls a step.",
        ("k_dpm_2", "KDPM2DiscreteScheduler"),
    ),
    Named(
        "dpmpp_2m",
        "DPM++ 2M",
        "Second-order multistep in the logarithm of sigma, as in k-diffusion and ComfyUI; the reference for SD3.5.",
        ("k_dpmpp_2m", "DPM++ 2M RF"),
    ),
    Named(
        "dpmpp_2m_log_snr",
        "DPM++ 2M (log SNR)",
        "Second-order multistep in half the log signal-to-noise ratio, as the paper and diffusers have it;"
        " another trajectory than DPM++ 2M.",
        ("DPMSolverMultistepScheduler", "DPMSolverMultistep FlowMatch", "DPM++ 2M FlowMatch"),
    ),
    Named(
        "dpmpp_2m_sde",
        "DPM++ 2M SDE",
        "DPM++ 2M with fresh noise at each step.",
        ("k_dpmpp_2m_sde", "dpmpp_2m_sde_gpu"),
    ),
    Named(
        "dpmpp_sde",
        "DPM++ SDE",
        "Second order with fresh noise, two calls a step.",
        ("k_dpmpp_sde", "dpmpp_sde_gpu", "DPMSolverSDEScheduler"),
    ),
    Named(
        "dpmpp_3m_sde",
        "DPM++ 3M SDE",
        "Third-order multistep with fresh noise at each step; wants more steps than DPM++ 2M SDE.",
        ("k_dpmpp_3m_sde", "dpmpp_3m_sde_gpu"),
    ),
    Named(
        "uni_pc",
        "UniPC",
        "Multistep predictor and corrector of third order in the logarithm of sigma, as in ComfyUI: good pictures from"
        " few steps.",
        ("k_uni_pc",),
    ),
    Named(
        "uni_pc_log_snr",
        "UniPC (log SNR)",
        "Multistep predictor and corrector of second order in half the log signal-to-noise ratio, as in diffusers;"
        " another trajectory than UniPC.",
        ("UniPCMultistepScheduler", "UniPC FlowMatch"),
    ),
    Named(
        "lms",
        "LMS",
        "Linear multistep of fourth order.",
        ("k_lms", "LMSDiscreteScheduler"),
    ),
    Named(
        "deis",
        "DEIS",
        "Multistep by exponential integration, for few steps, as in ComfyUI.",
        ("k_deis",),
    ),
    Named(
        "deis_log_snr",
        "DEIS (log SNR)",
        "Second-order multistep by exponential integration in log signal-to-noise ratio, as in diffusers; another"
        " trajectory than DEIS.",
        ("DEISMultistepScheduler", "DEIS FlowMatch"),
    ),
    Named(
        "res_multistep",
        "RES multistep",
        "Second-order multistep by refined exponential integration.",
        (),
    ),
    Named(
        "ddim",
        "DDIM",
        "First order without fresh noise; for rectified flow the same as Euler, and CogVideoX 2B's own.",
        ("k_ddim", "DDIMScheduler", "CogVideoXDDIM", "CogVideoXDDIMScheduler"),
    ),
    Named(
        "lcm",
        "LCM",
        "For models distilled to a few steps: predicts the picture and noises it again.",
        ("LCMScheduler", "k_lcm"),
    ),
    Named(
        "dpm",
        "CogVideoX DPM",
        "CogVideoX 5B's own second-order solver with fresh noise.",
        ("CogVideoXDPM", "CogVideoXDPMScheduler", "CogVideoX DPM++"),
    ),
)

SCHEDULERS: tuple[Named, ...] = (
    Named("simple", "Simple", "Sigmas taken from the model's table of 1000 at even distances.", ()),
    Named(
        "normal",
        "Normal",
        "Even steps in model time, the last sigma included; diffusers' schedule for rectified flow.",
        ("Uniform", "default"),
    ),
    Named(
        "sgm_uniform",
        "SGM uniform",
        "Even steps in model time, the last one left out; the reference for SD3.5.",
        (),
    ),
    Named("karras", "Karras", "Dense towards little noise (Karras et al., 2022, rho 7).", ()),
    Named("exponential", "Exponential", "Even steps in the logarithm of sigma.", ()),
    Named("ddim_uniform", "DDIM uniform", "Every k-th sigma of the model's table, as DDIM takes them.", ("DDIM",)),
    Named("beta", "Beta", "Dense at both ends, after a beta distribution (0.6, 0.6).", ()),
    Named("linear_quadratic", "Linear quadratic", "Even steps at first, quadratic later, as in Mochi.", ()),
    Named("kl_optimal", "KL optimal", "Steps of even divergence (Align Your Steps' closed form).", ("kl optimal",)),
    Named("trailing", "Trailing", "Even timesteps counted from the end, as CogVideoX was trained.", ()),
)


class Sampling(msgspec.Struct, frozen=True):
    """A sampler and, where its name says so, a scheduler. ``exact`` is False where it is only the nearest relative."""

    sampler: str
    scheduler: str = ""
    exact: bool = True


# Samplers that Laterna does not have, and the nearest that it knows.
_NEAREST = {
    "euler_cfg_pp": "euler",
    "euler_ancestral_cfg_pp": "euler_ancestral",
    "heunpp2": "heun",
    "dpm_2_ancestral": "dpm_2",
    "dpm2 a": "dpm_2",
    "dpm_fast": "dpmpp_2m",
    "dpm fast": "dpmpp_2m",
    "dpm_adaptive": "dpmpp_2m",
    "dpm adaptive": "dpmpp_2m",
    "dpmpp_2s_ancestral": "dpmpp_sde",
    "dpmpp_2s_ancestral_cfg_pp": "dpmpp_sde",
    "dpm++ 2s a": "dpmpp_sde",
    "dpmpp_2m_cfg_pp": "dpmpp_2m",
    "dpmpp_2m_sde_heun": "dpmpp_2m_sde",
    "dpmpp_2m_sde_heun_gpu": "dpmpp_2m_sde",
    "dpm++ 2m sde heun": "dpmpp_2m_sde",
    "dpm++ 3m": "dpmpp_2m",
    "dpm++": "dpmpp_2m",
    "ddpm": "euler_ancestral",
    "ddim cfg++": "ddim",
    "ddim_cfg_pp": "ddim",
    "ipndm": "lms",
    "ipndm_v": "lms",
    "plms": "lms",
    "pndm": "lms",
    "uni_pc_bh2": "uni_pc",
    "res_multistep_cfg_pp": "res_multistep",
    "res_multistep_ancestral": "res_multistep",
    "gradient_estimation": "euler",
    "er_sde": "dpmpp_3m_sde",
    "sa_solver": "dpmpp_3m_sde",
    "seeds_2": "dpmpp_sde",
    "seeds_3": "dpmpp_3m_sde",
    "restart": "euler",
}


def _key(name: str) -> str:
    """Letters and digits alone, so that spellings fall together; a plus counts."""
    return re.sub(r"[^a-z0-9+]", "", name.lower().replace("++", "pp"))


def _table(names: tuple[Named, ...]) -> dict[str, str]:
    table: dict[str, str] = {}
    for named in names:
        for spelling in (named.id, named.name, *named.aliases):
            table.setdefault(_key(spelling), named.id)
    return table


_SAMPLERS = _table(SAMPLERS)
_SCHEDULERS = _table(SCHEDULERS)
_RELATIVES = {_key(name): id for name, id in _NEAREST.items()}
# Some schedulers are parts of other words, so longer ones go first.
_SUFFIXES = sorted(((key, id) for key, id in _SCHEDULERS.items() if len(key) > 3), key=lambda pair: -len(pair[0]))


def find_scheduler(name: str) -> str:
    """The id of a scheduler under any of its names; empty where it is unknown, or left to the program (Automatic)."""
    return _SCHEDULERS.get(_key(name[:100]), "")


def find_sampler(name: str) -> Sampling | None:
    """A sampler under any of its names, with its scheduler where the name ends in one ("DPM++ 2M SDE Karras")."""
    key = _key(name[:100])
    if name.lower().startswith("k_") and key not in _SAMPLERS and key not in _RELATIVES:
        key = key.removeprefix("k")  # k-diffusion's, as most are
    for table, exact in ((_SAMPLERS, True), (_RELATIVES, False)):
        if key in table:
            return Sampling(table[key], "", exact)
        for suffix, scheduler in _SUFFIXES:
            if key.endswith(suffix) and key[: -len(suffix)] in table:
                return Sampling(table[key[: -len(suffix)]], scheduler, exact)
    return None


def display_name(names: tuple[Named, ...], id: str) -> str:
    """What a person reads for ``id``; the id itself where it is unknown."""
    return next((named.name for named in names if named.id == id), id)
