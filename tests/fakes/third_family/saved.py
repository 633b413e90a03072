"""A tiny model of the family on disk: as a folder in diffusers layout, and in single files beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import T5EncoderModel

from tests.fakes.tiny_models import WORDS, _t5_encoder, save_components, t5_tokenizer

from .network.transformer import TwofoldTransformer
from .published import TRANSFORMER_CONFIG, VAE_CONFIG


def save_folder(folder: Path, text_dim: int = 40) -> Path:
    """Always the same weights."""
    folder.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20260303)
        networks = {
            "text_encoder": _t5_encoder(text_dim),
            "transformer": TwofoldTransformer(**(TRANSFORMER_CONFIG | {"text_dim": text_dim})),
            "transformer_2": TwofoldTransformer(**(TRANSFORMER_CONFIG | {"text_dim": text_dim})),
            "vae": AutoencoderKL(**VAE_CONFIG),
        }
    scheduler = FlowMatchEulerDiscreteScheduler(shift=1.0)
    save_components(folder, "TwofoldPipeline", networks, {"tokenizer": t5_tokenizer()}, scheduler, torch.float32)
    return folder


def save_files(folder: Path, whole: Path) -> Path:
    """The components of ``whole`` as files of one folder, as people of ComfyUI have them."""
    folder.mkdir(parents=True)
    for name, file in (("transformer", "twofold_high_noise"), ("transformer_2", "twofold_low_noise")):
        network = TwofoldTransformer.from_pretrained(whole / name)
        save_file(_joined(network.state_dict()), folder / f"{file}.safetensors")
    vae = AutoencoderKL.from_pretrained(whole / "vae")
    save_file(
        {f"vae.{name}": value.contiguous() for name, value in vae.state_dict().items()},
        folder / "twofold_vae.safetensors",
    )

    encoder = T5EncoderModel.from_pretrained(whole / "text_encoder").state_dict()
    encoder.pop("encoder.embed_tokens.weight", None)
    save_file({name: value.contiguous() for name, value in encoder.items()}, folder / "t5xxl.safetensors")
    _save_tokenizer(folder / "comfy" / "text_encoders" / "t5_tokenizer")
    return folder


def _save_tokenizer(folder: Path) -> None:
    """As ComfyUI carries T5's: a unigram model of 32,100 pieces."""
    folder.mkdir(parents=True)
    pieces = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], *([f"\u2581{word}", -1.0] for word in WORDS)]
    pieces += [[f"<extra_{number}>", -9.0] for number in range(32_100 - len(pieces))]
    core = Tokenizer(models.Unigram([(word, score) for word, score in pieces], unk_id=2))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer"}))


def _joined(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        short = name.replace("stages.", "blocks.", 1)
        if ".mixer.to_q." in name:
            parts = [weights[name.replace("to_q", f"to_{one}")] for one in "qkv"]
            found[f"model.diffusion_model.{short.replace('to_q', 'qkv')}"] = torch.cat(parts)
        elif not any(f".mixer.to_{one}." in name for one in "kv"):
            found[f"model.diffusion_model.{short}"] = value.contiguous()
    return found
