"""The reference implementation's names mean the layers that diffusers' own conversion of checkpoints means."""

from __future__ import annotations

import re

import pytest
import torch
from diffusers import CogVideoXTransformer3DModel, SD3Transformer2DModel
from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers
from torch import nn

from engine.worker.adapters.names import rows_of, split_part, targets

PER_BLOCK = [
    ("context_block.adaLN_modulation.1", "norm1_context.linear"),
    ("context_block.attn.proj", "attn.to_add_out"),
    ("context_block.attn.qkv", "attn.add_q_proj"),
    ("context_block.mlp.fc1", "ff_context.net.0.proj"),
    ("context_block.mlp.fc2", "ff_context.net.2"),
    ("x_block.adaLN_modulation.1", "norm1.linear"),
    ("x_block.attn.proj", "attn.to_out.0"),
    ("x_block.attn.qkv", "attn.to_q"),
    ("x_block.attn2.proj", "attn2.to_out.0"),
    ("x_block.attn2.qkv", "attn2.to_q"),
    ("x_block.mlp.fc1", "ff.net.0.proj"),
    ("x_block.mlp.fc2", "ff.net.2"),
]
ENDS = [
    ("x_embedder.proj", "pos_embed.proj"),
    ("context_embedder", "context_embedder"),
    ("t_embedder.mlp.0", "time_text_embed.timestep_embedder.linear_1"),
    ("t_embedder.mlp.2", "time_text_embed.timestep_embedder.linear_2"),
    ("y_embedder.mlp.0", "time_text_embed.text_embedder.linear_1"),
    ("y_embedder.mlp.2", "time_text_embed.text_embedder.linear_2"),
    ("final_layer.adaLN_modulation.1", "norm_out.linear"),
    ("final_layer.linear", "proj_out"),
]


def reference_weights(transformer: nn.Module) -> dict[str, torch.Tensor]:
    """Random weights under the reference's names, for every layer of ``transformer``; biases and the rest are zero."""
    shapes = {name: p.shape for name, p in transformer.named_parameters()}
    found = {"pos_embed": torch.zeros(1)}
    pairs = [
        (f"joint_blocks.{i}.{theirs}", f"transformer_blocks.{i}.{ours}") for i in range(4) for theirs, ours in PER_BLOCK
    ]
    for theirs, ours in [*pairs, *ENDS]:
        if f"{ours}.weight" in shapes:
            out, *rest = shapes[f"{ours}.weight"]
            rows = 3 * out if theirs.endswith("qkv") else out
            found[f"{theirs}.weight"] = torch.randn(rows, *rest)
            found[f"{theirs}.bias"] = torch.zeros(rows)
    for i in range(4):
        for place in ("x_block", "context_block"):
            for attention in ("attn", "attn2"):
                if f"joint_blocks.{i}.{place}.{attention}.qkv.weight" in found:
                    for norm in ("ln_q", "ln_k"):
                        found[f"joint_blocks.{i}.{place}.{attention}.{norm}.weight"] = torch.zeros(16)
    return found


@pytest.mark.parametrize("variant", ["sd35-large", "sd35-medium"])
@pytest.mark.parametrize("underscores", [False, True])
def test_reference_names_land_where_the_checkpoint_conversion_puts_them(tiny, variant, underscores) -> None:
    transformer = SD3Transformer2DModel.from_pretrained(tiny(variant) / "transformer")
    torch.manual_seed(0)
    weights = reference_weights(transformer)
    known = targets(transformer)
    ours: dict[str, torch.Tensor] = {}
    for name, weight in weights.items():
        layer = name.removesuffix(".weight")
        if layer != name and weight.any():
            for target in known[layer.replace(".", "_") if underscores else layer]:
                assert target.layer not in ours
                ours[target.layer] = rows_of(target, weight)
    converted = convert_sd3_transformer_checkpoint_to_diffusers(weights)
    expected = {name.removesuffix(".weight"): w for name, w in converted.items() if name.endswith("weight") and w.any()}
    assert ours.keys() == expected.keys()
    assert len(ours) > 40
    assert all(torch.equal(ours[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    "cls, variant", [(SD3Transformer2DModel, "sd35-large"), (CogVideoXTransformer3DModel, "cogvideox-5b")]
)
def test_every_linear_layer_is_known_by_its_own_name(tiny, cls, variant) -> None:
    network = cls.from_pretrained(tiny(variant) / "transformer")
    known = targets(network)
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            assert [t.layer for t in known[name]] == [name]
            assert [t.layer for t in known[re.sub(r"\.", "_", name)]] == [name]


@pytest.mark.parametrize(
    "name, part, layer",
    [
        ("transformer.transformer_blocks.0.attn.to_q", "transformer", "transformer_blocks.0.attn.to_q"),
        ("transformer_blocks.0.attn1.to_q", "transformer", "transformer_blocks.0.attn1.to_q"),
        ("diffusion_model.joint_blocks.3.x_block.attn.qkv", "transformer", "joint_blocks.3.x_block.attn.qkv"),
        ("base_model.model.transformer_blocks.0.ff.net.2", "transformer", "transformer_blocks.0.ff.net.2"),
        ("lora_unet_joint_blocks_0_x_block_mlp_fc1", "transformer", "joint_blocks_0_x_block_mlp_fc1"),
        ("lora_transformer_transformer_blocks_1_attn_to_k", "transformer", "transformer_blocks_1_attn_to_k"),
        ("lora_te1_text_model_encoder_layers_0_mlp_fc1", "text_encoder", "text_model_encoder_layers_0_mlp_fc1"),
        ("lora_te3_encoder_block_0_layer_0_SelfAttention_q", "text_encoder_3",
         "encoder_block_0_layer_0_SelfAttention_q"),
        ("text_encoder_2.text_model.encoder.layers.0.mlp.fc1", "text_encoder_2", "text_model.encoder.layers.0.mlp.fc1"),
        ("text_encoders.t5xxl.transformer.encoder.block.0.layer.1.DenseReluDense.wo", "text_encoder_3",
         "encoder.block.0.layer.1.DenseReluDense.wo"),
    ],
)  # fmt: skip
def test_the_prefix_says_the_part(name: str, part: str, layer: str) -> None:
    assert split_part(name) == (part, layer)
