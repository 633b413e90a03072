"""Files of other families are refused by what they are, in a sentence that does not contradict itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.models.lora_facts import lora_facts
from engine.models.reading.strangers import stranger
from engine.models.recognise import recognise_file
from engine.protocol.errors import BadFile
from tests.engine.models.test_imports import sparse

WIDE = (1, 1)
TABLE = """
a Flux transformer: double_blocks.0.img_attn.qkv.weight double_blocks.0.img_mod.lin.weight
    single_blocks.0.linear1.weight guidance_in.in_layer.weight txt_in.weight img_in.weight
a Flux transformer: model.diffusion_model.double_blocks.0.img_attn.qkv.weight
    model.diffusion_model.single_blocks.0.linear1.weight vae.decoder.conv_in.weight
    text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1.weight
a Flux transformer: transformer_blocks.0.attn.add_k_proj.weight transformer_blocks.0.attn.norm_added_k.weight
    single_transformer_blocks.0.attn.to_q.weight x_embedder.weight
a Flux.2 transformer: double_blocks.0.img_attn.qkv.weight single_blocks.0.linear1.weight
    double_stream_modulation_img.lin.weight
a Chroma transformer: double_blocks.0.img_attn.qkv.weight single_blocks.0.linear1.weight
    distilled_guidance_layer.in_proj.weight
a Stable Diffusion XL checkpoint: model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight
    model.diffusion_model.label_emb.0.0.weight
    model.diffusion_model.input_blocks.7.1.transformer_blocks.9.attn1.to_q.weight
    conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight
    first_stage_model.decoder.conv_in.weight
a Stable Diffusion 1, 2 or XL checkpoint: model.diffusion_model.input_blocks.0.0.weight
    model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight
    model.diffusion_model.middle_block.0.in_layers.0.weight
    cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight first_stage_model.decoder.conv_in.weight
a Stable Diffusion 1, 2 or XL checkpoint: model.diffusion_model.input_blocks.0.0.weight
    cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight
a Stable Diffusion 1, 2 or XL checkpoint: down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight
    conv_in.weight mid_block.resnets.0.conv1.weight
a Stable Diffusion XL checkpoint: down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q.weight
    add_embedding.linear_1.weight down_blocks.2.attentions.0.transformer_blocks.9.attn1.to_q.weight
a Wan video transformer: blocks.0.self_attn.q.weight blocks.0.cross_attn.k.weight blocks.0.ffn.0.weight
    patch_embedding.weight head.modulation
a Wan video transformer: blocks.0.attn1.to_q.weight blocks.0.attn2.to_q.weight blocks.0.ffn.net.0.proj.weight
    condition_embedder.time_embedder.linear_1.weight patch_embedding.weight scale_shift_table
    blocks.0.scale_shift_table
a Wan video transformer: model.diffusion_model.blocks.0.self_attn.q.weight
    model.diffusion_model.blocks.0.cross_attn.k_img.weight model.diffusion_model.img_emb.proj.0.weight
a Wan video transformer: blocks.0.self_attn.q.weight vace_blocks.0.self_attn.q.weight
the VAE of Wan or Qwen-Image: decoder.conv1.weight decoder.middle.0.residual.0.gamma
    encoder.downsamples.0.residual.0.gamma
a HunyuanVideo transformer: double_blocks.0.img_attn_qkv.weight single_blocks.0.linear1.weight
    txt_in.individual_token_refiner.blocks.0.self_attn_qkv.weight
a HunyuanVideo transformer: model.diffusion_model.double_blocks.0.img_attn.qkv.weight
    model.diffusion_model.single_blocks.0.linear1.weight
    model.diffusion_model.txt_in.individual_token_refiner.blocks.0.self_attn.qkv.weight
the VAE of HunyuanVideo: decoder.mid_block.resnets.0.conv1.conv.weight decoder.conv_in.conv.weight
    encoder.down_blocks.0.resnets.0.conv1.conv.weight
a Hunyuan-DiT transformer: blocks.0.attn1.Wqkv.weight blocks.0.attn2.kv_proj.weight mlp_t5.0.weight
    pooler.positional_embedding
an LTX-Video transformer: model.diffusion_model.transformer_blocks.0.attn1.to_q.weight
    model.diffusion_model.transformer_blocks.0.scale_shift_table model.diffusion_model.patchify_proj.weight
    model.diffusion_model.adaln_single.emb.timestep_embedder.linear_1.weight
    model.diffusion_model.caption_projection.linear_1.weight vae.decoder.conv_in.conv.weight
an LTX-Video transformer: transformer_blocks.0.attn1.to_q.weight transformer_blocks.0.scale_shift_table
    proj_in.weight time_embed.emb.timestep_embedder.linear_1.weight caption_projection.linear_1.weight
    transformer_blocks.0.attn1.norm_q.weight
a Mochi transformer: blocks.0.attn.qkv_x.weight blocks.0.attn.qkv_y.weight t5_yproj.weight
a Mochi transformer: transformer_blocks.0.attn1.to_q.weight transformer_blocks.0.attn1.add_q_proj.weight
    transformer_blocks.0.norm1_context.linear_1.weight time_embed.pooler.to_kv.weight
a HiDream transformer: double_stream_blocks.0.block.attn1.to_q.weight single_stream_blocks.0.block.attn1.to_q.weight
    caption_projection.0.linear.weight x_embedder.proj.weight
a Qwen-Image transformer: transformer_blocks.0.attn.add_k_proj.weight transformer_blocks.0.attn.norm_added_q.weight
    transformer_blocks.0.img_mlp.net.0.proj.weight transformer_blocks.0.img_mod.1.weight img_in.weight
    txt_norm.weight
a Lumina or Z-Image transformer: model.diffusion_model.layers.0.attention.qkv.weight
    model.diffusion_model.noise_refiner.0.attention.qkv.weight
    model.diffusion_model.context_refiner.0.attention.qkv.weight model.diffusion_model.cap_embedder.0.weight
a Lumina or Z-Image transformer: layers.0.attention.qkv.weight noise_refiner.0.attention.qkv.weight
    cap_embedder.0.weight x_embedder.weight
a Cosmos transformer: net.blocks.block0.blocks.0.block.attn.to_q.0.weight net.x_embedder.proj.1.weight
    net.extra_pos_embedder.pos_emb_h
a Cosmos transformer: net.blocks.0.self_attn.q_proj.weight net.blocks.0.adaln_modulation_self_attn.1.weight
    net.x_embedder.proj.1.weight net.t_embedder.1.linear_1.weight
an AuraFlow transformer: model.double_layers.0.attn.w1q.weight model.single_layers.0.attn.w1q.weight
    model.register_tokens model.positional_encoding
a PixArt transformer: blocks.0.attn.qkv.weight blocks.0.cross_attn.q_linear.weight blocks.0.scale_shift_table
    y_embedder.y_embedding t_block.1.weight
a PixArt transformer: transformer_blocks.0.attn1.to_q.weight transformer_blocks.0.scale_shift_table
    adaln_single.emb.timestep_embedder.linear_1.weight caption_projection.linear_1.weight pos_embed.proj.weight
a Sana transformer: transformer_blocks.0.attn1.to_q.weight transformer_blocks.0.ff.conv_depth.weight
    caption_projection.linear_1.weight time_embed.emb.timestep_embedder.linear_1.weight
a Stable Cascade model: down_blocks.0.0.channelwise.0.weight clip_txt_pooled_mapper.weight
a Kandinsky 5 transformer: visual_transformer_blocks.0.self_attention.to_query.weight
    text_transformer_blocks.0.self_attention.to_query.weight
an OmniGen transformer: llm.layers.0.self_attn.qkv_proj.weight x_embedder.proj.weight time_token.mlp.0.weight
a Stable Audio model: model.model.transformer.layers.0.self_attn.to_qkv.weight conditioner.conditioners.prompt.x
    pretransform.model.decoder.layers.0.weight_g
an ACE-Step model: transformer_blocks.0.cross_attn.to_q.weight lyric_encoder.encoders.0.self_attn.linear_q.weight
    genre_embedder.weight
a Stable Video Diffusion model: model.diffusion_model.input_blocks.1.1.time_stack.0.attn1.to_q.weight
    model.diffusion_model.input_blocks.0.0.weight
a PixArt transformer: transformer_blocks.0.attn1.to_q.weight adaln_single.emb.timestep_embedder.linear_1.weight
a VAE of another model: decoder.conv_in.weight encoder.conv_in.weight decoder.up.0.block.0.norm1.weight
a small VAE for previews (TAESD): decoder.layers.0.weight encoder.layers.0.weight
a vision encoder: vision_model.encoder.layers.0.mlp.fc1.weight visual_projection.weight
a vision encoder: visual.transformer.resblocks.0.attn.in_proj_weight
a vision encoder: vision_model.encoder.layers.0.self_attn.k_proj.weight vision_model.head.probe
a textual inversion: clip_l clip_g
a textual inversion: emb_params
an upscaler: model.0.weight model.1.sub.0.RDB1.conv1.0.weight
an upscaler: conv_first.weight body.0.rdb1.conv1.weight
an upscaler: conv_first.weight layers.0.blocks.0.attn.attns.0.pos.pos_proj.weight
an upscaler: conv_first.weight layers.0.residual_group.blocks.0.attn.qkv.weight
a ControlNet for Stable Diffusion 1, 2 or XL: control_model.input_blocks.0.0.weight
    control_model.input_hint_block.0.weight
a ControlNet for Stable Diffusion XL: controlnet_cond_embedding.conv_in.weight controlnet_down_blocks.0.weight
    down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q.weight
a ControlNet for Flux: controlnet_blocks.0.weight controlnet_single_blocks.0.weight
    transformer_blocks.0.attn.add_k_proj.weight single_transformer_blocks.0.attn.to_q.weight
a ControlNet: controlnet_blocks.0.weight controlnet_x_embedder.weight transformer_blocks.0.attn.add_k_proj.weight
    transformer_blocks.0.attn.norm_added_k.weight context_embedder.weight
a ControlNet for Qwen-Image: controlnet_blocks.0.weight controlnet_x_embedder.weight
    transformer_blocks.0.img_mlp.net.0.proj.weight transformer_blocks.0.attn.add_k_proj.weight
a ControlNet: controlnet_blocks.0.weight blocks.0.attn1.to_q.weight
a ControlNet: controlnet_blocks.0.weight blocks.0.attn1.to_q.weight
a ControlNet: controlnet_encode_first.0.weight transformer_blocks.0.attn1.to_q.weight out_projectors.0.weight
a T2I-Adapter: adapter.body.0.resnets.0.block1.weight
a T2I-Adapter: body.0.in_conv.weight conv_in.weight
a ControlNet for Stable Diffusion 1, 2 or XL: lora_controlnet input_blocks.0.0.weight input_hint_block.0.weight
an IP-Adapter: image_proj.proj.weight ip_adapter.1.to_k_ip.weight
an IP-Adapter: ip_adapter_proj_model.proj.weight double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight
an IP-Adapter: image_proj.latents ip_adapter.1.to_k_ip.weight
a motion module of AnimateDiff: down_blocks.0.motion_modules.0.temporal_transformer.norm.weight
a vision-language model: model.layers.0.self_attn.q_proj.weight model.embed_tokens.weight
    visual.blocks.0.attn.qkv.weight
a language model: model.layers.0.self_attn.q_proj.weight model.embed_tokens.weight
a language model: model.layers.0.self_attn.q_proj.weight model.layers.0.pre_feedforward_layernorm.weight
a T5 of another size or kind: shared.weight encoder.block.0.layer.0.SelfAttention.q.weight
    encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight
    encoder.block.0.layer.1.DenseReluDense.wo.weight
a T5 of another size or kind: shared.weight encoder.block.0.layer.0.SelfAttention.q.weight
a text encoder of another model: text_model.embeddings.token_embedding.weight
    text_model.encoder.layers.0.mlp.fc1.weight
a language model: transformer.encoder.layers.0.self_attention.query_key_value.weight
a LoRA for Flux: lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight
    lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight
a LoRA for Flux: transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight
a LoRA: transformer.transformer_blocks.0.attn.add_q_proj.lora_A.weight
    transformer.transformer_blocks.0.ff_context.net.0.proj.lora_A.weight
a LoRA for Stable Diffusion XL: lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.lora_down.weight
    lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight
a LoRA for Stable Diffusion 1, 2 or XL:
    lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight
    lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight
a LoRA for Wan: diffusion_model.blocks.0.self_attn.q.lora_A.weight
a LoRA for Wan: lora_unet_blocks_0_self_attn_q.lora_down.weight
a LoRA for HunyuanVideo: transformer.double_blocks.0.img_attn_qkv.lora_A.weight
a LoRA for LTX-Video or PixArt: transformer.transformer_blocks.0.attn1.to_q.lora_A.weight
    transformer.transformer_blocks.0.attn2.to_q.lora_A.weight
a LoRA for Qwen-Image: transformer.transformer_blocks.0.img_mlp.net.2.lora_A.weight
a LoRA for Lumina or Z-Image: diffusion_model.layers.0.attention.qkv.lora_A.weight
a LoRA: transformer.transformer_blocks.0.attn.to_q.lora_A.weight
a LoRA: diffusion_model.joint_blocks.0.x_block.attn.qkv.lora_A.weight
a LoRA: transformer.transformer_blocks.0.attn1.to_q.lora_A.weight
a LoRA for Stable Diffusion 1, 2 or XL: lora_unet_input_blocks_1_0_in_layers_2.hada_w1_a
a LoRA: foo.bar.lora_A.weight
a GLIGEN adapter: position_net.null_positive_feature
a style model of Flux: redux_up.weight redux_down.weight
"""
"""What a file is, and names of some of its tensors."""
STRANGERS = [
    (what, names.split())
    for what, _, names in (row.partition(": ") for row in TABLE.replace("\n    ", " ").split("\n") if row)
]
UNKNOWN = ("cp.resnet.conv1.weight", "model.0.conv.weight", "block0.conv0.0.0.weight", "anything")


@pytest.mark.parametrize(("what", "names"), STRANGERS)
def test_each_is_named(tmp_path: Path, what: str, names: list[str]) -> None:
    path = sparse(tmp_path / "x.safetensors", dict.fromkeys(names, WIDE))
    with pytest.raises(BadFile) as refused:
        recognise_file(path)
    is_lora = what.startswith("a LoRA")
    said = f"x.safetensors is {what}."
    assert refused.value.message == (said if what != "a LoRA" else "x.safetensors is a LoRA, not a model.")
    if is_lora and what != "a LoRA":
        assert lora_facts(path).is_strange and f"a LoRA for {lora_facts(path).family}" == what
    elif is_lora:
        assert not lora_facts(path).is_strange
    else:
        with pytest.raises(BadFile, match=re.escape(f"is {what}, not a LoRA")):
            lora_facts(path)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_says_nothing_is_called_nothing(tmp_path: Path, name: str) -> None:
    assert stranger([name]) is None
    with pytest.raises(BadFile, match="nothing that Laterna knows"):
        recognise_file(sparse(tmp_path / "x.safetensors", {name: WIDE}))


def test_ours_are_no_strangers() -> None:
    from tests.fakes import true_size as true

    for network in ("sd3.5-large", "sd3.5-medium"):
        for names in (true.mmdit(network), true.shapes_of(network)):
            assert stranger(f"{name}.lora_A.weight" for name in names) == ("LoRA", "a LoRA", "")
    for network in ("cogvideox-2b", "cogvideox-5b", "cogvideox-1.5-5b-i2v"):
        own = [name.removesuffix(".weight") for name in true.shapes_of(network) if name.endswith(".weight")]
        assert stranger(f"{name}.lora_A.weight" for name in own) == ("LoRA", "a LoRA", "")
        flat = [f"lora_unet__{name.replace('.', '_')}.lora_down.weight" for name in own]
        assert stranger(flat) == ("LoRA", "a LoRA", "")


def test_layers_called_as_ours_are_told_by_their_width(tmp_path: Path) -> None:
    """Flux' first blocks have the very names of Stable Diffusion 3.5's."""
    layer = "transformer.transformer_blocks.0.attn.to_q"
    for width, family in ((3072, "Flux or Qwen-Image"), (2432, "sd35"), (1536, "sd35")):
        shapes = {f"{layer}.lora_A.weight": (4, width), f"{layer}.lora_B.weight": (width, 4)}
        assert lora_facts(sparse(tmp_path / "a.safetensors", shapes, "F16")).family == family


def test_parts_of_another_familys_checkpoint_are_not_taken(tmp_path: Path) -> None:
    """A Flux checkpoint of ComfyUI holds a VAE of the shapes of Stable Diffusion 3.5's, with other numbers."""
    from tests.fakes import true_size as true

    storage = true.plain({"model.diffusion_model.double_blocks.0.img_attn.qkv.weight": (4, 4)}, "F16")
    storage |= true.under("vae.", true.plain(true.vae(), "F16")) | true.encoders("clip_l", "t5xxl")
    with pytest.raises(BadFile, match="is a Flux transformer"):
        recognise_file(true.safetensors(tmp_path / "flux1-dev-fp8.safetensors", storage))


def test_hunyuanvideos_vae_is_not_cogvideoxs(tmp_path: Path) -> None:
    shapes = {"decoder.conv_in.conv.weight": (512, 16, 3, 3, 3), "decoder.mid_block.attentions.0.to_q.weight": (4, 4)}
    shapes |= {f"{side}.mid_block.resnets.0.conv1.conv.weight": (4, 4, 3, 3, 3) for side in ("encoder", "decoder")}
    shapes |= {"encoder.down_blocks.0.resnets.0.conv1.conv.weight": (128, 128, 3, 3, 3)}
    with pytest.raises(BadFile, match="the VAE of HunyuanVideo"):
        recognise_file(sparse(tmp_path / "vae.safetensors", shapes))
