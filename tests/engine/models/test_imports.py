"""What people have is recognised by its headers, at true sizes (sparse files), uncopied, in under a second."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from pathlib import Path

import pytest

from engine.models.imports import Recognised, recognise, register, unregister
from engine.models.installed import find_installed, resolve
from engine.models.store import Store
from engine.protocol.errors import BadFile, LaternaError, ModelDamaged, ModelMissing, UnsafeModel
from tests.fakes.gguf_file import gguf

Shapes = dict[str, tuple[int, ...]]
ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3")
TOKENIZERS = ("tokenizer", "tokenizer_2", "tokenizer_3")
BYTES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1}


def sparse(path: Path, shapes: Shapes, dtype: str = "BF16") -> Path:
    """A safetensors file with a real header and no data on disk."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape) * BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + end)
    return path


def mmdit(depth: int, prefix: str = "", x: bool = False) -> Shapes:
    width = 64 * depth
    shapes: Shapes = {f"{prefix}x_embedder.proj.weight": (width, 16, 2, 2)}
    for i in range(depth):
        for part in ("x_block", "context_block"):
            block = f"{prefix}joint_blocks.{i}.{part}"
            shapes[f"{block}.attn.qkv.weight"] = (3 * width, width)
            shapes[f"{block}.attn.proj.weight"] = (width, width)
            shapes[f"{block}.mlp.fc1.weight"] = (4 * width, width)
            shapes[f"{block}.mlp.fc2.weight"] = (width, 4 * width)
            shapes[f"{block}.adaLN_modulation.1.weight"] = (6 * width, width)
        if x and i < 13:
            shapes[f"{prefix}joint_blocks.{i}.x_block.attn2.qkv.weight"] = (3 * width, width)
    return shapes


VAE: Shapes = {"decoder.conv_in.weight": (512, 16, 3, 3), "encoder.conv_in.weight": (128, 3, 3, 3)}
CLIP_L: Shapes = {"text_model.embeddings.token_embedding.weight": (49408, 768)}
CLIP_G: Shapes = {"text_model.embeddings.token_embedding.weight": (49408, 1280)}
T5: Shapes = {"shared.weight": (32128, 4096), "encoder.block.23.layer.1.DenseReluDense.wo.weight": (4096, 10240)}


def under(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def one(path: Path) -> Recognised:
    (found,) = recognise(path)
    return found


def test_a_16_gb_transformer_in_under_a_second(tmp_path: Path) -> None:
    path = sparse(tmp_path / "sd3.5_large.safetensors", mmdit(38, "model.diffusion_model."))
    assert path.stat().st_size > 13e9
    started = time.process_time()  # a busy machine counts for nothing
    found = one(path)
    assert time.process_time() - started < 1
    assert (found.family, found.model, found.precision) == ("sd35", "sd3.5-large", "bf16")
    assert [part.name for part in found.parts] == ["transformer"]
    assert set(found.missing) == {"vae", *ENCODERS, *TOKENIZERS}
    assert not found.folder


def test_all_in_one(tmp_path: Path) -> None:
    shapes = mmdit(24, "model.diffusion_model.", x=True) | under("first_stage_model.", VAE)
    shapes |= under("text_encoders.clip_l.transformer.", CLIP_L) | under("text_encoders.clip_g.transformer.", CLIP_G)
    found = one(sparse(tmp_path / "sd3.5_medium_incl_clips.safetensors", shapes, "F16"))
    assert (found.model, found.precision) == ("sd3.5-medium", "fp16")
    assert {part.name for part in found.parts} == {"transformer", "vae", "text_encoder", "text_encoder_2"}
    assert set(found.missing) == {"text_encoder_3", *TOKENIZERS}


def test_turbo_is_known_by_its_name_and_fp8_by_its_type(tmp_path: Path) -> None:
    found = one(sparse(tmp_path / "sd3.5_large_turbo_fp8.safetensors", mmdit(38), "F8_E4M3"))
    assert (found.model, found.precision) == ("sd3.5-large-turbo", "fp8")


def test_gguf(tmp_path: Path) -> None:
    tensors = [("joint_blocks.0.x_block.attn2.qkv.weight", [64, 2], 8, 0)]
    tensors += [(f"joint_blocks.{i}.x_block.attn.qkv.weight", [64], 8, 160 + 96 * i) for i in range(24)]
    (tmp_path / "sd3.5_medium-Q8_0.gguf").write_bytes(gguf(tensors, 160 + 96 * 24))
    found = one(tmp_path / "sd3.5_medium-Q8_0.gguf")
    assert (found.kind, found.model, found.precision) == ("gguf", "sd3.5-medium", "Q8_0")


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (mmdit(24), "24 blocks"),
        ({"model.diffusion_model.input_blocks.0.0.weight": (4,)}, "Stable Diffusion 1, 2 or XL"),
        ({"double_blocks.0.img_attn.qkv.weight": (4,)}, "Flux"),
        ({"lora_unet_x.lora_down.weight": (4,)}, "LoRA"),
        ({"anything": (4,)}, "nothing that Laterna knows"),
        (VAE, "VAE alone"),
    ],
)
def test_strangers_are_named(tmp_path: Path, shapes: Shapes, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        recognise(sparse(tmp_path / "x.safetensors", shapes))


def test_pickles_are_refused_by_name_and_by_content(tmp_path: Path) -> None:
    for name, content in (
        ("x.ckpt", b""),
        ("x.pt", b""),
        ("x.safetensors", b"PK\x03\x04rest"),
        ("y.gguf", b"\x80\x02}"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnsafeModel, match="pickle"):
            recognise(tmp_path / name)


def test_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "x.txt", tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(BadFile):
            recognise(path)
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelDamaged):
        recognise(tmp_path / "x.safetensors")


@pytest.fixture
def diffusers_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs" / "stable-diffusion-3.5-medium"
    index = {"_class_name": "StableDiffusion3Pipeline", "image_encoder": [None, None]}
    for name, kind in (("transformer", "SD3Transformer2DModel"), ("vae", "AutoencoderKL"), ("text_encoder_3", "T5")):
        index[name] = ["diffusers", kind]
        sparse(folder / name / "model.safetensors", {"w": (1000, 1000)})
    index["scheduler"] = ["diffusers", "FlowMatchEulerDiscreteScheduler"]
    (folder / "scheduler").mkdir()
    config = {"num_layers": 24, "dual_attention_layers": [0, 1]}
    (folder / "transformer" / "config.json").write_text(json.dumps(config))
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def test_a_diffusers_folder_runs_where_it_lies(diffusers_folder: Path, store: Store) -> None:
    found = one(diffusers_folder)
    assert (found.kind, found.model, found.precision, found.missing) == ("folder", "sd3.5-medium", "bf16", ())
    before = sorted(path for path in diffusers_folder.rglob("*"))
    register(store, found, "mine")
    installed = resolve("mine", [store.root])
    assert installed.folder == diffusers_folder
    assert installed.info.id == "mine"
    assert sorted(path for path in diffusers_folder.rglob("*")) == before
    with pytest.raises(BadFile, match="already"):
        register(store, found, "mine")
    unregister(store, "mine")
    assert diffusers_folder.exists()
    with pytest.raises(ModelMissing):
        unregister(store, "mine")


def test_an_unplugged_import_is_passed_over(diffusers_folder: Path, store: Store) -> None:
    register(store, one(diffusers_folder))
    shutil.rmtree(diffusers_folder)
    assert not list(find_installed([store.root]))


def test_what_a_folder_lacks_is_said(diffusers_folder: Path) -> None:
    (diffusers_folder / "vae" / "model.safetensors").unlink()
    found = one(diffusers_folder)
    assert found.missing == ("vae",)
    assert not found.folder
    index = {"weight_map": {"w": "model-00001-of-00002.safetensors", "v": "model-00002-of-00002.safetensors"}}
    (diffusers_folder / "transformer" / "model.safetensors.index.json").write_text(json.dumps(index))
    assert set(one(diffusers_folder).missing) == {"vae", "transformer"}


def test_a_folder_of_pickles_is_refused(diffusers_folder: Path) -> None:
    (diffusers_folder / "vae" / "model.safetensors").rename(diffusers_folder / "vae" / "model.bin")
    with pytest.raises(UnsafeModel):
        recognise(diffusers_folder)


def test_a_hugging_face_cache(diffusers_folder: Path, tmp_path: Path, store: Store) -> None:
    cache = tmp_path / "huggingface"
    repository = cache / "hub" / "models--stabilityai--stable-diffusion-3.5-medium"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123")
    for revision in ("000old", "abc123"):
        shutil.copytree(diffusers_folder, repository / "snapshots" / revision)
    for place in (cache, cache / "hub", repository, repository / "snapshots" / "abc123"):
        found = one(place)
        assert found.folder.endswith("abc123")
        assert found.model == "sd3.5-medium"
    register(store, one(cache))
    assert resolve("stable-diffusion-3.5-medium", [store.root]).folder.name == "abc123"


def test_a_comfyui_tree(tmp_path: Path, store: Store) -> None:
    models = tmp_path / "ComfyUI" / "models"
    sparse(models / "checkpoints" / "sd3" / "sd3.5_large.safetensors", mmdit(38, "model.diffusion_model."))
    sparse(models / "diffusion_models" / "sd3.5_medium.safetensors", mmdit(24, x=True))
    sparse(models / "clip" / "clip_l.safetensors", CLIP_L, "F16")
    sparse(models / "text_encoders" / "clip_g.safetensors", CLIP_G, "F16")
    sparse(models / "text_encoders" / "t5xxl_fp16.safetensors", T5, "F16")
    sparse(models / "vae" / "sd3_vae.safetensors", VAE)
    sparse(models / "checkpoints" / "sdxl.safetensors", {"model.diffusion_model.input_blocks.0.0.weight": (4,)})
    (models / "checkpoints" / "old.ckpt").write_bytes(b"PK\x03\x04")
    started = time.process_time()
    found = recognise(tmp_path / "ComfyUI")
    assert time.process_time() - started < 1
    assert {model.model for model in found} == {"sd3.5-large", "sd3.5-medium"}
    for model in found:
        assert model.missing == TOKENIZERS
        assert {part.name for part in model.parts} == {"transformer", "vae", *ENCODERS}
        register(store, model)


def test_what_is_there_and_no_model_file_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_text("no model")
    with pytest.raises(BadFile, match=r"x\.gguf is called GGUF, but does not begin") as caught:
        recognise(tmp_path / "x.gguf")
    assert ".gguf" not in caught.value.remedy, "it is one by its name"
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(LaternaError) as refused:
        recognise(tmp_path / "pipe.safetensors")
    assert "nothing" not in refused.value.message
