"""The file lists of the catalogued models' repositories at their real sizes, and small versions of them.

All lists are reconstructed: names from the published layouts (diffusers folders beside single-file copies), sizes of
weights from the figures in the vendors' model cards, sizes of small files of the right order. None was read from the
hub. Which contents are equal between repositories is assumed: within Stable Diffusion 3.5 the text encoders and the
VAE, within CogVideoX the text encoder and the VAE.
"""

from __future__ import annotations

import hashlib
import json
import zlib

from engine.models.download_plan import Listing, RemoteFile
from tests.fakes.hub import LFS_BYTES, noise

GB = 1_000_000_000
MB = 1_000_000

File = tuple[str, int, str]
"""Path, size in bytes, and the name of the content (files with the same name are the same)."""


def _small(folder: str, *names: str) -> list[File]:
    return [(f"{folder}/{name}", 700, f"{folder}/{name}") for name in names]


def _clip_tokenizer(folder: str) -> list[File]:
    vocabulary = [(f"{folder}/merges.txt", 524_619, "clip-merges"), (f"{folder}/vocab.json", 1_059_962, "clip-vocab")]
    return [*vocabulary, *_small(folder, "special_tokens_map.json", "tokenizer_config.json")]


def _t5_tokenizer(folder: str, whole: bool) -> list[File]:
    files = [(f"{folder}/spiece.model", 791_656, "t5-spiece"), *_small(folder, "special_tokens_map.json")]
    files += [(f"{folder}/tokenizer_config.json", 20_617, f"{folder}-t5-config")]
    return [*files, (f"{folder}/tokenizer.json", 2_424_064, "t5-tokenizer")] if whole else files


def _sd35(name: str, single: int, transformer: list[int]) -> list[File]:
    count = len(transformer)
    stem = "transformer/diffusion_pytorch_model"
    shards = [
        (
            f"{stem}-{i + 1:05}-of-{count:05}.safetensors" if count > 1 else f"{stem}.safetensors",
            size,
            f"{name}-dit-{i}",
        )
        for i, size in enumerate(transformer)
    ]
    t5 = [4_990 * MB, 4_530 * MB]
    files: list[File] = [
        (".gitattributes", 1_700, "attributes"),
        ("LICENSE.md", 7_000, "stability-licence"),
        ("README.md", 9_000, f"{name}-readme"),
        (f"{name}_demo.png", 4 * MB, f"{name}-demo"),
        (f"{name}.safetensors", single, f"{name}-single"),
        ("model_index.json", 706, "sd35-index"),
        ("scheduler/scheduler_config.json", 141, "sd35-scheduler"),
        ("text_encoders/README.md", 100, "encoders-readme"),
        ("text_encoders/clip_g.safetensors", 1_390 * MB, "clip-g-single"),
        ("text_encoders/clip_l.safetensors", 246 * MB, "clip-l-single"),
        ("text_encoders/t5xxl_fp16.safetensors", 9_790 * MB, "t5-single"),
        ("text_encoders/t5xxl_fp8_e4m3fn.safetensors", 4_890 * MB, "t5-fp8"),
        ("text_encoder/config.json", 574, "clip-l-config"),
        ("text_encoder/model.fp16.safetensors", 246 * MB, "clip-l-fp16"),
        ("text_encoder/model.safetensors", 246 * MB, "clip-l"),
        ("text_encoder_2/config.json", 570, "clip-g-config"),
        ("text_encoder_2/model.fp16.safetensors", 1_390 * MB, "clip-g-fp16"),
        ("text_encoder_2/model.safetensors", 1_390 * MB, "clip-g"),
        ("text_encoder_3/config.json", 740, "t5-config"),
        ("text_encoder_3/model.safetensors.index.json", 19_900, "t5-index"),
        ("text_encoder_3/model.safetensors.index.fp16.json", 19_900, "t5-index-fp16"),
        ("transformer/config.json", 500, f"{name}-dit-config"),
        ("vae/config.json", 809, "sd35-vae-config"),
        ("vae/diffusion_pytorch_model.safetensors", 168 * MB, "sd35-vae"),
        *shards,
    ]
    for i, size in enumerate(t5, 1):
        files.append((f"text_encoder_3/model-{i:05}-of-00002.safetensors", size, f"t5-{i}"))
        files.append((f"text_encoder_3/model.fp16-{i:05}-of-00002.safetensors", size, f"t5-fp16-{i}"))
    if count > 1:
        files.append((f"{stem}.safetensors.index.json", 99_000, f"{name}-dit-index"))
    files += _clip_tokenizer("tokenizer") + _clip_tokenizer("tokenizer_2") + _t5_tokenizer("tokenizer_3", True)
    return files


def _cogvideox(name: str, transformer: list[int], apache: bool = False) -> list[File]:
    count = len(transformer)
    stem = "transformer/diffusion_pytorch_model"
    files: list[File] = [
        (".gitattributes", 1_500, "attributes"),
        ("LICENSE", 11_000, "apache" if apache else "cogvideox-licence"),
        ("README.md", 20_000, f"{name}-readme"),
        ("README_zh.md", 20_000, f"{name}-readme-zh"),
        ("model_index.json", 510, f"{name}-index"),
        ("scheduler/scheduler_config.json", 480, f"{name}-scheduler"),
        ("text_encoder/config.json", 740, "cog-t5-config"),
        ("text_encoder/model-00001-of-00002.safetensors", 4_990 * MB, "cog-t5-1"),
        ("text_encoder/model-00002-of-00002.safetensors", 4_530 * MB, "cog-t5-2"),
        ("text_encoder/model.safetensors.index.json", 19_900, "cog-t5-index"),
        ("transformer/config.json", 800, f"{name}-dit-config"),
        ("vae/config.json", 800, f"{name}-vae-config"),
        ("vae/diffusion_pytorch_model.safetensors", 430 * MB, "cog-vae"),
        *_small("tokenizer", "added_tokens.json"),
        *_t5_tokenizer("tokenizer", False),
    ]
    for i, size in enumerate(transformer, 1):
        path = f"{stem}-{i:05}-of-{count:05}.safetensors" if count > 1 else f"{stem}.safetensors"
        files.append((path, size, f"{name}-dit-{i}"))
    if count > 1:
        files.append((f"{stem}.safetensors.index.json", 103_000, f"{name}-dit-index"))
    return files


_5B = [9_930 * MB, 1_220 * MB]
_NEWER = [4_980 * MB, 4_950 * MB, 1_220 * MB]

REPOSITORIES: dict[str, list[File]] = {
    "stabilityai/stable-diffusion-3.5-large": _sd35("sd3.5_large", 16_500 * MB, [9_990 * MB, 6_310 * MB]),
    "stabilityai/stable-diffusion-3.5-large-turbo": _sd35("sd3.5_large_turbo", 16_500 * MB, [9_990 * MB, 6_310 * MB]),
    "stabilityai/stable-diffusion-3.5-medium": _sd35("sd3.5_medium", 5_110 * MB, [4_940 * MB]),
    "zai-org/CogVideoX-2b": _cogvideox("CogVideoX-2b", [3_390 * MB], apache=True),
    "zai-org/CogVideoX-5b": _cogvideox("CogVideoX-5b", _5B),
    "zai-org/CogVideoX1.5-5B": _cogvideox("CogVideoX1.5-5B", _NEWER),
    "zai-org/CogVideoX-5b-I2V": _cogvideox("CogVideoX-5b-I2V", _5B),
    "zai-org/CogVideoX1.5-5B-I2V": _cogvideox("CogVideoX1.5-5B-I2V", _NEWER),
}

_SD35_TRANSFORMER = {"num_layers": 38, "num_attention_heads": 38, "sample_size": 128, "dual_attention_layers": []}
_CONFIGS: dict[str, dict[str, object]] = {
    "sd35-index": {"_class_name": "StableDiffusion3Pipeline"},
    "clip-l-config": {"hidden_size": 768},
    "clip-g-config": {"hidden_size": 1280},
    "t5-config": {"d_model": 4096},
    "cog-t5-config": {"d_model": 4096},
    "sd35-vae-config": {"latent_channels": 16},
    "sd3.5_large-dit-config": _SD35_TRANSFORMER,
    "sd3.5_large_turbo-dit-config": _SD35_TRANSFORMER,
    "sd3.5_medium-dit-config": {"num_layers": 24, "sample_size": 128, "dual_attention_layers": list(range(13))},
    "CogVideoX-2b-index": {"_class_name": "CogVideoXPipeline"},
    "CogVideoX-5b-index": {"_class_name": "CogVideoXPipeline"},
    "CogVideoX1.5-5B-index": {"_class_name": "CogVideoXPipeline"},
    "CogVideoX-2b-dit-config": {"num_layers": 30, "use_rotary_positional_embeddings": False},
    "CogVideoX-5b-dit-config": {"num_layers": 42, "use_rotary_positional_embeddings": True},
    "CogVideoX1.5-5B-dit-config": {"num_layers": 42, "use_rotary_positional_embeddings": True, "patch_size_t": 2},
}


def real_listing(repository: str) -> Listing:
    """The list as the hub would give it: large files with the SHA-256 of their (imagined) content."""
    files = []
    for path, size, content in REPOSITORIES[repository]:
        digest = hashlib.sha256(content.encode()).hexdigest()
        is_lfs = size > 10 * MB or path.endswith((".model", ".safetensors"))
        files.append(RemoteFile(path, size, digest if is_lfs else "", "" if is_lfs else digest[:40]))
    return Listing(repository, "c" * 40, tuple(files))


def small_repository(repository: str, scale: float = 100_000) -> dict[str, bytes]:
    """The same files with weights ``scale`` times smaller; equal contents are equal, settings can be read."""
    files = {}
    for path, size, content in REPOSITORIES[repository]:
        if path.endswith((".safetensors", ".model")):
            files[path] = noise(max(LFS_BYTES, int(size / scale)), zlib.crc32(content.encode()))
        elif path.endswith(".json"):
            files[path] = json.dumps(_CONFIGS.get(content, {"content": content})).encode()
        else:
            files[path] = content.encode()
    return files
