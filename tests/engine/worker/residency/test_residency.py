"""Precision and place: what the plan chooses, and that weights kept small compute the same as wide ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.families.cogvideox.network.pipeline import CogVideoXPipeline
from engine.families.sd35.network.pipeline import StableDiffusion35Pipeline
from engine.models.reading.component import Component, ModelFolder
from engine.worker.residency.casting import cast_for_each_call
from engine.worker.residency.placing import Placing
from engine.worker.residency.residency import FreeMemory, ModelResidency, Residency, from_weights_alone
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, cogvideox, sd35

GIB = 2**30
CPU, GPU = torch.device("cpu"), torch.device("cuda")
FP32, BF16, FP16 = torch.float32, torch.bfloat16, torch.float16


def folder(path, dtype: str = "BF16", **billions: float) -> ModelFolder:
    """A model as large as the published ones, of which only the sizes are real."""
    parts = {
        name: Component(name, path, {}, (path / "x.safetensors",), None, dtype, int(1e9 * size))
        for name, size in billions.items()
    }
    return ModelFolder(path, {}, parts)


@pytest.fixture
def large(tmp_path) -> ModelFolder:
    return folder(tmp_path, text_encoder=0.1, text_encoder_3=4.8, transformer=8.1, vae=0.1)


def sd35_residency(model: ModelFolder, free: FreeMemory):
    return from_weights_alone(model, free, StableDiffusion35Pipeline().device_dtype)


def test_a_cpu_computes_in_fp32_unless_it_has_bf16_instructions(large) -> None:
    residency = sd35_residency(large, FreeMemory(CPU, 500 * GIB))
    assert set(residency.parts.values()) == {Residency(FP32, FP32)} and residency.resident
    native = sd35_residency(large, FreeMemory(CPU, 500 * GIB, native_bf16=True))
    assert set(native.parts.values()) == {Residency(BF16, BF16)}


def test_fp16_is_never_the_arithmetic_of_a_cpu(tmp_path) -> None:
    model = folder(tmp_path, "F16", transformer=1.7)
    free = FreeMemory(CPU, 500 * GIB, native_bf16=True)
    residency = from_weights_alone(model, free, CogVideoXPipeline().device_dtype)
    assert residency.parts == {"transformer": Residency(FP32, FP32)}


def test_less_memory_first_keeps_weights_small_and_then_frees_each_stage(large) -> None:
    small = sd35_residency(large, FreeMemory(CPU, 48 * GIB))
    assert set(small.parts.values()) == {Residency(BF16, FP32)} and small.resident
    by_stage = sd35_residency(large, FreeMemory(CPU, 24 * GIB))
    assert set(by_stage.parts.values()) == {Residency(BF16, FP32, "stage")} and not by_stage.resident


def test_a_gpu_takes_the_familys_precision_and_holds_what_fits(large) -> None:
    roomy = sd35_residency(large, FreeMemory(GPU, 64 * GIB, 80 * GIB))
    assert set(roomy.parts.values()) == {Residency(BF16, BF16)} and roomy.on_device and roomy.resident
    tight = sd35_residency(large, FreeMemory(GPU, 64 * GIB, 18 * GIB))
    assert not tight.on_device and tight.resident


def test_cogvideox_2b_is_fp16_on_a_gpu_but_its_t5_is_not(tmp_path) -> None:
    model = folder(tmp_path, "F16", text_encoder=4.8, transformer=1.7, vae=0.2)
    residency = from_weights_alone(model, FreeMemory(GPU, 64 * GIB, 24 * GIB), CogVideoXPipeline().device_dtype)
    assert residency.parts["transformer"] == residency.parts["vae"] == Residency(FP16, FP16)
    assert residency.parts["text_encoder"] == Residency(BF16, BF16)


def test_small_models_are_fp32_everywhere(tmp_path) -> None:
    model = folder(tmp_path, "F16", transformer=0.008, vae=0.001)
    for free in (FreeMemory(CPU, 8 * GIB, native_bf16=True), FreeMemory(GPU, 8 * GIB, 4 * GIB)):
        assert set(sd35_residency(model, free).parts.values()) == {Residency(FP32, FP32)}


def with_free(bytes_: int) -> Runner:
    """An engine on a machine with that much free memory."""
    return Runner(device=CPU, free=lambda device: FreeMemory(device, bytes_))


@pytest.mark.parametrize(("variant", "recipe"), [("sd35-medium", sd35()), ("cogvideox-5b", cogvideox(sampler="dpm"))])
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_small_weights_give_the_same_bits_as_wide_ones(variant, recipe, stored, tiny, monkeypatch) -> None:
    """float32 arithmetic on weights that were stored small, widened once or at every call."""
    model = tiny(variant, stored)
    wide = Driver(Runner(device=CPU, precision=FP32)).make(model, recipe)
    monkeypatch.setattr("engine.worker.residency.memory_manager.place", lambda *_: Placing(None, True))
    weights = sum(part.stored_bytes for part in with_free(8 * GIB).open(model).folder.parts.values())
    small = Driver(with_free(int(weights * 1.2 / 0.7)))
    assert torch.equal(small.make(model, recipe).latents, wide.latents)
    residency = small.runner.open(model).residency
    assert all(part.is_cast for part in residency.parts.values()) and residency.resident


@pytest.mark.parametrize("variant", ["sd35-large", "cogvideox-5b"])
@pytest.mark.parametrize("place", ["stage", "disk", "blocks", "host"])
def test_every_place_gives_the_same_bits(variant: str, place, tiny, monkeypatch) -> None:
    model, recipe = tiny(variant, torch.bfloat16), sd35() if variant.startswith("sd35") else cogvideox(sampler="dpm")
    whole = Driver(Runner(device=CPU)).make(model, recipe)
    driver = Driver(Runner(device=CPU))

    def elsewhere(*arguments) -> ModelResidency:
        residency = from_weights_alone(*arguments)
        return replace(residency, parts={name: replace(part, place=place) for name, part in residency.parts.items()})

    monkeypatch.setattr("engine.worker.residency.memory_manager.place", lambda *_: Placing(None, True))
    monkeypatch.setattr("engine.worker.residency.memory_manager.from_weights_alone", elsewhere)
    for _ in range(2):
        assert torch.equal(driver.make(model, recipe).frames, whole.frames)
        opened = driver.runner.open(model)
        there = [name for name in opened.residency.parts if opened.is_loaded(name)]
        assert there == (["vae"] if place in ("stage", "disk") else list(opened.residency.parts))


def test_the_engine_takes_the_planners_plan(tiny) -> None:
    """Resident where there is memory; from the disk where there is next to none, which still ends well."""
    model = tiny("sd35-large")
    roomy, tight = with_free(64 * GIB), with_free(GIB)
    assert roomy.open(model, sd35()).residency.on_device
    residency = tight.open(model, sd35()).residency
    assert residency.plan is not None and residency.plan.strategy == "disk streaming"
    assert "disk" in {part.place for part in residency.parts.values()} and not residency.resident
    whole, little = Driver(roomy).make(model, sd35()), Driver(tight).make(model, sd35())
    assert torch.allclose(little.latents, whole.latents, atol=1e-4)  # guidance in two passes sums in another order


def test_a_cancelled_call_leaves_small_weights_small() -> None:
    layer = torch.nn.Linear(4, 4).to(torch.bfloat16)
    before = layer.weight.detach().clone()
    cast_for_each_call(layer, FP32)
    layer.register_forward_pre_hook(lambda module, inputs: (_ for _ in ()).throw(RuntimeError("stop")))
    with pytest.raises(RuntimeError):
        layer(torch.randn(1, 4))
    assert layer.weight.dtype == torch.bfloat16
    assert torch.equal(layer.weight, before)
