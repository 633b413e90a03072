"""Weights in fewer bits than the arithmetic: in 8 bits because the recipe says so, float8 and ggml blocks as files have
them. Streamed from anywhere they give the bits of a network that is all there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.models.catalog import MINI_IMAGE
from engine.models.imports import recognise, register
from engine.models.installed import open_folder
from engine.models.reading.component import weighted
from engine.models.store import Store
from engine.protocol.recipe import Recipe
from engine.training.evaluate import evaluate, held_out_scenes
from engine.training.runs import mini_image
from engine.worker.residency import networks
from engine.worker.residency.live_bytes import LiveStorages
from engine.worker.residency.placing import Placing
from engine.worker.residency.reduced import EightBitLinear, ReducedLinear, quantise
from engine.worker.residency.residency import FreeMemory, ModelResidency, Residency, from_weights_alone
from engine.worker.residency.skeleton import build_skeleton
from engine.worker.residency.stretches import find_stretches
from engine.worker.runner import Runner
from engine.worker.single_file.quantised import QuantisedLinear
from tests.engine.worker.adapters.test_adapters import make as make_with_loras
from tests.engine.worker.adapters.test_adapters import peft
from tests.engine.worker.conftest import Driver, cogvideox, sd35
from tests.fakes import single_files as layouts

CPU = torch.device("cpu")
FP32, BF16 = torch.float32, torch.bfloat16
PLACES = ("device", "stage", "blocks", "disk")
FOLDER = Path(__file__).resolve().parents[4] / "resources" / "models" / MINI_IMAGE


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Driver]:
    """``placed(place)`` is an engine whose parts all lie there."""

    def find(place: str) -> Driver:
        def elsewhere(*arguments: Any) -> ModelResidency:
            plan = from_weights_alone(*arguments)
            return replace(plan, parts={name: replace(part, place=place) for name, part in plan.parts.items()})

        monkeypatch.setattr("engine.worker.residency.memory_manager.place", lambda *_: Placing(None, True))
        monkeypatch.setattr("engine.worker.residency.memory_manager.from_weights_alone", elsewhere)
        return Driver(Runner(device=CPU))

    return find


def layers(driver: Driver, model: Path, recipe: Recipe, part: str, kind: type) -> int:
    """How many layers of ``kind`` a part has."""
    opened = driver.runner.open(model, recipe)
    opened.load([part])
    with opened.use(part) as parts:
        return sum(isinstance(module, kind) for module in parts[part].modules())


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 40),
    size=st.sampled_from([1e-20, 1e-3, 1.0, 1e4]),
    seed=st.integers(0, 99),
)
def test_eight_bits_are_within_half_a_step_of_the_weight(rows: int, columns: int, size: float, seed: int) -> None:
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * size
    weight[0] = 0
    kept, scale = quantise(weight)
    assert kept.dtype == torch.int8 and scale.shape == (rows, 1) and torch.isfinite(scale).all()
    assert ((kept * scale - weight).abs() <= scale * 0.5001).all()
    assert torch.equal(kept[0], torch.zeros(columns, dtype=torch.int8))


@pytest.mark.parametrize(("variant", "recipe"), [("sd35-medium", sd35()), ("cogvideox-5b", cogvideox(sampler="dpm"))])
@pytest.mark.parametrize("stored", [FP32, BF16])
def test_eight_bits_change_little_and_the_same_everywhere(variant, recipe, stored, tiny, placed) -> None:
    model, eight = tiny(variant, stored), recipe.replace(weights="int8")
    exact = placed("device").make(model, recipe).latents
    made = [placed(place).make(model, eight) for place in PLACES]
    assert 0 < (made[0].latents - exact).norm() / exact.norm() < 0.02
    assert all(torch.equal(one.frames, made[0].frames) and torch.equal(one.latents, made[0].latents) for one in made)


def test_only_layers_within_blocks_of_transformers_and_t5s_are_in_eight_bits(tiny, placed) -> None:
    driver, model, recipe = placed("device"), tiny("sd35-medium"), sd35(weights="int8")
    names = driver.runner.open(model).residency.parts
    found = {name: layers(driver, model, recipe, name, EightBitLinear) for name in names}
    assert found["transformer"] == 4 * 14 + 2 * 4 - 3 and found["text_encoder_3"] == 2 * 7, found
    assert not found["text_encoder"] and not found["text_encoder_2"] and not found["vae"]


def test_a_plan_in_eight_bits_is_the_recipes_wish_alone(tiny) -> None:
    """Whatever memory there is, down to what takes the model from the disk; the ladder stays among such plans too."""
    model = tiny("sd35-large")
    for free in (2**30, 2**36):
        runner = Runner(device=CPU, free=lambda device, free=free: FreeMemory(device, free))
        for recipe in (sd35(), sd35(weights="int8")):
            family = runner.open(model, recipe).family
            residency, placing = runner.memory.residency(recipe, family, runner.open(model, recipe).folder)
            assert residency.parts["transformer"].weights == recipe.weights == residency.plan.weights
            assert {lower.weights for lower in placing.every()} == {recipe.weights}
            assert ("weights" in residency.plan.changes) == (recipe.weights == "int8")


def test_a_checkpoint_and_an_encoding_know_the_weights(tiny, placed) -> None:
    driver, model = placed("device"), tiny("sd35-large")
    facts = [driver.runner.open(model, sd35(weights=kind)).residency.pixel_facts() for kind in ("native", "int8")]
    assert facts[0] != facts[1] and facts[0]["vae"] == facts[1]["vae"]


class OnHost(TorchDispatchMode):
    """Counts what lies in memory, unlike tensors on the meta device."""

    def __init__(self) -> None:
        super().__init__()
        self.storages = LiveStorages()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(output):
            if isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu":
                self.storages.follow(tensor)
        return output


def test_loading_in_eight_bits_holds_no_second_copy(tmp_path: Path) -> None:
    """At its peak: what is kept, and one layer in the file's dtype and three times in float32."""
    from diffusers import SD3Transformer2DModel

    with torch.device("cpu"):
        SD3Transformer2DModel(
            num_layers=6, attention_head_dim=64, num_attention_heads=4, joint_attention_dim=256,
            caption_projection_dim=256, pooled_projection_dim=64, pos_embed_max_size=16,
        ).to(BF16).save_pretrained(tmp_path)  # fmt: skip
    part = weighted("transformer", tmp_path)
    with OnHost() as counter:
        network, _ = build_skeleton(
            SD3Transformer2DModel, part, find_stretches(part), Residency(BF16, BF16, weights="int8"), whole=True
        )
    kept = sum(weight.nbytes for weight in (*network.parameters(), *network.buffers()))
    stored = part.stored_bytes
    largest = max(layer.weight.numel() for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    assert kept < 0.6 * stored
    assert counter.storages.peak <= kept + largest * (2 + 3 * 4)
    assert counter.storages.peak < stored


def test_the_shipped_model_still_draws_what_it_is_told() -> None:
    """Judged by the template scorer that it was trained with."""
    driver = Driver(Runner(device=CPU))
    pairs = held_out_scenes(mini_image().domain, 8)
    recipe = open_folder(FOLDER).info.recipe("", weights="int8", steps=12)

    def draw(prompts: list[str], seed: int) -> np.ndarray:
        made = [
            driver.make(FOLDER, recipe.replace(prompt=prompt, seed=seed + i), preview_interval=-1.0).frames[0, 0]
            for i, prompt in enumerate(prompts)
        ]
        return np.stack([picture.numpy() for picture in made]).astype(np.float32) / 255

    report, _ = evaluate(pairs, draw)
    assert report["all"] >= 0.9, report


def test_a_lora_on_weights_that_come_block_by_block(tiny, placed, tmp_path: Path) -> None:
    """The same bits as on a network that is all there, in either form of weights, and gone with the job."""
    folder, path = tiny("sd35-large", BF16), peft(tmp_path / "a.safetensors")
    for weights in ("native", "int8"):
        plain = make_with_loras(placed("device"), folder, weights=weights)
        wanted = make_with_loras(placed("device"), folder, path, weights=weights)
        assert not torch.allclose(plain, wanted, atol=1e-3)
        for place in ("blocks", "disk"):
            driver = placed(place)
            assert torch.equal(make_with_loras(driver, folder, path, weights=weights), wanted)
            assert torch.equal(make_with_loras(driver, folder, weights=weights), plain)


# --- files whose weights have few bits


@pytest.fixture(scope="module", params=["large", "medium"])
def slim(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp(request.param) / "sd3.5"
    return layouts.save_slim_sd35(place, medium=request.param == "medium")


def imported(tmp_path: Path, slim: Path, file: Path) -> Path:
    store = Store(tmp_path / "models")
    register(store, recognise(slim)[0], "whole")
    return register(store, recognise(file)[0], "single")


def float8(slim: Path, path: Path, is_scaled: bool) -> Path:
    """The transformer as ComfyUI's fp8 files have it."""
    small = {}
    for name, tensor in layouts.original_transformer(layouts.component(slim, "transformer")).items():
        is_large = tensor.ndim == 2
        scale = tensor.abs().max() / 400 if is_scaled else torch.tensor(1.0)
        small[name] = (tensor / scale).to(torch.float8_e4m3fn) if is_large else tensor.to(torch.float16)
        if is_large and is_scaled:
            small[name.replace(".weight", ".scale_weight")] = scale.reshape(1)
    return layouts.save_tensors(path, small)


FILES: dict[str, Callable[[Path, Path], Path]] = {
    "Q8_0": lambda slim, place: layouts.gguf_transformer(slim, place / "tiny-Q8_0.gguf", "Q8_0"),
    "Q4_0": lambda slim, place: layouts.gguf_transformer(slim, place / "tiny-Q4_0.gguf", "Q4_0"),
    "F16": lambda slim, place: layouts.gguf_transformer(slim, place / "tiny-F16.gguf", "F16"),
    "float8": lambda slim, place: float8(slim, place / "tiny_fp8.safetensors", False),
    "float8 with scales": lambda slim, place: float8(slim, place / "tiny_fp8_scaled.safetensors", True),
    "all in one": lambda slim, place: layouts.all_in_one(slim, place / "tiny.safetensors"),
}


@pytest.mark.parametrize("kind", FILES)
def test_single_files_stream_with_the_same_bits(kind: str, slim: Path, placed, tmp_path: Path) -> None:
    model = imported(tmp_path, slim, FILES[kind](slim, tmp_path))
    recipe = sd35(steps=2, negative_prompt="blurry")
    wanted = placed("device").make(model, recipe).latents
    for place in PLACES[1:]:
        assert torch.equal(placed(place).make(model, recipe).latents, wanted), place
    count = layers(placed("device"), model, recipe, "transformer", ReducedLinear)
    assert (count > 20) == (kind not in ("F16", "all in one"))


def test_float8_weights_are_those_of_the_file_and_stay_in_eight_bits(slim: Path, placed, tmp_path: Path) -> None:
    """The same bits as the file with its weights widened."""
    file = float8(slim, tmp_path / "tiny_fp8.safetensors", False)
    wide = {name: tensor.float() for name, tensor in load_file(file).items()}
    same = layouts.save_tensors(tmp_path / "wide" / "tiny.safetensors", wide)
    recipe, driver = sd35(steps=2), placed("device")
    model = imported(tmp_path / "a", slim, file)
    made = driver.make(model, recipe).latents
    assert torch.equal(made, driver.make(imported(tmp_path / "b", slim, same), recipe).latents)
    part = driver.runner.open(model).folder.parts["transformer"]
    assert part.dtype == "F8_E4M3" and part.quantised_bytes < 1.2 * part.parameters


def test_a_float8_t5_in_a_folder(tiny, placed, tmp_path: Path) -> None:
    """As “models download --precision fp8” has it. A T5 takes its layers' dtype for its activations if it can."""
    import shutil

    folder = shutil.copytree(tiny("sd35-large"), tmp_path / "small")
    (file,) = (folder / "text_encoder_3").glob("*.safetensors")
    small = {
        name: tensor.to(torch.float8_e4m3fn) if tensor.ndim == 2 and "shared" not in name else tensor
        for name, tensor in load_file(file).items()
    }
    save_file(small, file)
    wide = shutil.copytree(folder, tmp_path / "wide")
    save_file({name: t.float() for name, t in small.items()}, wide / "text_encoder_3" / file.name)
    recipe = sd35(steps=1)
    wanted = placed("device").make(wide, recipe).latents
    for place in PLACES:
        driver = placed(place)
        assert torch.equal(driver.make(folder, recipe).latents, wanted), place
    assert layers(placed("device"), folder, recipe, "text_encoder_3", EightBitLinear) == 2 * 7


def test_a_bias_and_a_table_in_ggml_blocks_are_widened_as_they_are_read(slim: Path, tmp_path: Path) -> None:
    part = driver_part(slim, tmp_path)
    network, _ = build_skeleton(diffusers_class(), part, find_stretches(part), Residency(FP32, FP32), whole=True)
    kinds = {name: module for name, module in network.named_modules() if isinstance(module, QuantisedLinear)}
    assert kinds and all(module.weight.dtype == torch.int8 for module in kinds.values())
    assert all(w.dtype in (FP32, torch.int8) for w in network.parameters())
    assert not networks.blocks_of(network)[0].norm1.linear.weight.is_floating_point()


def driver_part(slim: Path, tmp_path: Path) -> Any:
    model = imported(tmp_path, slim, layouts.gguf_transformer(slim, tmp_path / "tiny-Q8_0.gguf", "Q8_0"))
    return Runner(device=CPU).open(model).folder.parts["transformer"]


def diffusers_class() -> Any:
    from diffusers import SD3Transformer2DModel

    return SD3Transformer2DModel
