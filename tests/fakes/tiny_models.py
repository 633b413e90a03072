"""Tiny random models of the real classes, saved as folders in the hub's diffusers layout.

Each is a few hundred thousand parameters with the structure of a published one, real tokenizers included, so that the
engine and the reference pipelines load and run them exactly as they would the large ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch

Variant = Literal[
    "sd35-large",
    "sd35-medium",
    "sd35-no-t5",
    "cogvideox-2b",
    "cogvideox-5b",
    "cogvideox-1.5",
    "cogvideox-5b-i2v",
    "cogvideox-1.5-i2v",
]

CLIP_LENGTH = 16
WORDS = ("a red blue green apple dog house on the left right in above small large bad blurry sky sea moves").split()  # noqa: SIM905


def save_tiny_model(folder: Path, variant: Variant, dtype: torch.dtype = torch.float32) -> Path:
    """Write the model into ``folder`` and return it. The same variant always has the same weights."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20260101)
        (_save_sd35 if variant.startswith("sd35") else _save_cogvideox)(folder, variant, dtype)
    return folder


def clip_tokenizer() -> Any:
    """A byte-pair CLIP tokenizer: letters, their word ends, and one merge."""
    from transformers import CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz,."
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters), "re", "red</w>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[("r", "e"), ("re", "d</w>")], model_max_length=CLIP_LENGTH)


def t5_tokenizer() -> Any:
    """One id a word, the end token behind."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokens = ["<pad>", "</s>", "<unk>", *WORDS]
    core = Tokenizer(models.WordLevel({token: i for i, token in enumerate(tokens)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )


def _clip_encoder(width: int, projection: int) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=64,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=2,
        projection_dim=projection,
        max_position_embeddings=CLIP_LENGTH,
        hidden_act="quick_gelu",
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModelWithProjection(config)


def _t5_encoder(width: int) -> Any:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=64,
        d_model=width,
        d_kv=8,
        d_ff=2 * width,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=True,
        use_cache=False,
        tie_word_embeddings=False,
    )
    return T5EncoderModel(config)


def _save_sd35(folder: Path, variant: Variant, dtype: torch.dtype) -> None:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

    is_medium = variant == "sd35-medium"
    networks = {
        "text_encoder": _clip_encoder(16, 16),
        "text_encoder_2": _clip_encoder(16, 16),
        "text_encoder_3": _t5_encoder(40),
        "transformer": SD3Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=16,
            num_layers=4,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=40,
            caption_projection_dim=32,
            pooled_projection_dim=32,
            out_channels=16,
            pos_embed_max_size=24,
            dual_attention_layers=(0, 1) if is_medium else (),
            qk_norm="rms_norm",
        ),
        "vae": AutoencoderKL(
            block_out_channels=(8, 8, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=1,
            latent_channels=16,
            norm_num_groups=4,
            sample_size=128,
            scaling_factor=1.5305,
            shift_factor=0.0609,
            use_quant_conv=False,
            use_post_quant_conv=False,
        ),
    }
    tokenizers = {"tokenizer": clip_tokenizer(), "tokenizer_2": clip_tokenizer(), "tokenizer_3": t5_tokenizer()}
    if variant == "sd35-no-t5":
        networks.pop("text_encoder_3")
        tokenizers.pop("tokenizer_3")
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    save_components(folder, "StableDiffusion3Pipeline", networks, tokenizers, scheduler, dtype)


def _save_cogvideox(folder: Path, variant: Variant, dtype: torch.dtype) -> None:
    from diffusers.models.autoencoders.autoencoder_kl_cogvideox import AutoencoderKLCogVideoX
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXTransformer3DModel
    from diffusers.schedulers.scheduling_ddim_cogvideox import CogVideoXDDIMScheduler
    from diffusers.schedulers.scheduling_dpm_cogvideox import CogVideoXDPMScheduler

    is_2b, is_15, moves = variant == "cogvideox-2b", "1.5" in variant, variant.endswith("i2v")
    networks = {
        "text_encoder": _t5_encoder(24),
        "transformer": CogVideoXTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=16,
            in_channels=32 if moves else 16,
            out_channels=16,
            time_embed_dim=16,
            ofs_embed_dim=16 if is_15 and moves else None,
            text_embed_dim=24,
            num_layers=3,
            sample_width=12,
            sample_height=8,
            sample_frames=9,
            patch_size=2,
            patch_size_t=2 if is_15 else None,
            patch_bias=not is_15,
            max_text_seq_length=12,
            use_rotary_positional_embeddings=not is_2b,
            use_learned_positional_embeddings=moves and not is_15,
        ),
        "vae": AutoencoderKLCogVideoX(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            layers_per_block=1,
            latent_channels=16,
            norm_num_groups=2,
            sample_width=96,
            sample_height=64,
            scaling_factor=1.15258426 if is_2b else 0.7,
            invert_scale_latents=is_15 and moves,
        ),
    }
    scheduler = (CogVideoXDDIMScheduler if is_2b else CogVideoXDPMScheduler)(
        clip_sample=False,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        snr_shift_scale=3.0 if is_2b else 1.0,
    )
    pipeline = "CogVideoXImageToVideoPipeline" if moves else "CogVideoXPipeline"
    save_components(folder, pipeline, networks, {"tokenizer": t5_tokenizer()}, scheduler, dtype)


def save_components(
    folder: Path,
    pipeline: str,
    networks: dict[str, torch.nn.Module],
    tokenizers: dict[str, Any],
    scheduler: Any,
    dtype: torch.dtype,
) -> None:
    """Write the parts and ``model_index.json`` as the pipelines' ``save_pretrained`` does, without importing them."""
    index: dict[str, Any] = {"_class_name": pipeline, "_diffusers_version": "0.42.1"}
    for name, network in networks.items():
        if "text_encoder" not in name:
            _randomise(network)
        network.eval().to(dtype).save_pretrained(folder / name, safe_serialization=True)
    for name, part in (tokenizers | {"scheduler": scheduler}).items():
        part.save_pretrained(folder / name)
    for name, part in (networks | tokenizers | {"scheduler": scheduler}).items():
        library = "transformers" if name.startswith(("text_", "token")) else "diffusers"
        index[name] = [library, type(part).__name__]
    if pipeline == "StableDiffusion3Pipeline" and "text_encoder_3" not in networks:
        index |= {"text_encoder_3": [None, None], "tokenizer_3": [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))


def _randomise(network: torch.nn.Module) -> None:
    """Make what starts at zero or one (gates, norms) matter, so that a mistake in it shows."""
    for parameter in network.parameters():
        if parameter.ndim == 1:
            parameter.data.add_(0.1 * torch.randn_like(parameter))
