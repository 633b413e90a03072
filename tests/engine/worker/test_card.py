"""Real-size models on a card that is not there: the engine's own placement runs, and predictions hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.memory.components import Components
from engine.memory.forecast import plans_for
from engine.memory.inventory import published
from engine.memory.machine import imagined
from engine.memory.plan import EVERYTHING, Abilities, Plan
from engine.memory.planner import first_fitting
from engine.memory.published import MODELS as PUBLISHED
from engine.memory.published import NETWORKS
from engine.memory.shapes import Shape, shape_of
from engine.models.catalog import MODELS
from engine.worker import families
from engine.worker.cancel import Cancellation
from engine.worker.memory import networks
from engine.worker.memory.card import CARD, Card, simulated_card
from engine.worker.memory.plan import Plan as WorkerPlan
from engine.worker.memory.plan import carry_out
from engine.worker.model_folder import ModelFolder, Part
from engine.worker.models import Model

GIB = 2**30
TESTED = ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "cogvideox-2b", "cogvideox-5b")
CARDS = (6, 8, 12, 16, 24)
WHOLE = Abilities(("device", "host", "stage"))
STREAMING = Abilities(("device", "host", "blocks"))
"""Where whole parts do not fit; blocks come through the suite's own stand-in, since fake weights cannot be swapped."""


class PublishedModel(Model):
    """A model whose weights are fake: only reading the files is replaced, placing and releasing are the engine's."""

    def _read(self, spec: Any) -> Any:
        return placed(self.folder.path.name, spec.name, self.plan.parts[spec.name].storage)


@cache
def parts(model: str) -> Components:
    return published(model)


def shape(model: str) -> Shape:
    components = parts(model)
    return shape_of(MODELS[model].recipe("x"), components.transformer_config, components.vae_config)


def folder(model: str) -> ModelFolder:
    path = Path(model)
    index = {part.name: ["", NETWORKS[part.network][0]] for part in PUBLISHED[model]}
    found = {}
    for part in PUBLISHED[model]:
        size = next(entry for entry in parts(model).parts if entry.name == part.name).footprint.parameters
        config = NETWORKS[part.network][1]
        found[part.name] = Part(part.name, path, config, (path,), None, part.precision, size)
    return ModelFolder(path, index, found)


@cache
def built(network: str, dtype: torch.dtype) -> nn.Module:
    """Made once: it takes longer than the rest. Tiles are not blended: that is done in place, and is slow here."""
    made = networks.build(*NETWORKS[network], dtype)
    if "vae" in network:
        made.blend_v = made.blend_h = lambda one, other, extent: other
    return made


def placed(model: str, name: str, dtype: torch.dtype) -> nn.Module:
    """The network of a component in host memory, with weights of its own."""
    network = built(next(part.network for part in PUBLISHED[model] if part.name == name), dtype)
    networks.place(network)
    return network


def opened(model: str, plan: WorkerPlan | Plan) -> PublishedModel:
    family = families.get(MODELS[model].family)
    of_model = folder(model)
    if isinstance(plan, Plan):
        plan = carry_out(plan, of_model, CARD, False, family.device_dtype, torch.device("cuda"))
    made = PublishedModel(of_model, family, plan, Cancellation())
    made._identities |= {name: (model, name) for name in of_model.parts}  # there are no files
    return made


def encode(model: str) -> Callable[[dict[str, Any]], Any]:
    def call(used: dict[str, Any]) -> None:
        for network in used.values():
            networks.call_text(network, 77 if "CLIP" in type(network).__name__ else shape(model).encoded)

    return call


def denoise(model: str, batch: int) -> Callable[[dict[str, Any]], Any]:
    wanted = shape(model)
    config = parts(model).transformer_config
    frames = (wanted.frames - 1) // 4 + 1

    def call(used: dict[str, Any]) -> None:
        size = (frames, wanted.height, wanted.width)
        networks.call_transformer(used["transformer"], config, batch, size, wanted.text)

    return call


def decode(model: str, tile: tuple[int, int] | None) -> Callable[[dict[str, Any]], Any]:
    wanted = shape(model)

    def call(used: dict[str, Any]) -> None:
        with networks.tiles(used["vae"], tile):
            networks.decode(used["vae"], 1, wanted.frames, wanted.height, wanted.width)

    return call


@cache
def simulated(model: str, plan: Plan, capacity: int) -> tuple[int, ...]:
    """The peaks of the three stages on a card of ``capacity`` bytes."""
    batch = 2 if shape(model).passes >= 2 else 1
    text = [part.name for part in parts(model).of("text")]
    stages = (
        (text, encode(model)),
        (["transformer"], denoise(model, batch)),
        (["vae"], decode(model, plan.decoding.tile)),
    )
    peaks = []
    with simulated_card(capacity) as card:
        if plan.can_run(WHOLE):
            loaded = opened(model, plan)
            for names, _ in stages:  # what an earlier job left on the card
                if all(loaded.plan.parts[name].place == "device" for name in names):
                    loaded.load(names)
                    with loaded.use(*names):
                        pass
            for names, call in stages:
                loaded.load(names)
                card.reset_peak()
                with loaded.use(*names) as used, CARD:
                    call(used)
                peaks.append(card.peak)
        else:
            peaks = _streamed(card, model, plan, stages)
    return tuple(peaks)


def _streamed(card: Card, model: str, plan: Plan, stages: Any) -> list[int]:
    places = (plan.text, plan.transformer, plan.vae)
    kept = []
    for (names, _), place in zip(stages, places, strict=True):
        parts_of_stage = {name: placed(model, name, torch.bfloat16) for name in names}
        if place == "device":
            for network in parts_of_stage.values():
                network.to(CARD)
        kept.append(parts_of_stage)
    peaks = []
    for (_, call), place, used in zip(stages, places, kept, strict=True):
        card.reset_peak()
        with _on_card(used, place), CARD:
            call(used)
        peaks.append(card.peak)
    return peaks


@contextmanager
def _on_card(used: dict[str, nn.Module], place: str) -> Iterator[None]:
    """As the planner describes ``host`` and ``blocks``: the next block is on its way while one computes."""
    handles = []
    for network in used.values():
        blocks = networks.blocks_of(network) if place == "blocks" else []
        if not blocks:
            network.to(CARD)
            continue
        inside = {id(tensor) for block in blocks for tensor in (*block.parameters(), *block.buffers())}
        networks.replace_tensors(
            network, lambda tensor, inside=inside: tensor if id(tensor) in inside else tensor.to(CARD)
        )
        blocks[0].to(CARD)
        for i, block in enumerate(blocks):

            def before(module: Any, inputs: Any, i: int = i, blocks: list[nn.Module] = blocks) -> None:
                if i + 1 < len(blocks):
                    blocks[i + 1].to(CARD)

            def after(module: Any, inputs: Any, output: Any) -> None:
                module.to("cpu")

            handles += [block.register_forward_pre_hook(before), block.register_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        if place != "device":
            for network in used.values():
                network.to("cpu")


def chosen(model: str, gib: float, abilities: Abilities) -> Plan | None:
    machine = imagined(gib, 64)
    return first_fitting(plans_for(MODELS[model].recipe("x"), parts(model), machine, abilities=abilities), machine)


@pytest.mark.parametrize("model", TESTED)
@pytest.mark.parametrize("gib", CARDS)
def test_no_plan_exceeds_its_card_and_predictions_hold(model: str, gib: int) -> None:
    plan = chosen(model, gib, WHOLE) or chosen(model, gib, STREAMING)
    assert plan is not None
    peaks = simulated(model, plan, 24 * GIB)
    assert max(peaks) <= imagined(gib, 64).device_limit
    for stage, peak in zip(plan.stages, peaks, strict=True):
        assert stage.device == pytest.approx(peak, rel=0.05), stage.stage


def test_a_card_that_is_too_small_runs_out_as_cuda_does() -> None:
    plan = chosen("sd3.5-medium", 24, WHOLE)
    assert plan is not None
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        simulated("sd3.5-medium", plan, 6 * GIB)
    with simulated_card(GIB) as card:
        held = torch.empty(GIB // 4, dtype=torch.int16, device=CARD)
        assert card.live == GIB // 2
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(GIB, dtype=torch.int16, device=CARD)
        del held
        assert card.live == 0
        torch.empty(GIB // 4, dtype=torch.int16, device=CARD)


def test_the_largest_plan_is_never_chosen_for_a_small_card() -> None:
    resident = chosen("sd3.5-large", 80, EVERYTHING)
    assert resident is not None and resident.strategy == "resident"
    assert chosen("sd3.5-large", 16, WHOLE) is None  # 15.7 GiB of it are the transformer
