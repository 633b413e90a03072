"""LoRAs in generation: equal to diffusers', in every naming, gone afterwards, and refused with a sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusion3Pipeline
from safetensors.torch import save_file

from engine.protocol.assets import Asset
from engine.protocol.errors import BadFile, LaternaError, ModelMissing
from engine.protocol.recipe import Adapter

from ..conftest import Driver, cogvideox, sd35

RANK = 3
PROJECTIONS = ("attn.to_q", "attn.to_k", "attn.to_v")
WIDTHS = {**dict.fromkeys(PROJECTIONS, 32), "attn.to_out.0": 32, "ff.net.2": 128}


def matrices(seed: int = 0) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Down and up by diffusers' layer name, the same down for the three projections of an attention."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for block in range(4):
        shared = torch.randn(RANK, 32, generator=generator) * 0.3
        for layer, width in WIDTHS.items():
            down = shared if layer in PROJECTIONS else torch.randn(RANK, width, generator=generator) * 0.3
            up = torch.randn(32, RANK, generator=generator) * 0.3
            found[f"transformer_blocks.{block}.{layer}"] = (down, up)
    return found


def peft(path: Path, seed: int = 0, metadata: dict[str, str] | None = None) -> Path:
    tensors = {}
    for layer, (down, up) in matrices(seed).items():
        tensors[f"transformer.{layer}.lora_A.weight"] = down.clone()
        tensors[f"transformer.{layer}.lora_B.weight"] = up
    save_file(tensors, path, metadata)
    return path


def reference_named(path: Path, kohya: bool) -> Path:
    """The same LoRA as Kohya's scripts or ComfyUI name it, alpha half the rank and the matrices twice as large."""
    all_of, tensors = matrices(), {}
    for block in range(4):
        at = f"transformer_blocks.{block}"
        groups = {
            "attn.qkv": [all_of[f"{at}.attn.to_{x}"] for x in "qkv"],
            "attn.proj": [all_of[f"{at}.attn.to_out.0"]],
            "mlp.fc2": [all_of[f"{at}.ff.net.2"]],
        }
        for theirs, pairs in groups.items():
            name = f"joint_blocks.{block}.x_block.{theirs}"
            name = "lora_unet_" + name.replace(".", "_") if kohya else f"diffusion_model.{name}"
            tensors[f"{name}.lora_down.weight"] = pairs[0][0].clone()
            tensors[f"{name}.lora_up.weight"] = torch.cat([up for _, up in pairs]) * 2
            tensors[f"{name}.alpha"] = torch.tensor(RANK / 2)
    save_file(tensors, path)
    return path


def use(path: Path, strength: float = 1.0, **more: Any) -> Adapter:
    return Adapter(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), strength, **more)


def found(*paths: Path) -> tuple[Asset, ...]:
    return tuple(Asset(path.name, path=str(path)) for path in paths)


def make(driver: Driver, folder: Path, *paths: Path, strength: float = 1.0, **changes: Any) -> torch.Tensor:
    recipe = sd35(steps=2, adapters=tuple(use(path, strength) for path in paths), **changes)
    return driver.make(folder, recipe, adapter_files=found(*paths)).latents


@pytest.mark.parametrize("strength", [1.0, 0.6, -0.5])
def test_the_same_latents_as_diffusers(tiny, driver, tmp_path, strength) -> None:
    folder = tiny("sd35-large")
    path = peft(tmp_path / "a.safetensors")
    plain = make(driver, folder)
    ours = make(driver, folder, path, strength=strength)
    pipeline = StableDiffusion3Pipeline.from_pretrained(folder)
    pipeline.load_lora_weights(tmp_path, weight_name=path.name, adapter_name="a")
    pipeline.set_adapters(["a"], [strength])
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        "a red apple on the left", height=64, width=64, num_inference_steps=2, guidance_scale=4.5, output_type="latent",
        generator=torch.Generator().manual_seed(7), max_sequence_length=20,
    ).images  # fmt: skip
    assert (plain - theirs).abs().max() > 0.05  # the LoRA matters
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("kohya", [True, False], ids=["kohya", "comfyui"])
def test_other_namings_are_the_same_lora(tiny, driver, tmp_path, kohya) -> None:
    folder = tiny("sd35-large")
    ours = make(driver, folder, peft(tmp_path / "a.safetensors"))
    theirs = make(driver, folder, reference_named(tmp_path / "b.safetensors", kohya))
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert not torch.allclose(ours, make(driver, folder), atol=1e-2)


def test_strength_0_and_no_lora_are_bit_equal_before_and_after(tiny, driver, tmp_path) -> None:
    folder = tiny("sd35-large")
    path = peft(tmp_path / "a.safetensors")
    before = make(driver, folder)
    with_it = make(driver, folder, path)
    assert torch.equal(make(driver, folder, path, strength=0.0), before)
    assert torch.equal(make(driver, folder), before)
    assert torch.equal(make(driver, folder, path), with_it)
    assert not torch.equal(with_it, before)


def test_two_loras_add_up(tiny, driver, tmp_path) -> None:
    folder = tiny("sd35-large")
    one, two = peft(tmp_path / "a.safetensors", 0), peft(tmp_path / "b.safetensors", 1)
    both = make(driver, folder, one, two)
    for layer_change in (make(driver, folder, one), make(driver, folder, two)):
        assert not torch.allclose(both, layer_change, atol=1e-3)
    assert torch.allclose(make(driver, folder, two, one), both, atol=1e-5)
    assert torch.allclose(make(driver, folder, one, one), make(driver, folder, one, strength=2.0), atol=1e-5)


def test_alpha_in_the_header_counts(tiny, driver, tmp_path) -> None:
    folder = tiny("sd35-large")
    told = json.dumps({"transformer.lora_alpha": RANK / 2, "transformer.r": RANK})
    path = peft(tmp_path / "a.safetensors", metadata={"lora_adapter_metadata": told})
    half = make(driver, folder, peft(tmp_path / "b.safetensors"), strength=0.5)
    assert torch.allclose(make(driver, folder, path), half, atol=1e-5)


def test_a_text_encoders_lora_changes_the_encoding_and_is_not_mistaken_for_a_cached_one(tiny, driver, tmp_path) -> None:
    folder, cache = tiny("sd35-large"), str(tmp_path / "cache")
    path = tmp_path / "a.safetensors"
    generator = torch.Generator().manual_seed(0)
    save_file(
        {
            "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_A.weight": torch.randn(2, 16, generator=generator),
            "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_B.weight": torch.randn(32, 2, generator=generator),
        },
        path,
    )

    def made(*adapters: Adapter) -> torch.Tensor:
        files = found(path) * len(adapters)
        return driver.make(folder, sd35(steps=1, adapters=adapters), adapter_files=files, cache_folder=cache).latents

    plain, changed = made(), made(use(path))
    assert not torch.equal(plain, changed)
    assert torch.equal(made(), plain)
    assert torch.equal(made(use(path)), changed)
    assert torch.equal(made(use(path, text_strength=0.0)), plain)


def test_a_clip_model_takes_loras(tiny, driver, tmp_path) -> None:
    folder = tiny("cogvideox-5b")
    path = tmp_path / "a.safetensors"
    config = json.loads((folder / "transformer" / "config.json").read_text())
    width = config["attention_head_dim"] * config["num_attention_heads"]
    torch.manual_seed(0)
    save_file(
        {
            "transformer.transformer_blocks.0.attn1.to_q.lora_A.weight": torch.randn(2, width),
            "transformer.transformer_blocks.0.attn1.to_q.lora_B.weight": torch.randn(width, 2),
        },
        path,
    )
    plain = driver.make(folder, cogvideox(steps=1)).latents
    changed = driver.make(folder, cogvideox(steps=1, adapters=(use(path),)), adapter_files=found(path)).latents
    assert not torch.equal(plain, changed)


def wrong(kind: str, path: Path) -> None:
    down, up = torch.zeros(2, 32), torch.zeros(32, 2)
    layer = "transformer.transformer_blocks.0.attn.to_q"
    content = {
        "another model's": {f"{layer}_like.lora_A.weight": down, f"{layer}_like.lora_B.weight": up},
        "another size": {f"{layer}.lora_A.weight": torch.zeros(2, 64), f"{layer}.lora_B.weight": up},
        "one half": {f"{layer}.lora_A.weight": down},
        "LoKr": {f"{layer}.lokr_w1": down},
        "a model": {f"{layer}.weight": down},
    }[kind]
    save_file(content, path)


@pytest.mark.parametrize("kind", ["another model's", "another size", "one half", "LoKr", "a model"])
def test_what_cannot_be_applied_is_refused(tiny, driver, tmp_path, kind) -> None:
    path = tmp_path / "a.safetensors"
    wrong(kind, path)
    with pytest.raises(BadFile) as caught:
        make(driver, tiny("sd35-large"), path)
    assert "a.safetensors" in caught.value.message
    assert caught.value.remedy
    assert torch.isfinite(make(driver, tiny("sd35-large"))).all()  # and leaves nothing behind


def test_damage_is_refused(tiny, driver, tmp_path) -> None:
    path = peft(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LaternaError, match=r"a\.safetensors"):
        make(driver, tiny("sd35-large"), path)


def test_a_recipe_whose_files_are_not_given_is_refused(tiny, driver) -> None:
    with pytest.raises(ModelMissing):
        driver.make(tiny("sd35-large"), sd35(adapters=(Adapter("a.safetensors"),)))
