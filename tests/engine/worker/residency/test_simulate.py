"""Simulated memory: equal to what is counted on real tensors, and to the published sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from engine.memory.footprint import CallCost, vae_features
from engine.worker.residency import networks
from engine.worker.residency.live_bytes import LiveBytes
from engine.worker.residency.simulate import errors, fit, open_network, open_stack

GIB = 2**30
SD3 = "SD3Transformer2DModel"
COGVIDEOX = "CogVideoXTransformer3DModel"
MID_SD3: dict[str, Any] = dict(
    attention_head_dim=64,
    caption_projection_dim=384,
    dual_attention_layers=[0, 1],
    in_channels=16,
    joint_attention_dim=512,
    num_attention_heads=6,
    num_layers=5,
    patch_size=2,
    pooled_projection_dim=256,
    pos_embed_max_size=64,
    qk_norm="rms_norm",
    sample_size=64,
)
MID_COGVIDEOX: dict[str, Any] = dict(
    attention_head_dim=64,
    num_attention_heads=4,
    num_layers=4,
    text_embed_dim=256,
    time_embed_dim=128,
    sample_width=24,
    sample_height=16,
    sample_frames=9,
    max_text_seq_length=32,
    in_channels=16,
    use_rotary_positional_embeddings=True,
)
MID_VAE: dict[str, Any] = dict(
    block_out_channels=[32, 64, 64, 64],
    down_block_types=["DownEncoderBlock2D"] * 4,
    up_block_types=["UpDecoderBlock2D"] * 4,
    layers_per_block=2,
    latent_channels=16,
    norm_num_groups=8,
    use_quant_conv=False,
    use_post_quant_conv=False,
)
MID_CLIP_VAE: dict[str, Any] = dict(
    block_out_channels=[16, 32, 32, 32],
    down_block_types=["CogVideoXDownBlock3D"] * 4,
    up_block_types=["CogVideoXUpBlock3D"] * 4,
    layers_per_block=1,
    latent_channels=16,
    norm_num_groups=4,
    sample_height=96,
    sample_width=160,
)


def sd3_call(net: Any) -> Any:
    return networks.call_denoiser(net, MID_SD3, 2, (1, 384, 256), 100)


def cogvideox_call(net: Any) -> Any:
    return networks.call_denoiser(net, MID_COGVIDEOX, 2, (3, 128, 192), 32)


def decode(net: Any) -> Any:
    return networks.decode(net, 1, 1, 256, 320)


def decode_in_tiles(net: Any) -> Any:
    with networks.tiles(net, (128, 128)):
        return networks.decode(net, 1, 1, 256, 320)


def decode_clip(net: Any) -> Any:
    return networks.decode(net, 1, 17, 96, 160)


CASES: dict[str, tuple[str, dict[str, Any], Callable[[Any], Any]]] = {
    "sd3": (SD3, MID_SD3, sd3_call),
    "cogvideox": (COGVIDEOX, MID_COGVIDEOX, cogvideox_call),
    "vae": ("AutoencoderKL", MID_VAE, decode),
    "vae in tiles": ("AutoencoderKL", MID_VAE, decode_in_tiles),
    "clip vae": ("AutoencoderKLCogVideoX", MID_CLIP_VAE, decode_clip),
}


def counted(cls: str, config: dict[str, Any], call: Callable[[Any], Any]) -> CallCost:
    """The same call on real tensors."""
    network = networks.build(cls, config, torch.float32)
    networks.place(network)
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data.normal_(std=0.02)
    with torch.no_grad(), LiveBytes([*network.parameters(), *network.buffers()]) as counter:
        held = counter.live
        call(network)
    work = counter.cost()
    return CallCost(work.peak - held, work.flops, work.moved, work.ops)


@pytest.mark.parametrize("case", CASES)
def test_simulated_peaks_are_those_of_real_tensors(case: str) -> None:
    cls, config, call = CASES[case]
    real, simulated = counted(cls, config, call), open_network(cls, config, torch.float32).run(call)
    assert simulated.peak == pytest.approx(real.peak, rel=0.02)
    assert simulated.flops == pytest.approx(real.flops, rel=0.02)


@pytest.mark.parametrize(("cls", "config", "call"), [CASES["sd3"], CASES["cogvideox"]])
def test_few_blocks_tell_of_many(cls: str, config: dict[str, Any], call: Callable[[Any], Any]) -> None:
    stack = open_stack(cls, config, torch.bfloat16).run(call)
    whole = open_network(cls, config, torch.bfloat16).run(call)
    assert stack == whole


def test_a_count_follows_storages_not_tensors() -> None:
    with LiveBytes() as counter:
        one = torch.empty(1000)
        view = one[10:].view(-1)
        assert counter.live == 4000
        two = view * 2
        assert counter.live == 4000 + 3960
        del one
        assert counter.live == 4000 + 3960  # the view keeps it
        del view
        assert counter.live == 3960
        del two
    assert (counter.live, counter.peak) == (0, 4000 + 3960)


def test_lines_go_through_what_grows_with_size() -> None:
    network = open_network("AutoencoderKL", MID_VAE, torch.bfloat16)
    sizes = [(1, 128, 128), (1, 256, 320), (2, 128, 192), (1, 384, 384), (1, 512, 256)]
    points = []
    for batch, height, width in sizes:

        def call(net: Any, case: tuple[int, ...] = (batch, 1, height, width)) -> Any:
            return networks.decode(net, *case)

        points.append((vae_features(batch, height * width, 1), network.run(call)))
    lines = fit(points[:-1])
    assert errors(lines, points[-1:])["peak"] < 0.02


@pytest.mark.parametrize("tile", [(48, 80), (96, 160)])
def test_tiles_of_a_clip_give_whole_frames(tile: tuple[int, int]) -> None:
    """Sides that the overlaps do not divide would shift the seams, and the frames would come out too large."""
    network = open_network("AutoencoderKLCogVideoX", MID_CLIP_VAE, torch.bfloat16)
    shapes = []
    with networks.tiles(network.network, tile):
        network.run(lambda net: shapes.append(tuple(networks.decode(net, 1, 9, 192, 240).shape)))
    assert shapes == [(1, 3, 9, 192, 240)]


def test_tiles_of_a_picture_tile_at_its_training_size() -> None:
    """``enable_tiling`` alone does nothing at 1024 pixels."""
    config = MID_VAE | {"sample_size": 1024}
    network = open_network("AutoencoderKL", config, torch.bfloat16)

    def alone(net: Any) -> Any:
        net.enable_tiling()
        return networks.decode(net, 1, 1, 1024, 1024)

    def tiled(net: Any) -> Any:
        with networks.tiles(net, (512, 512)):
            return networks.decode(net, 1, 1, 1024, 1024)

    whole = network.run(alone).peak
    assert network.run(tiled).peak < 0.5 * whole
