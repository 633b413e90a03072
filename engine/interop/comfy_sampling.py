"""Sampler nodes as passes: what each does with a latent, and in which order they work on a picture."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.interop.comfy_families import nodes_of, owner
from engine.interop.comfy_pass import MAX_STEPS, Pass
from engine.interop.comfy_reader import Reader
from engine.interop.graph import Link, Node
from engine.interop.report import shown
from engine.protocol.sampling_names import find_sampler, find_scheduler

_SHORTENED = ("dpm_2", "uni_pc")  # ComfyUI's KSampler takes the last sigma but one out of their schedules
SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")


def is_sampler(node: Node) -> bool:
    """One that Laterna knows, or one of the same inputs."""
    return node.type in SAMPLERS or bool(owner(node, "samplers")) or looks_like_sampler(node)


def looks_like_sampler(node: Node) -> bool:
    """Whether a node that is not known has all that a sampler is told, under the usual names."""
    wired = node.link("model") is not None and node.link("positive") is not None
    return (
        wired
        and "steps" in node.inputs
        and "cfg" in node.inputs
        and not (node.type in SAMPLERS or owner(node, "samplers"))
    )


_SAMPLER_NODES = {
    "SamplerEulerAncestral": "euler_ancestral",
    "SamplerLMS": "lms",
    "SamplerDPMPP_2M_SDE": "dpmpp_2m_sde",
    "SamplerDPMPP_3M_SDE": "dpmpp_3m_sde",
    "SamplerDPMPP_SDE": "dpmpp_sde",
    "SamplerDPMPP_2S_Ancestral": "dpmpp_2s_ancestral",
    "SamplerDPMAdaptative": "dpm_adaptive",
    "SamplerER_SDE": "er_sde",
    "SamplerEulerCFGpp": "euler_cfg_pp",
}
_SAMPLER_DEFAULTS = {"eta": 1.0, "s_noise": 1.0, "order": 4.0, "r": 0.5}
_SIGMA_NODES = {
    "KarrasScheduler": "karras",
    "ExponentialScheduler": "exponential",
    "PolyexponentialScheduler": "exponential",
    "BetaSamplingScheduler": "beta",
    "SDTurboScheduler": "sgm_uniform",
}


class SamplingReader:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._notes = reader.notes

    def read(self, node: Node) -> Pass:
        reader = self._reader
        reader.used.add(node.id)
        model, positive, negative = (node.link(name) for name in ("model", "positive", "negative"))
        latent = node.link("latent_image")
        if node.type == "KSampler" or looks_like_sampler(node):
            if node.type != "KSampler":
                latent = latent or node.link("latent") or node.link("samples")
                self._notes.approximated(
                    f"{node.label} is no sampler that Laterna knows; what it shares with KSampler is read by name."
                )
            sampler, scheduler = self._names(node)
            return Pass(
                node,
                model,
                positive,
                negative,
                latent,
                seed=reader.seed(node, "seed"),
                total=self.steps(node, 20),
                guidance=reader.number(node, "cfg", 8.0),
                sampler=sampler,
                scheduler=scheduler,
                denoise=reader.number(node, "denoise", 1.0),
            )
        if node.type == "KSamplerAdvanced":
            sampler, scheduler = self._names(node)
            return Pass(
                node,
                model,
                positive,
                negative,
                latent,
                seed=reader.seed(node, "noise_seed"),
                total=self.steps(node, 20),
                guidance=reader.number(node, "cfg", 8.0),
                sampler=sampler,
                scheduler=scheduler,
                start=max(0, reader.integer(node, "start_at_step", 0)),
                end=max(0, reader.integer(node, "end_at_step", MAX_STEPS)),
                adds_noise=reader.flag(node, "add_noise", True),
            )
        family = owner(node, "samplers")
        if family:
            return nodes_of(family).read_sampler(reader, self, node)
        return self._custom(node)

    def _custom(self, node: Node) -> Pass:
        """SamplerCustom and SamplerCustomAdvanced: the same, in parts."""
        reader = self._reader
        guider = reader.node(node.link("guider")) if node.type == "SamplerCustomAdvanced" else node
        noise = reader.node(node.link("noise")) if node.type == "SamplerCustomAdvanced" else node
        guidance, positive, negative = 1.0, None, None
        if guider is not None:
            positive = guider.link("positive") or guider.link("conditioning") or guider.link("cond1")
            negative = guider.link("negative")
            if guider.type == "DualCFGGuider":
                guidance = reader.number(guider, "cfg_conds", 8.0)
                self._notes.approximated(f"{guider.label} guides with two prompts; Laterna takes the first.")
            elif guider.type != "BasicGuider":
                guidance = reader.number(guider, "cfg", 8.0)
        schedule = self._sigmas(node.link("sigmas"))
        sampler = self._sampler_node(node.link("sampler"))
        if sampler in _SHORTENED:
            self._notes.approximated(
                f"{node.label} runs {sampler} on the whole schedule; Laterna leaves out its last sigma but one, as"
                " KSampler does."
            )
        disabled = noise is None or noise.type == "DisableNoise"
        seed = 0 if noise is None or disabled else reader.seed(noise, "noise_seed")
        return replace(
            schedule,
            node=node,
            model=guider.link("model") if guider is not None else schedule.model,
            positive=positive,
            negative=negative,
            latent=node.link("latent_image"),
            seed=seed,
            guidance=guidance,
            sampler=sampler,
            adds_noise=not disabled and (node.type != "SamplerCustom" or reader.flag(node, "add_noise", True)),
        )

    def _sampler_node(self, link: Link | None) -> str:
        node = self._reader.node(link)
        if node is None:
            self._notes.approximated("No sampler is connected; euler is used.")
            return "euler"
        if node.type == "KSamplerSelect":
            return self.sampler(self._reader.text(node, "sampler_name", "euler"), node)
        for name, usual in _SAMPLER_DEFAULTS.items():
            if name in node.inputs and self._reader.number(node, name, usual) != usual:
                value = self._reader.number(node, name, usual)
                self._notes.approximated(f"{node.label} has {name} {value:g}; Laterna's is {usual:g}.")
        if node.type in _SAMPLER_NODES:
            return self.sampler(_SAMPLER_NODES[node.type], node)
        return self.sampler(re.sub("^K?Sampler_?", "", node.type), node)

    def _sigmas(self, link: Link | None, depth: int = 0) -> Pass:
        """A pass that has only its schedule: steps, scheduler, denoise, and the part that SplitSigmas leaves."""
        reader = self._reader
        node = reader.node(link)
        blank = Pass(Node("", ""), None, None, None, None, 0, 20, 1.0, "euler", "simple")
        if node is None or link is None or depth > 8:
            self._notes.approximated("No schedule is connected; 20 steps of simple are used.")
            return blank
        if node.type == "SplitSigmas":
            whole = self._sigmas(node.link("sigmas"), depth + 1)
            cut = whole.start + max(0, reader.integer(node, "step", 0))
            return replace(whole, end=min(whole.end, cut)) if link.slot == 0 else replace(whole, start=cut)
        if node.type == "SplitSigmasDenoise":
            whole = self._sigmas(node.link("sigmas"), depth + 1)
            share = min(max(reader.number(node, "denoise", 1.0), 0.0), 1.0)
            cut = whole.last - round(whole.run * share)
            return replace(whole, end=cut) if link.slot == 0 else replace(whole, start=cut)
        steps = self.steps(node, 20)
        if node.type == "BasicScheduler":
            name = self._scheduler(reader.text(node, "scheduler", "simple"), node)
            denoise = reader.number(node, "denoise", 1.0)
            return replace(blank, model=node.link("model"), total=steps, scheduler=name, denoise=denoise)
        if node.type in _SIGMA_NODES:
            name = _SIGMA_NODES[node.type]
            if name == "beta" and all(reader.number(node, one, 0.6) == 0.6 for one in ("alpha", "beta")):
                return replace(blank, model=node.link("model"), total=steps, scheduler=name)
            self._notes.approximated(
                f"{node.label} sets its sigmas by numbers of its own; Laterna's {name} takes the model's range."
            )
            return replace(blank, total=steps, scheduler=name, denoise=reader.number(node, "denoise", 1.0))
        through = node.link("sigmas")
        if through is not None:
            self._notes.ignored(f"{node.label} changes the schedule in a way that Laterna does not know.")
            return self._sigmas(through, depth + 1)
        self._notes.approximated(f"{node.label} makes a schedule that Laterna does not know; simple is used.")
        return replace(blank, total=steps)

    def steps(self, node: Node, default: int) -> int:
        steps = self._reader.integer(node, "steps", default)
        if not 1 <= steps <= MAX_STEPS:
            kept = min(max(steps, 1), MAX_STEPS)
            self._notes.approximated(f"{node.label} asks for {shown(steps)} steps; {kept} are taken.")
            return kept
        return steps

    def _names(self, node: Node) -> tuple[str, str]:
        sampler = self.sampler(self._reader.text(node, "sampler_name", "euler"), node)
        return sampler, self._scheduler(self._reader.text(node, "scheduler", "normal"), node)

    def sampler(self, name: str, node: Node) -> str:
        found = find_sampler(name)
        if found is None:
            self._notes.approximated(
                f"{node.label} names a sampler “{shown(name)}” that Laterna does not know; euler it is."
            )
            return "euler"
        if not found.exact:
            self._notes.approximated(f"Laterna has no {shown(name)}; {found.sampler} is its nearest relative.")
        return found.sampler

    def _scheduler(self, name: str, node: Node) -> str:
        found = find_scheduler(name)
        if not found:
            self._notes.approximated(
                f"{node.label} names a scheduler “{shown(name)}” that Laterna does not know; simple it is."
            )
        return found or "simple"
