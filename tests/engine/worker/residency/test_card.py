"""Real-size models on a card that is not there: the engine's own placement and streaming run, and predictions hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.families.registry import NETWORKS, PUBLISHED
from engine.memory.forecast import plans_for
from engine.memory.inventory import published
from engine.memory.machine import imagined
from engine.memory.plan import ENGINE, MemoryPlan, Placement, StageName
from engine.memory.planned_model import PlannedComponent, PlannedModel
from engine.memory.planner import first_fitting
from engine.memory.shapes import Shape, shape_of
from engine.models.catalog import MODELS
from engine.models.reading.component import Component, ModelFolder
from engine.protocol.recipe import Recipe
from engine.worker import pipelines
from engine.worker.cancel import Cancellation
from engine.worker.loaded_model import Model
from engine.worker.residency import networks
from engine.worker.residency.card import CARD, simulated_card
from engine.worker.residency.reads import reads_for
from engine.worker.residency.residency import Residency, carry_out
from engine.worker.residency.streaming import Streamed
from engine.worker.single_file.tensors import Stretch

GIB = 2**30
TESTED = ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "cogvideox-2b", "cogvideox-5b")
CARDS = (6, 8, 12, 16, 24)
STAGES: tuple[StageName, ...] = ("encoding", "denoising", "decoding")
Q8_0 = 34 / 32
"""Bytes for each weight."""


class Nowhere:
    """Weights that need not come from anywhere."""

    def read_into(self, name: str, target: torch.Tensor) -> None:
        """They are fake."""

    def close(self) -> None:
        """Nothing is open."""


class PublishedModel(Model):
    """A model whose weights are fake: only reading the files is replaced. Placing, streaming, releasing and the layers
    that keep fewer bits are the engine's."""

    def _read(self, spec: Any) -> Any:
        plan, part = self.residency.parts[spec.name], self.folder.parts[spec.name]
        network = placed(self.folder.path.name, part, plan)
        return Streamed(network, Nowhere()) if plan.place == "disk" and networks.blocks_of(network) else network


@cache
def parts(model: str, quantised: str = "") -> PlannedModel:
    """``quantised``: the ggml type of the transformer."""
    found = published(model)
    if not quantised:
        return found
    (transformer,) = found.of("denoiser")
    size = int(transformer.footprint.parameters * Q8_0)
    reduced = PlannedComponent("transformer", transformer.footprint, size, quantised)
    others = tuple(part for part in found.parts if part.name != "transformer")
    return PlannedModel(model, found.family, (*others, reduced), found.denoiser_config, found.vae_config)


def recipe_of(model: str, weights: str = "native") -> Recipe:
    return MODELS[model].recipe("x", weights=weights)


def shape(model: str) -> Shape:
    components = parts(model)
    return shape_of(recipe_of(model), components.denoiser_config, components.vae_config)


def folder(model: str, quantised: str) -> ModelFolder:
    path = Path(model)
    index = {part.name: ["", NETWORKS[part.network][0]] for part in PUBLISHED[model]}
    found = {}
    for part in PUBLISHED[model]:
        known = next(entry for entry in parts(model, quantised).parts if entry.name == part.name)
        cls, config = NETWORKS[part.network]
        config = config | ({"model_type": "t5"} if cls == "T5EncoderModel" else {})
        size = known.stored if known.is_reduced else 0
        parameters = known.footprint.parameters
        found[part.name] = Component(
            part.name, path, config, (path,), None, known.precision, parameters, quantised_bytes=size
        )
    return ModelFolder(path, index, found)


@cache
def built(network: str, dtype: torch.dtype, kind: str) -> nn.Module:
    """Made once: it takes longer than the rest. ``kind``: int8, a ggml type, or "" for plain weights. Tiles are not
    blended: that is done in place, and is slow here."""
    made = networks.build(*NETWORKS[network], dtype)
    if "vae" in network:
        made.blend_v = made.blend_h = lambda one, other, extent: other
    if kind:
        type, stored = ("", dtype) if kind == "int8" else (kind, torch.uint8)
        blocks = {id(module) for block in networks.blocks_of(made) for module in block.modules()}
        lies = {
            f"{name}.weight": Stretch(Path(), 0, stored, tuple(layer.weight.shape), type=type)
            for name, layer in made.named_modules()
            if isinstance(layer, nn.Linear) and id(layer) in blocks
        }
        plan = Residency(dtype, dtype, weights="int8" if kind == "int8" else "native")
        reads_for(made, Component("transformer", Path(), {}), lies, plan)
    return made


def placed(model: str, part: Component, plan: Residency) -> nn.Module:
    """The network of a component in host memory, with weights of its own."""
    name = next(entry.network for entry in PUBLISHED[model] if entry.name == part.name)
    kind = part.dtype if part.quantised_bytes else plan.weights.removeprefix("native")
    network = built(name, plan.storage, kind)
    for module in network.modules():  # those of an earlier use
        for hooks in (module._forward_pre_hooks, module._forward_hooks, module._forward_hooks_always_called):
            hooks.clear()
    networks.place(network)
    return network


def opened(model: str, plan: MemoryPlan, quantised: str = "") -> PublishedModel:
    family = pipelines.get(MODELS[model].family)
    of_model = folder(model, quantised)
    carried = carry_out(plan, of_model, CARD, False, family.device_dtype, torch.device("cuda"))
    made = PublishedModel(of_model, family, carried, Cancellation())
    made._identities |= {name: (model, name) for name in of_model.parts}  # there are no files
    return made


def stage_parts(model: str, stage: StageName) -> list[str]:
    kind = {"encoding": "text", "denoising": "denoiser", "decoding": "vae"}[stage]
    return [part.name for part in parts(model).of(kind)]


def call_of(model: str, plan: MemoryPlan, stage: StageName) -> tuple[Any, Callable[[dict[str, Any]], Any]]:
    """What the stage does with its networks, and what decides how much memory that takes."""
    wanted = shape(model)

    def encode(used: dict[str, Any]) -> None:
        for network in used.values():
            networks.call_text(network, 77 if "CLIP" in type(network).__name__ else wanted.encoded)

    size = ((wanted.frames - 1) // 4 + 1, wanted.height, wanted.width)
    batch = 2 if wanted.passes >= 2 and plan.batched else 1

    def denoise(used: dict[str, Any]) -> None:
        config = parts(model).denoiser_config
        networks.call_denoiser(used["transformer"], config, batch, size, wanted.text)

    def decode(used: dict[str, Any]) -> None:
        with networks.tiles(used["vae"], plan.decoding.tile):
            networks.decode(used["vae"], 1, wanted.frames, wanted.height, wanted.width)

    if stage == "encoding":
        return wanted.encoded, encode
    return ((batch, size, wanted.text), denoise) if stage == "denoising" else ((plan.decoding.tile, size), decode)


_activations: dict[Any, int] = {}


def activations(model: str, plan: MemoryPlan, stage: StageName, quantised: str) -> int:
    """Bytes that the stage takes above what lies on the card when it begins, by running it there. Run once for all
    models and cards on which the same networks are called in the same way: what else lies there is added, no more."""
    facts, call = call_of(model, plan, stage)
    names = stage_parts(model, stage)
    used_networks = tuple(entry.network for entry in PUBLISHED[model] if entry.name in names)
    place = {"encoding": plan.text, "denoising": plan.transformer, "decoding": plan.vae}[stage]
    kinds = {"encoding": plan.weights, "denoising": plan.weights + quantised, "decoding": ""}
    key = (used_networks, place in ("blocks", "disk"), kinds[stage], facts)
    if key not in _activations:
        with simulated_card(80 * GIB) as card:
            loaded = opened(model, plan, quantised)
            loaded.load(names)
            with loaded.use(*names) as used, CARD:
                begin = card.live
                card.reset_peak()
                call(used)
            _activations[key] = card.peak - begin
    return _activations[key]


@cache
def simulated(model: str, plan: MemoryPlan, capacity: int = 80 * GIB, quantised: str = "") -> tuple[int, ...]:
    """The peaks of the three stages of a second job on a card of ``capacity`` bytes: every part is loaded, moved,
    streamed and let go of there as the plan says."""
    taken = {stage: activations(model, plan, stage, quantised) for stage in STAGES}
    peaks = []
    with simulated_card(capacity) as card:
        loaded = opened(model, plan, quantised)
        leave_there(loaded)
        for stage in STAGES:
            names = stage_parts(model, stage)
            loaded.load(names)
            card.reset_peak()
            with loaded.use(*names):
                peaks.append(max(card.peak, card.live + taken[stage]))
    return tuple(peaks)


def leave_there(loaded: Model) -> None:
    """What an earlier job left on the card."""
    for name, plan in loaded.residency.parts.items():
        if plan.place == "device":
            loaded.load([name])
            with loaded.use(name):
                pass


def at_once(model: str, plan: MemoryPlan, capacity: int) -> tuple[int, ...]:
    """The same with every call where its stage is."""
    peaks = []
    with simulated_card(capacity) as card:
        loaded = opened(model, plan)
        leave_there(loaded)
        for stage in STAGES:
            names = stage_parts(model, stage)
            loaded.load(names)
            card.reset_peak()
            with loaded.use(*names) as used, CARD:
                call_of(model, plan, stage)[1](used)
            peaks.append(card.peak)
    return tuple(peaks)


def chosen(model: str, gib: float, weights: str = "native", quantised: str = "") -> MemoryPlan:
    machine = imagined(gib, 64)
    found = plans_for(recipe_of(model, weights), parts(model, quantised), machine)
    plan = first_fitting(found, machine)
    assert plan is not None
    return plan


def hold(model: str, plan: MemoryPlan, gib: int, quantised: str = "") -> None:
    """No stage exceeds the card, and each takes what was predicted."""
    peaks = simulated(model, plan, quantised=quantised)
    assert max(peaks) <= imagined(gib, 64).device_limit
    for stage, peak in zip(plan.stages, peaks, strict=True):
        assert stage.device == pytest.approx(peak, rel=0.05), (stage.stage, peak / GIB)


@pytest.mark.parametrize("model", TESTED)
@pytest.mark.parametrize("gib", CARDS)
def test_no_plan_exceeds_its_card_and_predictions_hold(model: str, gib: int) -> None:
    hold(model, chosen(model, gib), gib)


@pytest.mark.parametrize("model", TESTED)
@pytest.mark.parametrize("gib", [6, 12])
def test_weights_in_eight_bits_too(model: str, gib: int) -> None:
    plan = chosen(model, gib, "int8")
    assert "weights" in plan.changes
    hold(model, plan, gib)


@pytest.mark.parametrize(("model", "gib"), [("sd3.5-large", 6), ("sd3.5-large", 12), ("sd3.5-medium", 6)])
def test_quantised_files_too(model: str, gib: int) -> None:
    hold(model, chosen(model, gib, quantised="Q8_0"), gib, "Q8_0")


@pytest.mark.parametrize(("model", "weights"), [("sd3.5-medium", "int8"), ("sd3.5-large", "native")])
def test_what_a_call_takes_is_the_same_beside_other_parts(model: str, weights: str) -> None:
    """Which allows to run each call once for many cards."""
    plan = chosen(model, 24, weights)
    assert at_once(model, plan, 24 * GIB) == simulated(model, plan, 24 * GIB)


@pytest.mark.parametrize("placement", ENGINE.placements)
def test_plans_of_every_placement_hold(placement: Placement) -> None:
    """Blocks from the disk, which no machine with so much memory chooses, too."""
    found = plans_for(recipe_of("sd3.5-medium"), parts("sd3.5-medium"), imagined(24, 64), every=True)
    plan = next(plan for plan in found if plan.text == plan.transformer == placement and plan.decoding.tile is None)
    hold("sd3.5-medium", plan, 24)


def test_a_card_that_is_too_small_runs_out_as_cuda_does() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        simulated("sd3.5-medium", chosen("sd3.5-medium", 24), 6 * GIB)
    with simulated_card(GIB) as card:
        held = torch.empty(GIB // 4, dtype=torch.int16, device=CARD)
        assert card.live == GIB // 2
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(GIB, dtype=torch.int16, device=CARD)
        del held
        assert card.live == 0
        torch.empty(GIB // 4, dtype=torch.int16, device=CARD)


def test_the_largest_plan_is_never_chosen_for_a_small_card() -> None:
    assert chosen("sd3.5-large", 80).strategy == "resident"
    assert chosen("sd3.5-large", 16).transformer == "blocks"  # whole, it is 15.7 GiB of them
    assert chosen("sd3.5-large", 12, "int8").transformer == "device"
