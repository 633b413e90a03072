"""What the window and the command line know of a third family: catalogue, files, plan, forecast, downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.families.base import Family
from engine.memory.footprints import Footprints
from engine.memory.forecast import Forecaster, plans_for
from engine.memory.inventory import from_folder, has_unknown, networks_of, published
from engine.memory.machine import Machine
from engine.memory.shapes import shape_of
from engine.models.catalog import FAMILIES, MODELS
from engine.models.imports import recognise, register
from engine.models.installed import find_installed, open_folder, resolve
from engine.models.lora_facts import lora_facts
from engine.models.reading.model_folder import read_model
from engine.models.recognise import recognise_file
from engine.models.states import cards
from engine.models.store import Store
from engine.prompt.tokens import Rules, TokenCounter
from engine.protocol.errors import BadArguments, BadFile, BadRecipe
from engine.protocol.recipe import Recipe
from engine.training.objectives import objective
from engine.worker.residency.simulate import footprint
from tests.fakes.loras import write_tensors
from tests.fakes.third_family import HIGH, LOW
from tests.fakes.third_family.saved import save_files, save_folder

GIB = 2**30


@pytest.fixture(scope="session")
def twofold_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In single files, with a T5 as wide as T5 XXL, by which it is known."""
    root = tmp_path_factory.mktemp("people")
    return save_files(root / "files", save_folder(root / "whole", text_dim=4096))


def test_nothing_of_it_is_left_behind() -> None:
    assert "twofold" not in FAMILIES
    assert "twofold-one" not in MODELS


def test_the_catalogue_has_it(twofold: Family, tmp_path: Path) -> None:
    assert FAMILIES["twofold"].name == "Twofold"
    card = next(card for card in cards(Store(tmp_path)) if card.id == "twofold-one")
    assert card.licence == "apache-2.0"
    assert card.licence_line == "Free for any use."
    assert MODELS["twofold-one"].recipe("x").guidance == 3.5


def test_a_folder_is_recognised(twofold: Family, twofold_folder: Path) -> None:
    model = open_folder(twofold_folder)
    assert model.info.family == "twofold"
    model.check(model.info.recipe("an apple"))
    with pytest.raises(BadRecipe):
        model.check(model.info.recipe("an apple", sampler="lms"))
    assert [found.info.family for found in find_installed([twofold_folder.parent])] == ["twofold"]


def test_single_files_are_told_by_their_names_and_put_together(
    twofold: Family, twofold_files: Path, tmp_path: Path
) -> None:
    high = recognise_file(twofold_files / "twofold_high_noise.safetensors")
    low = recognise_file(twofold_files / "twofold_low_noise.safetensors")
    assert (high.model, [part.kind for part in high.parts]) == ("twofold-one", ["twofold_high"])
    assert (low.model, [part.kind for part in low.parts]) == ("", ["twofold_low"])
    (found,) = recognise(twofold_files)
    assert {part.name for part in found.parts} == {HIGH, LOW, "vae", "text_encoder", "tokenizer"}
    assert found.missing == ()
    store = Store(tmp_path / "models")
    folder = register(store, found)
    model = resolve(folder.name, [store.root])
    assert model.info.family == "twofold"


def test_an_import_that_lacks_its_second_transformer_says_so(twofold: Family, twofold_files: Path) -> None:
    (found,) = recognise(twofold_files / "twofold_high_noise.safetensors")
    assert LOW in found.missing
    with pytest.raises(BadFile, match="low noise transformer alone"):
        recognise(twofold_files / "twofold_low_noise.safetensors")


def test_a_lora_is_told(twofold: Family, tmp_path: Path) -> None:
    name = "diffusion_model.blocks.0.mixer.qkv"
    path = write_tensors(
        tmp_path / "ink.safetensors", {f"{name}.lora_A.weight": (4, 32), f"{name}.lora_B.weight": (96, 4)}
    )
    facts = lora_facts(path)
    assert (facts.family, facts.width, facts.rank, facts.is_strange) == ("twofold", 32, 4, False)


def machine(device_gib: float = 24.0, host_gib: float = 64.0) -> Machine:
    return Machine("cuda", int(host_gib * GIB), int(host_gib * GIB), int(device_gib * GIB), int(device_gib * GIB))


def test_a_plan_counts_both_transformers_and_one_pass(
    twofold: Family, twofold_folder: Path, twofold_footprints: Path
) -> None:
    components = from_folder(twofold_folder, Footprints(twofold_footprints))
    assert [part.name for part in components.of("denoiser")] == [HIGH, LOW]
    recipe = MODELS["twofold-one"].recipe("an apple")
    shape = shape_of(recipe, components.denoiser_config, components.vae_config)
    assert (shape.passes, shape.prompts, shape.tokens) == (1.0, 1, 16)
    assert dict(shape.turns) == pytest.approx({HIGH: 2 / 6, LOW: 4 / 6})
    weights = sum(part.weights(4) for part in components.of("denoiser"))
    found = plans_for(recipe, components, machine(), every=True)
    stay = next(plan for plan in found if plan.strategy == "resident")
    by_stage = next(plan for plan in found if plan.transformer == "stage" and plan.text == plan.vae == "device")
    denoising = {plan: next(one for one in plan.stages if one.stage == "denoising").device for plan in (stay, by_stage)}
    assert denoising[stay] - denoising[by_stage] == weights // 2, "one at a time is on the device"


def test_steps_that_both_share_are_counted_by_turns(
    twofold: Family, twofold_folder: Path, twofold_footprints: Path
) -> None:
    """Both are equal, so that any split takes the time of one model."""
    components = from_folder(twofold_folder, Footprints(twofold_footprints))

    def seconds(recipe: Recipe) -> float:
        plan = plans_for(recipe, components, machine())[0]
        return next(one for one in plan.stages if one.stage == "denoising").seconds

    recipe = MODELS["twofold-one"].recipe("an apple")
    assert seconds(recipe.replace(shift=6.0)) == pytest.approx(seconds(recipe))
    assert seconds(recipe.replace(steps=12)) == pytest.approx(2 * seconds(recipe))
    assert seconds(recipe.replace(guidance=9.0)) == pytest.approx(seconds(recipe))


def test_a_forecast_before_and_after_it_is_here(
    twofold: Family, twofold_folder: Path, twofold_footprints: Path
) -> None:
    footprints = Footprints(twofold_footprints)
    recipe = MODELS["twofold-one"].recipe("an apple")
    for components in (from_folder(twofold_folder, footprints), published("twofold-one", footprints)):
        told = Forecaster().forecast(recipe, components, twofold.info, machine())
        assert told.level == "fits"
        assert told.plan is not None
        assert told.seconds > 0


def test_a_forecast_of_single_files(twofold: Family, twofold_files: Path, tmp_path: Path) -> None:
    """What is not known of them yet is simulated, as the window has it done."""
    (found,) = recognise(twofold_files)
    folder = register(Store(tmp_path / "models"), found)
    footprints = Footprints(tmp_path / "footprints")
    assert has_unknown(folder, footprints)
    for _name, cls, config in networks_of(folder):
        if footprints.find(cls, config) is None:
            footprints.keep(footprint(cls, config))
    assert not has_unknown(folder, footprints)
    components = from_folder(folder, footprints)
    assert {part.name for part in components.of("denoiser")} == {HIGH, LOW}
    told = Forecaster().forecast(MODELS["twofold-one"].recipe("x"), components, twofold.info, machine())
    assert told.plan is not None


def test_its_tokens_are_counted(twofold: Family, twofold_folder: Path) -> None:
    (count,) = TokenCounter(twofold_folder, twofold.info).count("a red apple", Rules(max_sequence_length=3))
    assert (count.encoder, count.tokens, count.limit, count.cut) == ("T5", 3, 2, len("a red "))


def test_what_cannot_be_trained_says_so(twofold: Family, twofold_folder: Path) -> None:
    with pytest.raises(BadArguments, match="Twofold"):
        objective("twofold", read_model(twofold_folder, "twofold"))
