"""A network read from one file computes what diffusers' own computes with the same, dequantised, weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.models.imports import recognise, register
from engine.models.store import Store
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver
from tests.fakes import single_files as layouts

Pair = tuple[layouts.Tensors, layouts.Tensors]


def bf16(own: layouts.Tensors) -> Pair:
    small = {name: one.bfloat16() for name, one in own.items()}
    return small, {name: one.float() for name, one in small.items()}


FORMS: dict[str, Callable[[layouts.Tensors], Pair]] = {
    "bf16": bf16,
    "fp8": lambda own: layouts.fp8(own, scaled=False),
    "scaled fp8": lambda own: layouts.fp8(own, scaled=True),
    "ggml blocks": layouts.ggml_blocks,
}


def cogvideox_inputs(config: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """Two latent frames of the size that the configuration is for, as diffusers' forward takes them."""
    random = torch.Generator().manual_seed(7)
    frames, height, width = 2, config["sample_height"], config["sample_width"]
    if not config["use_learned_positional_embeddings"]:
        height, width = 8, 12

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random).to(dtype)

    inputs: dict[str, Any] = {
        "hidden_states": noise(1, frames, config["in_channels"], height, width),
        "encoder_hidden_states": noise(1, config["max_text_seq_length"], config["text_embed_dim"]),
        "timestep": torch.tensor([499]),
        "return_dict": False,
    }
    if config["use_rotary_positional_embeddings"]:
        tokens = frames // (config["patch_size_t"] or 1) * (height // 2) * (width // 2)
        angles = torch.rand(tokens, config["attention_head_dim"], generator=random)
        inputs["image_rotary_emb"] = (angles.cos(), angles.sin())
    if config["ofs_embed_dim"]:
        inputs["ofs"] = torch.tensor([2.0], dtype=dtype)
    return inputs


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("variant", ["2b", "5b", "5b-i2v", "1.5-5b", "1.5-5b-i2v"])
def test_cogvideox(tmp_path: Path, variant: str, form: str) -> None:
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXTransformer3DModel

    folder = layouts.save_slim_cogvideox(tmp_path / f"CogVideoX-{variant}", variant)
    small, wide = FORMS[form](layouts.component(folder, "transformer"))
    store = Store(tmp_path / "store")
    register(store, recognise(folder)[0], "whole")
    file = layouts.save_tensors(tmp_path / f"CogVideoX_{variant}.safetensors", small)
    (found,) = recognise(file)
    assert found.model == f"cogvideox-{variant}"
    register(store, found, "one")
    model = Driver(Runner(device=torch.device("cpu"))).runner.open(store.root / "one")
    model.load(["transformer"])
    dtype = model.compute_dtype("transformer")
    config = json.loads((folder / "transformer" / "config.json").read_text())
    reference = CogVideoXTransformer3DModel.from_config(config)
    reference.load_state_dict(wide)
    reference = reference.to(dtype).eval()
    inputs = cogvideox_inputs(config, dtype)
    with torch.no_grad(), model.use("transformer") as parts:
        made = parts["transformer"](**inputs)[0].float()
        expected = reference(**inputs)[0].float()
    assert expected.std() > 0.01
    assert torch.allclose(made, expected, atol=1e-5)
    assert model.folder.parts["transformer"].weights == (file,)


def in_diffusers_names(folder: Path, original: layouts.Tensors) -> layouts.Tensors:
    """The vendor's tensors taken apart again, by numbering every value and following where it goes."""
    own = layouts.component(folder, "transformer")
    numbered, count = {}, 0
    for name, tensor in own.items():
        numbered[name] = torch.arange(count, count + tensor.numel()).reshape(tensor.shape)
        count += tensor.numel()
    flat = torch.full((count,), torch.nan)
    for name, places in layouts.original_transformer(numbered).items():
        flat[places.flatten()] = original[name].float().flatten()
    assert not flat.isnan().any()
    return {name: flat[places] for name, places in numbered.items()}


def gguf_file(folder: Path, place: Path, type: str) -> tuple[Path, layouts.Tensors]:
    """As ggml's own reader and dequantiser have it."""
    import gguf

    file = layouts.gguf_transformer(folder, place / f"sd3.5-{type}.gguf", type)
    found = {}
    for tensor in gguf.GGUFReader(file).tensors:
        values = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        found[tensor.name] = values.reshape([int(size) for size in tensor.shape[::-1]])
    return file, found


SD35_FORMS = ("bf16", "fp8", "scaled fp8", "F16", "Q8_0", "Q4_0")


@pytest.mark.parametrize("form", SD35_FORMS)
@pytest.mark.parametrize("medium", [False, True], ids=["large", "medium"])
def test_sd35(tmp_path: Path, medium: bool, form: str) -> None:
    from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel

    folder = layouts.save_slim_sd35(tmp_path / "sd3.5", medium=medium)
    if form in FORMS:
        small, wide = FORMS[form](layouts.original_transformer(layouts.component(folder, "transformer")))
        file = layouts.save_tensors(tmp_path / "files" / "sd3.5.safetensors", small)
    else:
        file, wide = gguf_file(folder, tmp_path / "files", form)
    store = Store(tmp_path / "store")
    register(store, recognise(folder)[0], "whole")
    register(store, recognise(file)[0], "one")
    model = Driver(Runner(device=torch.device("cpu"))).runner.open(store.root / "one")
    assert model.folder.parts["transformer"].weights == (file,)
    model.load(["transformer"])
    dtype = model.compute_dtype("transformer")
    config = json.loads((folder / "transformer" / "config.json").read_text())
    reference = SD3Transformer2DModel.from_config(config)
    reference.load_state_dict(in_diffusers_names(folder, wide))
    reference = reference.to(dtype).eval()
    random = torch.Generator().manual_seed(7)
    inputs: dict[str, Any] = {
        "hidden_states": torch.randn(1, config["in_channels"], 8, 12, generator=random).to(dtype),
        "encoder_hidden_states": torch.randn(1, 20, config["joint_attention_dim"], generator=random).to(dtype),
        "pooled_projections": torch.randn(1, config["pooled_projection_dim"], generator=random).to(dtype),
        "timestep": torch.tensor([499.0]),
        "return_dict": False,
    }
    with torch.no_grad(), model.use("transformer") as parts:
        made = parts["transformer"](**inputs)[0].float()
        expected = reference(**inputs)[0].float()
    assert expected.std() > 0.01
    assert torch.allclose(made, expected, atol=1e-5)
