"""Blocks that come from the disk or from host memory give the bits of a network that is all there."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.families.registry import NETWORK_CLASSES
from engine.models.reading.component import Component, weighted
from engine.protocol.errors import Cancelled, ModelDamaged
from engine.worker.cancel import Cancellation, watch
from engine.worker.residency import networks
from engine.worker.residency.casting import cast_for_each_call
from engine.worker.residency.residency import Residency
from engine.worker.residency.skeleton import build_skeleton
from engine.worker.residency.streaming import FromDisk, Streamed, streamed_from_host
from engine.worker.residency.stretches import StretchReader, find_stretches
from tests.engine.worker.conftest import align

CPU = torch.device("cpu")
FP32, BF16, FP16 = torch.float32, torch.bfloat16, torch.float16
NETWORKS = [
    ("sd35-large", "transformer"),
    ("sd35-medium", "transformer"),
    ("cogvideox-2b", "transformer"),
    ("cogvideox-5b", "transformer"),
    ("cogvideox-1.5", "transformer"),
    ("cogvideox-5b-i2v", "transformer"),
    ("cogvideox-1.5-i2v", "transformer"),
    ("sd35-large", "text_encoder_2"),
    ("sd35-large", "text_encoder_3"),
    ("cogvideox-5b", "text_encoder"),
]


def find(model: Path, name: str) -> tuple[Any, Component]:
    cls = json.loads((model / "model_index.json").read_text())[name][1]
    return getattr(importlib.import_module(NETWORK_CLASSES[cls].module), cls), weighted(name, model / name)


def resident(cls: Any, part: Component, dtype: torch.dtype, is_cast: bool = False) -> Any:
    network = cls.from_pretrained(part.folder, local_files_only=True, use_safetensors=True, dtype=dtype).eval()
    align(network)
    network.requires_grad_(False)
    if is_cast:
        cast_for_each_call(network, FP32)
    return network


def from_disk(cls: Any, part: Component, dtype: torch.dtype, is_cast: bool = False) -> Streamed:
    network, reads = build_skeleton(cls, part, find_stretches(part), Residency(dtype, FP32 if is_cast else dtype))
    if is_cast:
        cast_for_each_call(network, FP32)
    return Streamed(network, FromDisk(reads))


@contextmanager
def opened(streamed: Streamed) -> Iterator[Any]:
    streamed.open(CPU)
    try:
        yield streamed.network
    finally:
        streamed.close()


@torch.no_grad()
def call(network: Any, part: Component, seed: int = 1, dtype: torch.dtype = FP32) -> torch.Tensor:
    torch.manual_seed(seed)
    config, cls = part.config, type(network).__name__
    if part.name.startswith("text_encoder"):
        states = network(torch.randint(0, 16, (1, 12)), output_hidden_states=True).hidden_states
        return torch.cat([state.flatten() for state in states])
    if cls == "SD3Transformer2DModel":
        return network(
            hidden_states=torch.randn(2, config["in_channels"], 8, 8).to(dtype),
            timestep=torch.tensor([500.0, 500.0]),
            encoder_hidden_states=torch.randn(2, 20, config["joint_attention_dim"]).to(dtype),
            pooled_projections=torch.randn(2, config["pooled_projection_dim"]).to(dtype),
            return_dict=False,
        )[0]
    frames = 4 if config.get("patch_size_t") else 3
    tokens = frames // (config.get("patch_size_t") or 1) * 4 * 6
    angles = torch.randn(tokens, config["attention_head_dim"])
    return network(
        hidden_states=torch.randn(1, frames, config["in_channels"], 8, 12).to(dtype),
        encoder_hidden_states=torch.randn(1, 12, config["text_embed_dim"]).to(dtype),
        timestep=torch.tensor([500.0]),
        ofs=torch.tensor([2.0]).to(dtype),
        image_rotary_emb=(angles.cos(), angles.sin()) if config.get("use_rotary_positional_embeddings") else None,
        return_dict=False,
    )[0]


@pytest.mark.parametrize(("stored", "kept"), [(FP32, FP32), (BF16, BF16), (FP16, FP16), (BF16, FP32), (FP16, FP32)])
@pytest.mark.parametrize(("variant", "name"), NETWORKS)
def test_streamed_blocks_give_the_same_bits(variant: str, name: str, stored, kept, tiny: Callable[..., Path]) -> None:
    """``kept`` smaller than float32 is widened layer by layer, as on a CPU."""
    cls, part = find(tiny(variant, stored), name)
    is_cast = kept != FP32
    whole = resident(cls, part, kept, is_cast)
    wanted = [call(whole, part, seed) for seed in (1, 2)]
    for streamed in (from_disk(cls, part, kept, is_cast), streamed_from_host(resident(cls, part, kept, is_cast))):
        for _ in range(2):
            with opened(streamed) as network:
                for seed in (1, 2):
                    assert torch.equal(call(network, part, seed), wanted[seed - 1])


@pytest.mark.parametrize("variant", ["sd35-medium", "cogvideox-5b"])
def test_arithmetic_in_the_stored_dtype_too(variant: str, tiny: Callable[..., Path]) -> None:
    cls, part = find(tiny(variant, BF16), "transformer")
    with opened(from_disk(cls, part, BF16)) as network:
        assert torch.equal(call(network, part, dtype=BF16), call(resident(cls, part, BF16), part, dtype=BF16))


def test_two_blocks_are_there_and_none_while_closed(tiny: Callable[..., Path]) -> None:
    cls, part = find(tiny("sd35-large"), "transformer")
    streamed = from_disk(cls, part, FP32)
    blocks = networks.blocks_of(streamed.network)
    seen = []
    for block in blocks:
        block.register_forward_pre_hook(lambda *_: seen.append([held(block) for block in blocks]))
    with opened(streamed) as network:
        call(network, part)
        assert not any(map(held, blocks))
    assert len(blocks) == 4
    assert seen == [[row == column for column in range(4)] for row in range(4)]  # the other buffer is nobody's yet
    assert all(weight.untyped_storage().nbytes() <= 4 for block in blocks for weight in block.parameters())


def held(block: torch.nn.Module) -> bool:
    return all(weight.untyped_storage().nbytes() > 4 for weight in block.parameters())


def test_sharded_files_and_odd_addresses(tiny: Callable[..., Path], tmp_path: Path) -> None:
    model = shutil.copytree(tiny("cogvideox-5b"), tmp_path / "model")
    cls, part = find(model, "transformer")
    wanted = call(resident(cls, part, FP32), part)
    weights = load_file(part.weights[0])
    part.weights[0].unlink()
    shards: list[dict[str, torch.Tensor]] = [{}, {}, {}]
    for number, (name, weight) in enumerate(sorted(weights.items())):
        shards[number % 3][name] = weight
    names = [f"diffusion_pytorch_model-{i + 1:05}-of-00003.safetensors" for i in range(3)]
    for name, shard, padding in zip(names, shards, ("", "x", "xyz"), strict=True):
        save_file(shard, model / "transformer" / name, metadata={"odd": padding})
    index = {"weight_map": {weight: name for name, shard in zip(names, shards, strict=True) for weight in shard}}
    (model / "transformer" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    cls, part = find(model, "transformer")
    assert len(part.weights) == 3
    with opened(from_disk(cls, part, FP32)) as network:
        assert torch.equal(call(network, part), wanted)


def test_a_block_that_is_left_out_costs_no_wrong_weights(tiny: Callable[..., Path]) -> None:
    """Skip-layer guidance leaves blocks out: what was brought for them is not what comes next."""
    cls, part = find(tiny("sd35-medium"), "transformer")
    whole, streamed = resident(cls, part, FP32), from_disk(cls, part, FP32)
    for network in (whole, streamed.network):
        forward = network.forward
        network.forward = lambda *a, forward=forward, **more: forward(*a, **more, skip_layers=[1, 2])
    with opened(streamed) as network:
        assert torch.equal(call(network, part), call(whole, part))
        assert torch.equal(call(network, part, 2), call(whole, part, 2))


def test_a_cancelled_call_leaves_nothing_and_the_next_is_right(tiny: Callable[..., Path]) -> None:
    cls, part = find(tiny("sd35-large", BF16), "transformer")
    wanted = call(resident(cls, part, BF16, is_cast=True), part)
    streamed = from_disk(cls, part, BF16, is_cast=True)
    cancellation = Cancellation()
    watch(streamed.network, cancellation)
    blocks = networks.blocks_of(streamed.network)
    handle = blocks[1].register_forward_hook(lambda *_: cancellation.request())
    with opened(streamed) as network:
        with pytest.raises(Cancelled):
            call(network, part)
        assert not any(map(held, blocks))
        handle.remove()
        cancellation.reset()
        assert torch.equal(call(network, part), wanted)


def test_a_file_that_became_shorter_is_a_damaged_model(tiny: Callable[..., Path], tmp_path: Path) -> None:
    model = shutil.copytree(tiny("sd35-large"), tmp_path / "model")
    cls, part = find(model, "transformer")
    streamed = from_disk(cls, part, FP32)
    part.weights[0].write_bytes(part.weights[0].read_bytes()[:20_000])
    with opened(streamed) as network, pytest.raises(ModelDamaged):
        call(network, part)


def test_weights_that_do_not_fit_the_configuration_are_named(tiny: Callable[..., Path], tmp_path: Path) -> None:
    model = shutil.copytree(tiny("sd35-large"), tmp_path / "model")
    config = model / "transformer" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"num_layers": 5}))
    cls, part = find(model, "transformer")
    with pytest.raises(ModelDamaged, match="transformer_blocks"):
        from_disk(cls, part, FP32)


def test_every_weight_is_read_as_safetensors_reads_it(tiny: Callable[..., Path]) -> None:
    part = find(tiny("cogvideox-2b", BF16), "transformer")[1]
    stretches, reader = find_stretches(part), StretchReader()
    with safe_open(str(part.weights[0]), "pt") as file:
        for name in file.keys():  # noqa: SIM118
            own = torch.empty(stretches[name].shape, dtype=BF16)
            reader.read_into(stretches[name], own)
            assert torch.equal(own, file.get_tensor(name))
    reader.close()
