"""Folders as other programs lay them out: all of it is found, nothing is copied or read, and what does not come in is
told with its reason."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.models import safetensors_header
from engine.models.assembly import assemble
from engine.models.controlnets import known_controlnets
from engine.models.imports import Survey, recognise, survey, take_in
from engine.models.lora_shelf import LoraShelf
from engine.models.store import Store
from engine.protocol.errors import BadFile
from tests.engine.models.test_imports import CLIP_G, CLIP_L, T5, VAE, mmdit, sparse

COG = {
    "transformer_blocks.0.attn1.norm_q.weight": (64,),
    "patch_embed.text_proj.weight": (3072, 4096),
    "patch_embed.proj.weight": (3072, 16, 2, 2),
    "transformer_blocks.41.ff.net.2.weight": (3072, 12288),
}
COG_VAE = {
    "decoder.conv_in.conv.weight": (512, 16, 3, 3, 3),
    "encoder.down_blocks.0.resnets.0.conv1.conv.weight": (128, 128, 3, 3, 3),
    "decoder.mid_block.resnets.0.norm1.conv_y.conv.weight": (512, 16, 1, 1, 1),
}
LORA = {
    "transformer.transformer_blocks.0.attn.to_q.lora_A.weight": (16, 2432),
    "transformer.transformer_blocks.0.attn.to_q.lora_B.weight": (2432, 16),
}
FLUX_LORA = {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (16, 3072)}
CONTROL = {"controlnet_blocks.0.weight": (2432, 2432), "pos_embed_input.proj.weight": (2432, 16, 2, 2)}
UPSCALER = {"params_ema.body.0.weight": (64, 64)}
LARGE = mmdit(38, "model.diffusion_model.")
LAYOUTS: dict[str, dict[str, str]] = {
    "ComfyUI": {
        "model": "models/checkpoints/sd3", "gguf": "models/unet", "clip": "models/clip", "t5": "models/text_encoders",
        "vae": "models/vae", "lora": "models/loras/styles", "control": "models/controlnet", "clips": "models/CogVideo",
        "upscaler": "models/upscale_models",
    },
    "Stability Matrix": {
        "model": "Models/StableDiffusion", "gguf": "Models/DiffusionModels", "clip": "Models/TextEncoders",
        "t5": "Models/TextEncoders", "vae": "Models/VAE", "lora": "Models/Lora", "control": "Models/ControlNet",
        "clips": "Models/DiffusionModels", "upscaler": "Models/ESRGAN",
    },
    "SwarmUI": {
        "model": "Models/Stable-Diffusion", "gguf": "Models/diffusion_models", "clip": "Models/clip",
        "t5": "Models/clip", "vae": "Models/VAE", "lora": "Models/Lora", "control": "Models/controlnet",
        "clips": "Models/diffusion_models", "upscaler": "Models/upscale_model",
    },
    "Forge": {
        "model": "models/Stable-diffusion", "gguf": "models/Stable-diffusion", "clip": "models/text_encoder",
        "t5": "models/text_encoder", "vae": "models/VAE", "lora": "models/Lora", "control": "models/ControlNet",
        "clips": "models/Stable-diffusion", "upscaler": "models/ESRGAN",
    },
    "InvokeAI": {
        "model": "models/0a1b2c3d", "gguf": "models/1b2c3d4e", "clip": "models/2c3d4e5f", "t5": "models/3d4e5f60",
        "vae": "models/4e5f6071", "lora": "models/5f607182", "control": "models/60718293", "clips": "models/718293a4",
        "upscaler": "models/8293a4b5",
    },
}  # fmt: skip


def lay_out(root: Path, places: dict[str, str]) -> None:
    place = {what: root / folder for what, folder in places.items()}
    sparse(place["model"] / "sd3.5_large.safetensors", LARGE)
    sparse(place["gguf"] / "sd3.5_medium.safetensors", mmdit(24, x=True))
    sparse(place["clip"] / "clip_l.safetensors", CLIP_L, "F16")
    sparse(place["clip"] / "clip_g.safetensors", CLIP_G, "F16")
    sparse(place["t5"] / "t5xxl_fp16.safetensors", T5, "F16")
    sparse(place["t5"] / "t5xxl_fp8_e4m3fn.safetensors", T5, "F8_E4M3")
    sparse(place["vae"] / "sd3_vae.safetensors", VAE)
    sparse(place["vae"] / "ae.safetensors", VAE)
    sparse(place["vae"] / "cogvideox_vae_bf16.safetensors", COG_VAE)
    sparse(place["clips"] / "CogVideoX_5b.safetensors", COG)
    sparse(place["lora"] / "ink.safetensors", LORA)
    sparse(place["lora"] / "flux.safetensors", FLUX_LORA)
    sparse(place["control"] / "sd3.5_large_controlnet_canny.safetensors", CONTROL)
    sparse(place["upscaler"] / "4x.safetensors", UPSCALER)
    (place["model"] / "old.ckpt").write_bytes(b"PK\x03\x04")
    (place["model"] / "gone.safetensors").symlink_to(root / "nowhere.safetensors")
    (place["model"] / "empty.safetensors").write_bytes(b"")
    (place["model"] / "sd3.5_large.yaml").write_text("model: {}")


def why(found: Survey, name: str) -> str:
    return next(one.why for one in found.left_out if Path(one.path).name == name)


@pytest.mark.parametrize("program", LAYOUTS)
def test_all_of_it_is_found(tmp_path: Path, program: str) -> None:
    root = tmp_path / program
    lay_out(root, LAYOUTS[program])
    before = sorted((path, path.lstat().st_mtime_ns) for path in root.rglob("*"))
    found = survey(root)
    store, shelf = Store(tmp_path / "store"), LoraShelf(tmp_path / "loras")
    folders = take_in(store, found, shelf)
    assert sorted((path, path.lstat().st_mtime_ns) for path in root.rglob("*")) == before, "nothing of theirs changes"
    assert sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file()) < 100_000, "nothing is copied"
    assert {one.name: one.model for one in found.found} == {
        "sd3.5_large": "sd3.5-large",
        "sd3.5_medium": "sd3.5-medium",
        "CogVideoX_5b": "cogvideox-5b",
    }
    for one, folder in zip(found.found, folders, strict=True):
        kinds = {part.kind: Path(part.path).name for part in one.parts}
        assert kinds["t5"] == "t5xxl_fp16.safetensors"
        wanted = "cogvideox_vae" if one.family == "cogvideox" else "sd3_vae"
        assert kinds[wanted] == {"sd3_vae": "sd3_vae.safetensors"}.get(wanted, "cogvideox_vae_bf16.safetensors")
        assert folder.name == one.name
        lacks = assemble(one.reference(), store.root)
        assert lacks.missing == (("tokenizer",) if one.family == "cogvideox" else ())
    assert [Path(path).name for path in found.loras] == ["ink.safetensors"]
    assert [one.path for one in shelf.known()] == list(found.loras)
    (control,) = known_controlnets(store)
    assert (Path(control.path).name, control.control) == ("sd3.5_large_controlnet_canny.safetensors", "canny")
    assert "t5xxl_fp16.safetensors is taken" in why(found, "t5xxl_fp8_e4m3fn.safetensors")
    assert "FLUX's VAE" in why(found, "ae.safetensors")
    assert "a LoRA for Flux" in why(found, "flux.safetensors")
    assert "an upscaler" in why(found, "4x.safetensors")
    assert "pickle" in why(found, "old.ckpt")
    assert "link to a file that is not there" in why(found, "gone.safetensors")
    assert "empty" in why(found, "empty.safetensors")
    told = {part.path for one in found.found for part in one.parts} | {one.path for one in found.left_out}
    told |= {*found.loras, *(one.path for one in found.controlnets)}
    weights = {str(path) for path in root.rglob("*") if path.suffix in (".safetensors", ".ckpt")}
    assert weights <= told, "no file is dropped without a word"


def tokenizer(folder: Path, words: int = 32_100) -> Path:
    folder.mkdir(parents=True)
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer"}))
    model = {"type": "Unigram", "vocab": [["a", 0.0]] * words}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model}))
    return folder


@pytest.mark.parametrize(
    ("imported", "kept"),
    [
        ("ComfyUI", "ComfyUI/comfy/text_encoders/t5_tokenizer"),
        ("ComfyUI/models", "ComfyUI/comfy/text_encoders/t5_tokenizer"),
        ("ComfyUI/models/checkpoints", "ComfyUI/comfy/text_encoders/t5_tokenizer"),
        ("portable", "portable/ComfyUI/comfy/text_encoders/t5_tokenizer"),
        ("Data/Models", "Data/Packages/ComfyUI/comfy/text_encoders/t5_tokenizer"),
        ("SwarmUI/Models", "SwarmUI/dlbackend/comfy/ComfyUI/comfy/text_encoders/t5_tokenizer"),
        ("forge/models", "forge/backend/huggingface/black-forest-labs/FLUX.1-dev/tokenizer_2"),
        ("invoke", "invoke/models/any/t5_encoder/t5/tokenizer_2"),
    ],
)
def test_t5s_tokenizer_of_another_program(tmp_path: Path, imported: str, kept: str) -> None:
    root = tmp_path / imported
    sparse(root / "sd3.5_large.safetensors", LARGE)
    for name, shapes in (("clip_l", CLIP_L), ("clip_g", CLIP_G), ("t5", T5), ("vae", VAE)):
        sparse(root / f"{name}.safetensors", shapes, "F16")
    assert assemble(recognise(root)[0].reference(), tmp_path).optional == ("tokenizer_3",)
    place = tokenizer(tmp_path / kept)
    (found,) = recognise(root)
    assert {part.name: part.path for part in found.parts}["tokenizer_3"] == str(place)
    assert assemble(found.reference(), tmp_path).optional == ()


def test_umt5s_tokenizer_is_not_t5s(tmp_path: Path) -> None:
    sparse(tmp_path / "sd3.5_large.safetensors", LARGE)
    tokenizer(tmp_path / "umt5", 256_300)
    assert "tokenizer_3" in recognise(tmp_path)[0].missing


def cached(hub: Path, repository: str, revision: str, files: dict[str, Callable[[Path], object]], main: bool) -> Path:
    """As the hub's client keeps it: contents in ``blobs``, and links to them."""
    place = hub / f"models--{repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True, exist_ok=True)
    if main:
        (place / "refs" / "main").write_text(revision)
    for name, make in files.items():
        blob = place / "blobs" / f"{abs(hash((repository, revision, name))):016x}"
        blob.parent.mkdir(exist_ok=True)
        made = blob.with_suffix(".safetensors")
        make(made)
        made.rename(blob)
        link = place / "snapshots" / revision / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return place


def diffusers_files(width: int = 64) -> dict[str, Callable[[Path], object]]:
    index: dict[str, object] = {"_class_name": "CogVideoXPipeline"}
    files: dict[str, Callable[[Path], object]] = {}
    for name in ("transformer", "vae", "text_encoder"):
        index[name] = ["diffusers", "X"]
        files[f"{name}/model.safetensors"] = lambda path: sparse(path, {"w": (width, 8)})
    index |= {"scheduler": ["diffusers", "X"], "tokenizer": ["transformers", "T5Tokenizer"]}
    config = json.dumps({"num_layers": 42, "in_channels": 16})
    for name in ("scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json", "transformer/config.json"):
        files[name] = lambda path: path.write_text(config)
    files["model_index.json"] = lambda path: path.write_text(json.dumps(index))
    return files


@pytest.mark.parametrize("inside", ["", "hub"])
def test_a_hub_cache_with_its_links(tmp_path: Path, inside: str) -> None:
    hub = tmp_path / "huggingface" / inside
    cached(hub, "zai-org/CogVideoX-5b", "0ld", diffusers_files(), main=False)
    cached(hub, "zai-org/CogVideoX-5b", "4ew", diffusers_files(), main=True)
    gguf = {"sd3.5_large-fp8.safetensors": lambda path: sparse(path, LARGE, "F8_E4M3")}
    cached(hub, "someone/sd3.5-fp8", "aaa", gguf, main=True)
    cached(hub, "someone/flux", "bbb", {"flux.safetensors": lambda path: sparse(path, FLUX_LORA)}, main=True)
    (hub / "models--broken--thing" / "snapshots" / "ccc").mkdir(parents=True)
    (hub / "models--broken--thing" / "snapshots" / "ccc" / "model_index.json").write_text("{")
    found = survey(tmp_path / "huggingface")
    assert {(one.name, one.kind) for one in found.found} == {("cogvideox-5b", "cache"), ("sd3.5_large-fp8", "tree")}
    whole = next(one for one in found.found if one.kind == "cache")
    assert Path(whole.folder).name == "4ew"
    assert "older revision 0ld" in why(found, "0ld") and "a LoRA for Flux" in why(found, "flux.safetensors")
    assert why(found, "ccc")
    store = Store(tmp_path / "store")
    take_in(store, found)


def test_files_beside_a_whole_folder_are_told(tmp_path: Path) -> None:
    """The vendors' repositories hold the same weights several times."""
    folder = tmp_path / "cogvideox"
    for name, make in diffusers_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        make(folder / name)
    sparse(folder / "single.safetensors", COG)
    sparse(folder / "text_encoders" / "t5.safetensors", T5)
    found = survey(tmp_path)
    assert [one.folder for one in found.found] == [str(folder)]
    for name in ("single.safetensors", "t5.safetensors"):
        assert "lies beside the components of cogvideox" in why(found, name)
    (folder / "vae" / "model.safetensors").unlink()
    found = survey(tmp_path)
    assert {one.name for one in found.found} == {"cogvideox", "single"}, "what is not whole is no reason"


def test_a_folder_is_completed_with_files_of_the_tree(tmp_path: Path) -> None:
    """ComfyUI's CogVideoX nodes keep the folder without its encoder, which lies among the others."""
    folder = tmp_path / "models" / "CogVideo" / "CogVideoX-5b"
    for name, make in diffusers_files().items():
        if "text_encoder" not in name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            make(folder / name)
    sparse(tmp_path / "models" / "text_encoders" / "t5xxl.safetensors", T5)
    (found,) = survey(tmp_path).found
    assert not found.folder and not found.missing
    assert Path({part.name: part.path for part in found.parts}["text_encoder"]).name == "t5xxl.safetensors"


def test_links_in_a_circle_and_links_to_the_same_file(tmp_path: Path) -> None:
    sparse(tmp_path / "a" / "sd3.5_large.safetensors", LARGE)
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "same.safetensors").symlink_to(tmp_path / "a" / "sd3.5_large.safetensors")
    found = survey(tmp_path)
    assert [one.name for one in found.found] == ["sd3.5_large"]


def test_what_lies_too_deep_and_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 20)
    sparse(deep / "sd3.5_medium.safetensors", mmdit(24, x=True))
    sparse(tmp_path / "sd3.5_large.safetensors", LARGE)
    sparse(tmp_path / "transformer-00001-of-00002.safetensors", COG)
    sparse(tmp_path / "cogvideox_vae.safetensors", COG_VAE)
    (tmp_path / "net.onnx").write_bytes(b"\x08\x07")
    found = survey(tmp_path)
    assert [one.name for one in found.found] == ["sd3.5_large"]
    assert "folders deep" in why(found, "d")
    assert "several pieces" in why(found, "transformer-00001-of-00002.safetensors")
    assert "no model here needs" in why(found, "cogvideox_vae.safetensors")
    assert "no model file" in why(found, "net.onnx")


def test_a_tree_without_a_model(tmp_path: Path) -> None:
    sparse(tmp_path / "flux.safetensors", FLUX_LORA)
    with pytest.raises(BadFile, match="a LoRA for Flux"):
        survey(tmp_path)
    sparse(tmp_path / "ink.safetensors", LORA)
    assert survey(tmp_path).loras and not survey(tmp_path).found
    with pytest.raises(BadFile, match="holds LoRAs, but no model"):
        recognise(tmp_path)


def test_2000_files_in_seconds_and_no_weight_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content of the files is not on the disk at all."""
    layers = [f"double_blocks.{i}.{part}.weight" for i in range(20) for part in ("img_attn.qkv", "txt_attn.qkv")]
    flux = sparse(tmp_path / "flux" / "flux.safetensors", dict.fromkeys(layers, (3072, 64)))
    lora = sparse(
        tmp_path / "flux" / "lora.safetensors",
        {f"lora_unet_{name.replace('.', '_')}.lora_down.weight": (4, 64) for name in layers},
    )
    for file, folder in ((flux, "checkpoints"), (lora, "loras")):
        with file.open("rb") as opened:
            length = opened.read(8)
            header = length + opened.read(int.from_bytes(length, "little"))
        for number in range(995):
            place = tmp_path / "tree" / folder / f"{number % 40}" / f"{file.stem}-{number}.safetensors"
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as written:
                written.write(header)
                written.truncate(file.stat().st_size)
    lay_out(tmp_path / "tree", LAYOUTS["ComfyUI"])
    read: list[int] = []
    take = safetensors_header.read_header

    def counted(path: Path) -> object:
        read.append(1)
        return take(path)

    monkeypatch.setattr("engine.models.reading.tensor_files.read_header", counted)
    started = time.process_time()
    found = survey(tmp_path / "tree")
    seconds = time.process_time() - started
    assert len(found.left_out) > 1990 and len(found.found) == 3
    assert len(read) < 2100
    assert seconds < 20, seconds
