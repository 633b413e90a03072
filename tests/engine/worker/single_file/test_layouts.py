"""The same weights in every layout that people have them in give the same picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.models.imports import recognise, register
from engine.models.store import Store
from engine.protocol.errors import ModelDamaged, ModelMissing
from engine.worker.runner import Runner
from engine.worker.single_file.quantised import QuantisedLinear
from tests.engine.worker.conftest import Driver, sd35
from tests.fakes import single_files as layouts

RECIPE = sd35(steps=2, negative_prompt="blurry", guidance=4.0)


@pytest.fixture(scope="module", params=["large", "medium"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp(request.param) / "sd3.5"
    return layouts.save_slim_sd35(place, medium=request.param == "medium")


@pytest.fixture
def driver() -> Driver:
    return Driver(Runner(device=torch.device("cpu")))


@pytest.fixture
def store(tmp_path: Path, folder: Path) -> Store:
    """With the model itself imported, which gives what single files lack."""
    made = Store(tmp_path / "models")
    register(made, recognise(folder)[0], "whole")
    return made


def picture(driver: Driver, model: Path, **changes: Any) -> np.ndarray:
    frames: np.ndarray = driver.make(model, RECIPE.replace(**changes)).frames[0, 0].numpy()
    return frames


@pytest.fixture
def expected(driver: Driver, folder: Path) -> np.ndarray:
    return picture(driver, folder)


def imported(store: Store, path: Path) -> Path:
    (found,) = recognise(path)
    return register(store, found, "single")


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", ""])
def test_all_in_one(driver: Driver, folder: Path, store: Store, tmp_path: Path, expected: Any, prefix: str) -> None:
    file = layouts.all_in_one(folder, tmp_path / "tiny.safetensors", prefix)
    model = driver.runner.open(imported(store, file))
    assert {part.format for name, part in model.folder.parts.items() if part.weights} == {"safetensors"}
    assert np.array_equal(picture(driver, store.root / "single"), expected)


def test_transformer_alone(driver: Driver, folder: Path, store: Store, tmp_path: Path, expected: Any) -> None:
    tensors = layouts.original_transformer(layouts.component(folder, "transformer"))
    file = layouts.save_tensors(tmp_path / "tiny.safetensors", tensors)
    assert np.array_equal(picture(driver, imported(store, file)), expected)


def test_transformer_alone_with_diffusers_names(
    driver: Driver, folder: Path, store: Store, tmp_path: Path, expected: Any
) -> None:
    file = layouts.save_tensors(tmp_path / "tiny.safetensors", layouts.component(folder, "transformer"))
    assert np.array_equal(picture(driver, imported(store, file)), expected)


def test_comfyui_tree(driver: Driver, folder: Path, store: Store, tmp_path: Path, expected: Any) -> None:
    tree = layouts.comfyui_tree(folder, tmp_path / "ComfyUI" / "models")
    model = imported(store, tree)
    parts = driver.runner.open(model).folder.parts
    assert parts["vae"].weights[0].name == "sd3_vae.safetensors", "not FLUX's, which has the same shapes"
    assert np.array_equal(picture(driver, model), expected)


def test_gguf_in_half_precision(driver: Driver, folder: Path, store: Store, tmp_path: Path) -> None:
    """F16 files give what the weights rounded to F16 give."""
    rounded = {
        name: tensor.half().float() if tensor.ndim == 2 and not name.startswith("final_layer") else tensor
        for name, tensor in layouts.original_transformer(layouts.component(folder, "transformer")).items()
    }
    same = layouts.save_tensors(tmp_path / "rounded.safetensors", rounded)
    file = layouts.gguf_transformer(folder, tmp_path / "tiny-F16.gguf", "F16")
    register(store, recognise(same)[0], "rounded")
    assert np.array_equal(picture(driver, imported(store, file)), picture(driver, store.root / "rounded"))


@pytest.mark.parametrize(("type", "error"), [("Q8_0", 0.01), ("Q4_0", 0.12)])
def test_quantised_gguf(
    driver: Driver, folder: Path, store: Store, tmp_path: Path, expected: Any, type: str, error: float
) -> None:
    file = layouts.gguf_transformer(folder, tmp_path / f"tiny-{type}.gguf", type)
    model = driver.runner.open(imported(store, file))
    made = driver.make(store.root / "single", RECIPE).latents
    exact = driver.make(folder, RECIPE).latents
    assert 0 < (made - exact).norm() / exact.norm() < error
    assert model.folder.parts["transformer"].dtype == type
    loaded = driver.runner.open(store.root / "single")
    loaded.load(["transformer"])
    with loaded.use("transformer") as parts:
        network = parts["transformer"]
        assert sum(isinstance(module, QuantisedLinear) for module in network.modules()) > 20
        parameters = sum(part.parameters for part in loaded.folder.parts.values())
        assert 0 < loaded.bytes_on(loaded.residency.device) < 4 * parameters


def test_a_lora_goes_onto_quantised_weights(folder: Path, store: Store, tmp_path: Path) -> None:
    """Adapters ask for linear layers; quantised ones are."""
    assert issubclass(QuantisedLinear, torch.nn.Linear)


def test_fp8_with_scales(driver: Driver, folder: Path, store: Store, tmp_path: Path) -> None:
    """ComfyUI's fp8 files: ``weight`` times ``scale_weight``; the same products as plain weights give the same."""
    tensors = layouts.original_transformer(layouts.component(folder, "transformer"))
    scaled, products = {"scaled_fp8": torch.zeros(0, dtype=torch.float8_e4m3fn)}, {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and "blocks" in name:
            scale = tensor.abs().max() / 400
            small = (tensor / scale).to(torch.float8_e4m3fn)
            scaled |= {name: small, name.replace(".weight", ".scale_weight"): scale.reshape(1)}
            products[name] = small.float() * scale
        else:
            scaled[name] = products[name] = tensor
    same = layouts.save_tensors(tmp_path / "products.safetensors", products)
    register(store, recognise(same)[0], "products")
    file = layouts.save_tensors(tmp_path / "tiny_fp8_scaled.safetensors", scaled)
    assert np.array_equal(picture(driver, imported(store, file)), picture(driver, store.root / "products"))


def test_without_a_t5_it_runs_as_without_one(driver: Driver, folder: Path, tmp_path: Path) -> None:
    file = layouts.all_in_one(folder, tmp_path / "tiny.safetensors")
    store = Store(tmp_path / "models")
    (found,) = recognise(file)
    tokenizers = [part for part in recognise(folder)[0].parts if part.name in ("tokenizer", "tokenizer_2")]
    store.create()
    import msgspec

    model = register(store, msgspec.structs.replace(found, parts=(*found.parts, *tokenizers)), "no-t5")
    assert np.array_equal(picture(driver, model), picture(driver, folder, use_t5=False))


def test_what_is_missing_is_said(driver: Driver, folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "models")
    model = imported(store, layouts.all_in_one(folder, tmp_path / "tiny.safetensors"))
    with pytest.raises(ModelMissing, match="CLIP-L tokenizer, CLIP-G tokenizer") as raised:
        driver.make(model, RECIPE)
    assert "models complete single" in raised.value.remedy


def test_a_hole_in_the_file_is_said(driver: Driver, folder: Path, store: Store, tmp_path: Path) -> None:
    tensors = layouts.original_transformer(layouts.component(folder, "transformer"))
    del tensors["joint_blocks.2.x_block.mlp.fc1.weight"]
    model = imported(store, layouts.save_tensors(tmp_path / "tiny.safetensors", tensors))
    with pytest.raises(ModelDamaged, match=r"transformer_blocks\.2\.ff\.net\.0\.proj\.weight"):
        driver.make(model, RECIPE)


def test_our_names_are_those_of_diffusers_own_converters(folder: Path) -> None:
    """Held against ``convert_sd3_transformer_checkpoint_to_diffusers``, tensor by tensor."""
    from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers

    tensors = layouts.original_transformer(layouts.component(folder, "transformer"))
    theirs = convert_sd3_transformer_checkpoint_to_diffusers(dict(tensors))
    ours = layouts.component(folder, "transformer")
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)
