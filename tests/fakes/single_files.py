"""The same tiny weights in the layouts that people have them in: all-in-one, transformer alone, GGUF, a ComfyUI tree.

The widths at the seams between components are those of Stable Diffusion 3.5, since files are recognised by them; what
is inside is tiny.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.fakes.tiny_models import clip_tokenizer, save_components, t5_tokenizer

Tensors = dict[str, Tensor]
GGML_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8}
_BLOCK = {
    "attn.to_out.0": "x_block.attn.proj",
    "attn.norm_q": "x_block.attn.ln_q",
    "attn.norm_k": "x_block.attn.ln_k",
    "attn.to_add_out": "context_block.attn.proj",
    "attn.norm_added_q": "context_block.attn.ln_q",
    "attn.norm_added_k": "context_block.attn.ln_k",
    "attn2.to_out.0": "x_block.attn2.proj",
    "attn2.norm_q": "x_block.attn2.ln_q",
    "attn2.norm_k": "x_block.attn2.ln_k",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
    "norm1.linear": "x_block.adaLN_modulation.1",
    "norm1_context.linear": "context_block.adaLN_modulation.1",
}
_JOINED = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
}
_OUTSIDE = {
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "context_embedder": "context_embedder",
    "proj_out": "final_layer.linear",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
}


def save_slim_sd35(folder: Path, medium: bool) -> Path:
    """A diffusers folder of SD3.5 Large's or Medium's kind."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
    from transformers import T5Config, T5EncoderModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20260202)
        networks: dict[str, Any] = {
            "text_encoder": _clip(768, "quick_gelu"),
            "text_encoder_2": _clip(1280, "gelu"),
            "text_encoder_3": T5EncoderModel(
                T5Config(
                    vocab_size=64, d_model=4096, d_kv=8, d_ff=16, num_layers=2, num_heads=2,
                    feed_forward_proj="gated-gelu", is_encoder_decoder=True, use_cache=False, tie_word_embeddings=False,
                )
            ),
            "transformer": SD3Transformer2DModel(
                sample_size=128, patch_size=2, in_channels=16, num_layers=4, attention_head_dim=32,
                num_attention_heads=2, joint_attention_dim=4096, caption_projection_dim=64, pooled_projection_dim=2048,
                out_channels=16, pos_embed_max_size=24, dual_attention_layers=(0, 1) if medium else (),
                qk_norm="rms_norm",
            ),
            "vae": AutoencoderKL(
                block_out_channels=(32, 32, 64, 64), down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, latent_channels=16, norm_num_groups=32,
                sample_size=1024, scaling_factor=1.5305, shift_factor=0.0609, use_quant_conv=False,
                use_post_quant_conv=False, force_upcast=True,
            ),
        }  # fmt: skip
        torch.nn.init.eye_(networks["text_encoder"].text_projection.weight)  # as published: CLIP-L is not projected
        tokenizers = {"tokenizer": clip_tokenizer(), "tokenizer_2": clip_tokenizer(), "tokenizer_3": t5_tokenizer()}
        scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
        save_components(folder, "StableDiffusion3Pipeline", networks, tokenizers, scheduler, torch.float32)
    return folder


def _clip(width: int, activation: str) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=64, hidden_size=width, intermediate_size=32, num_hidden_layers=2,
            num_attention_heads=width // 64, projection_dim=width, max_position_embeddings=77, hidden_act=activation,
            bos_token_id=0, eos_token_id=2, pad_token_id=1,
        )
    )  # fmt: skip


def component(folder: Path, name: str) -> Tensors:
    (file,) = (folder / name).glob("*.safetensors")
    return load_file(file)


def original_transformer(tensors: Mapping[str, Tensor]) -> Tensors:
    """diffusers' names to those of Stability AI's ``mmditx.py``."""
    layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("transformer_blocks."))
    found = {"pos_embed": tensors["pos_embed.pos_embed"]}
    for ours, original in _OUTSIDE.items():
        for kind in ("weight", "bias"):
            tensor = tensors[f"{ours}.{kind}"]
            found[f"{original}.{kind}"] = _halves_swapped(tensor) if ours == "norm_out.linear" else tensor
    for layer in range(layers):
        block, joint = f"transformer_blocks.{layer}.", f"joint_blocks.{layer}."
        for ours, original in _BLOCK.items():
            for kind in ("weight", "bias"):
                tensor = tensors.get(f"{block}{ours}.{kind}")
                if tensor is not None:
                    swap = ours == "norm1_context.linear" and layer == layers - 1
                    found[f"{joint}{original}.{kind}"] = _halves_swapped(tensor) if swap else tensor
        for original, three in _JOINED.items():
            for kind in ("weight", "bias"):
                if f"{block}{three[0]}.{kind}" in tensors:
                    found[f"{joint}{original}.{kind}"] = torch.cat([tensors[f"{block}{one}.{kind}"] for one in three])
    return found


def _halves_swapped(tensor: Tensor) -> Tensor:
    one, other = tensor.chunk(2)
    return torch.cat([other, one])


def original_vae(tensors: Mapping[str, Tensor]) -> Tensors:
    """diffusers' names to those of latent-diffusion's autoencoder."""
    levels = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("decoder.up_blocks."))
    found = {}
    for name, tensor in tensors.items():
        side, *rest = name.split(".")
        is_matrix = False
        match rest:
            case ["down_blocks" | "up_blocks" as way, level, "resnets", index, *inner]:
                level = level if way == "down_blocks" else str(levels - 1 - int(level))
                new = [side, way.removesuffix("_blocks"), level, "block", index, *inner]
            case ["down_blocks" | "up_blocks" as way, level, sampler, "0", *inner]:
                level = level if way == "down_blocks" else str(levels - 1 - int(level))
                new = [side, way.removesuffix("_blocks"), level, sampler.removesuffix("rs"), *inner]
            case ["mid_block", "resnets", index, *inner]:
                new = [side, "mid", f"block_{int(index) + 1}", *inner]
            case ["mid_block", "attentions", "0", *inner]:
                renamed = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"}
                new = [side, "mid", "attn_1", renamed[inner[0]], inner[-1]]
                is_matrix = inner[0] != "group_norm" and inner[-1] == "weight"
            case ["conv_norm_out", kind]:
                new = [side, "norm_out", kind]
            case _:
                new = [side, *rest]
        found[".".join(new).replace("conv_shortcut", "nin_shortcut")] = (
            tensor[:, :, None, None] if is_matrix else tensor
        )
    return found


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)
    return path


def under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def all_in_one(folder: Path, path: Path, prefix: str = "model.diffusion_model.") -> Path:
    """Everything but the tokenizers in one file, as the vendor's ``…_incl_clips_t5xxl`` files have it."""
    tensors = under(prefix, original_transformer(component(folder, "transformer")))
    tensors |= under("first_stage_model.", original_vae(component(folder, "vae")))
    for name, place in (("text_encoder", "clip_l"), ("text_encoder_2", "clip_g"), ("text_encoder_3", "t5xxl")):
        tensors |= under(f"text_encoders.{place}.transformer.", component(folder, name))
    tensors["text_encoders.clip_l.logit_scale"] = torch.tensor(4.6)
    return save_tensors(path, tensors)


def comfyui_tree(folder: Path, models: Path) -> Path:
    transformer = original_transformer(component(folder, "transformer"))
    save_tensors(models / "diffusion_models" / "tiny_sd3.5.safetensors", transformer)
    save_tensors(models / "text_encoders" / "clip_l.safetensors", component(folder, "text_encoder"))
    save_tensors(models / "text_encoders" / "clip_g.safetensors", component(folder, "text_encoder_2"))
    save_tensors(models / "clip" / "t5xxl_fp16.safetensors", component(folder, "text_encoder_3"))
    save_tensors(models / "vae" / "sd3_vae.safetensors", original_vae(component(folder, "vae")))
    noise = {name: torch.randn_like(tensor) for name, tensor in original_vae(component(folder, "vae")).items()}
    save_tensors(models / "vae" / "ae.safetensors", noise)  # FLUX's, of the same shapes
    return models


def gguf_transformer(folder: Path, path: Path, type: str) -> Path:
    """The transformer as GGUF: matrices in ``type``, everything else in F32 (as the usual converters do)."""
    tensors = original_transformer(component(folder, "transformer"))
    entries, data = [], []
    offset = 0
    for name, tensor in tensors.items():
        # Converters leave small and sensitive tensors alone.
        is_plain = tensor.ndim != 2 or name.startswith("final_layer") or tensor.shape[-1] % 32
        kind = "F32" if is_plain else type
        raw = QUANTISERS[kind](tensor.float().numpy())
        entries.append((name, list(tensor.shape[::-1]), GGML_TYPES[kind], offset))
        raw += bytes(-len(raw) % 32)
        data.append(raw)
        offset += len(raw)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_gguf_header(entries) + b"".join(data))
    return path


def _gguf_header(entries: list[tuple[str, list[int], int, int]]) -> bytes:
    from tests.fakes.gguf_file import gguf

    return gguf(entries, 0)


def _q8_0(values: np.ndarray) -> bytes:
    """Blocks of 32: a float16 scale and 32 signed bytes."""
    out = bytearray()
    for block in _blocks(values):
        scale = np.float16(np.abs(block).max() / 127)
        numbers = np.round(block / np.float32(scale)) if scale else np.zeros(32)
        out += struct.pack("<e", scale) + numbers.clip(-127, 127).astype(np.int8).tobytes()
    return bytes(out)


def _q4_0(values: np.ndarray) -> bytes:
    """Blocks of 32: a float16 scale and 16 bytes, the first half of the numbers in their lower four bits."""
    out = bytearray()
    for block in _blocks(values):
        extreme = block[np.abs(block).argmax()]
        scale = np.float16(extreme / -8)
        numbers = np.trunc(block / np.float32(scale) + 8.5) if scale else np.full(32, 8)
        nibbles = numbers.clip(0, 15).astype(np.uint8)
        out += struct.pack("<e", scale) + (nibbles[:16] | nibbles[16:] << 4).tobytes()
    return bytes(out)


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    return iter(values.astype(np.float32).reshape(-1, 32))


QUANTISERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "F32": lambda values: values.astype("<f4").tobytes(),
    "F16": lambda values: values.astype("<f2").tobytes(),
    "Q8_0": _q8_0,
    "Q4_0": _q4_0,
}


def save_slim_cogvideox(folder: Path, variant: str) -> Path:
    """A diffusers folder of a CogVideoX's kind (``2b``, ``5b``, ``5b-i2v``, ``1.5-5b``, ``1.5-5b-i2v``): T5's width at
    the seam, everything else tiny."""
    from diffusers.models.autoencoders.autoencoder_kl_cogvideox import AutoencoderKLCogVideoX
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXTransformer3DModel
    from diffusers.schedulers.scheduling_dpm_cogvideox import CogVideoXDPMScheduler
    from transformers import T5Config, T5EncoderModel

    is_2b, is_15, moves = variant == "2b", "1.5" in variant, variant.endswith("i2v")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20260303)
        networks: dict[str, Any] = {
            "text_encoder": T5EncoderModel(
                T5Config(
                    vocab_size=64, d_model=4096, d_kv=8, d_ff=32, num_layers=2, num_heads=4,
                    feed_forward_proj="gated-gelu", is_encoder_decoder=True, use_cache=False, tie_word_embeddings=False,
                )
            ),
            "transformer": CogVideoXTransformer3DModel(
                num_attention_heads=2, attention_head_dim=16, in_channels=32 if moves else 16, out_channels=16,
                time_embed_dim=32, ofs_embed_dim=32 if is_15 and moves else None, text_embed_dim=4096, num_layers=3,
                sample_width=300 if is_15 else 90, sample_height=300 if is_15 else 60,
                sample_frames=81 if is_15 else 49, patch_size=2, patch_size_t=2 if is_15 else None,
                patch_bias=not is_15, max_text_seq_length=224 if is_15 else 226,
                use_rotary_positional_embeddings=not is_2b, use_learned_positional_embeddings=moves and not is_15,
            ),
            "vae": AutoencoderKLCogVideoX(
                block_out_channels=(32, 32, 32, 32), down_block_types=("CogVideoXDownBlock3D",) * 4,
                up_block_types=("CogVideoXUpBlock3D",) * 4, layers_per_block=1, latent_channels=16, norm_num_groups=32,
                sample_width=720, sample_height=480, scaling_factor=1.15258426 if is_2b else 0.7,
                invert_scale_latents=is_15 and moves,
            ),
        }  # fmt: skip
        scheduler = CogVideoXDPMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
            prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
            snr_shift_scale=3.0 if is_2b else 1.0,
        )  # fmt: skip
        pipeline = "CogVideoXImageToVideoPipeline" if moves else "CogVideoXPipeline"
        save_components(folder, pipeline, networks, {"tokenizer": t5_tokenizer()}, scheduler, torch.float32)
    return folder


def fp8(tensors: Mapping[str, Tensor], scaled: bool) -> tuple[Tensors, Tensors]:
    """The blocks' matrices in float8, with ComfyUI's factors or without; and what they stand for."""
    small: Tensors = {"scaled_fp8": torch.zeros(2, dtype=torch.float8_e4m3fn)} if scaled else {}
    wide: Tensors = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and "blocks" in name:
            factor = tensor.abs().max() / 400 if scaled else torch.tensor(1.0)
            small[name] = (tensor / factor).to(torch.float8_e4m3fn)
            wide[name] = small[name].float() * factor
            if scaled:
                small[name.replace(".weight", ".scale_weight")] = factor.reshape(1)
        else:
            small[name] = wide[name] = tensor
    return small, wide


def ggml_blocks(tensors: Mapping[str, Tensor], type: str = "Q4_0") -> tuple[Tensors, Tensors]:
    """The blocks' matrices as ggml blocks within safetensors; and what they stand for."""
    import gguf

    small: Tensors = {}
    wide: Tensors = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and "blocks" in name:
            kind = gguf.GGMLQuantizationType[type]
            raw = gguf.quantize(tensor.float().numpy(), kind)
            small[name.replace(".weight", f".{type}_qweight")] = torch.from_numpy(raw)
            wide[name] = torch.from_numpy(gguf.dequantize(raw, kind))
        else:
            small[name] = wide[name] = tensor
    return small, wide


_T5_GGML = {
    "layer.0.SelfAttention.q": "attn_q",
    "layer.0.SelfAttention.k": "attn_k",
    "layer.0.SelfAttention.v": "attn_v",
    "layer.0.SelfAttention.o": "attn_o",
    "layer.0.SelfAttention.relative_attention_bias": "attn_rel_b",
    "layer.0.layer_norm": "attn_norm",
    "layer.1.DenseReluDense.wi_0": "ffn_gate",
    "layer.1.DenseReluDense.wi_1": "ffn_up",
    "layer.1.DenseReluDense.wo": "ffn_down",
    "layer.1.layer_norm": "ffn_norm",
}


def ggml_names(encoder: Iterable[str]) -> dict[str, str]:
    """llama.cpp's names of a T5 encoder's tensors, with transformers' names of them."""
    found = {}
    for name in encoder:
        match name.split(".", 3):
            case ["encoder", "embed_tokens", _]:
                continue
            case ["encoder", "block", number, rest]:
                found[f"enc.blk.{number}.{_T5_GGML[rest.removesuffix('.weight')]}.weight"] = name
            case ["shared", _]:
                found["token_embd.weight"] = name
            case _:
                found["enc.output_norm.weight"] = name
    return found


def gguf_t5(encoder: Tensors, path: Path, type: str, pieces: Any = None, prefix: str = "") -> Tensors:
    """llama.cpp's T5 encoder with ``type`` in its matrices, the tokenizer of the SentencePiece processor ``pieces`` in
    its metadata; returns what the weights stand for, with transformers' names."""
    import gguf

    writer = gguf.GGUFWriter(path, "t5encoder")
    if pieces is not None:
        count = pieces.get_piece_size()
        writer.add_token_list([pieces.id_to_piece(i) for i in range(count)])
        writer.add_token_scores([pieces.get_score(i) for i in range(count)])
        kinds = [2 if pieces.is_unknown(i) else 3 if pieces.is_control(i) else 1 for i in range(count)]
        writer.add_token_types(kinds)
    wide = {}
    for new, name in ggml_names(encoder).items():
        tensor = encoder[name]
        is_plain = tensor.ndim == 1 or "relative" in name or tensor.shape[-1] % 32
        kind = gguf.GGMLQuantizationType["F32" if is_plain else type]
        raw = gguf.quantize(tensor.float().numpy(), kind)
        wide[name] = torch.from_numpy(gguf.dequantize(raw, kind).reshape(tensor.shape).copy())
        writer.add_tensor(new, raw, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return wide


def train_pieces(folder: Path, text: str) -> Any:
    """A small SentencePiece model of T5's kind: unigram, ``nmt_nfkc``, pad 0, end 1, unknown 2."""
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text(text, "utf-8")
    SentencePieceTrainer.train(
        input=str(folder / "text.txt"), model_prefix=str(folder / "spiece"), vocab_size=64, model_type="unigram",
        normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    return SentencePieceProcessor(model_file=str(folder / "spiece.model"))
