"""Every kind of file that people have, with its true names, shapes and sizes: recognised in under a second, planned and
forecast; nothing of the weights is read."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.families.registry import NETWORKS
from engine.memory.forecast import Forecaster
from engine.memory.inventory import from_folder, published
from engine.memory.machine import imagined
from engine.models.controlnets import known_controlnets
from engine.models.imports import recognise, register, survey, take_in
from engine.models.installed import open_folder
from engine.models.lora_facts import lora_facts
from engine.models.recognise import recognise_file
from engine.models.store import Store
from engine.protocol.errors import BadFile
from tests.engine.models.test_trees import tokenizer
from tests.fakes import single_files as layouts
from tests.fakes import true_size as true
from tests.fakes.true_size import Storage, fp8, plain, shapes_of, under

DIFFUSION = "model.diffusion_model."
LARGE, MEDIUM = "sd3.5-large", "sd3.5-medium"
COG, COG_15, COG_I2V = "cogvideox-5b", "cogvideox-1.5-5b", "cogvideox-5b-i2v"
Case = tuple[str, str, Callable[[Path], Path]]
"""The model or kind, the precision that is told, and what makes the file in a folder."""


def _file(wanted: str, precision: str, name: str, storage: Callable[[], Storage]) -> Case:
    return wanted, precision, lambda place: true.safetensors(place / f"{name}.safetensors", storage())


def _whole(transformer: Storage, encoders: Storage) -> Storage:
    """ComfyUI's all-in-one."""
    vae = under("first_stage_model.", plain(true.vae(), "F16"))
    return under(DIFFUSION, transformer) | vae | encoders


def _gguf(
    type: str,
    prefix: str = "",
    architecture: str = "sd3",
    network: str = LARGE,
    precision: str = "",
    flat: bool = False,
) -> Case:
    def make(place: Path) -> Path:
        shapes = {prefix + name: shape for name, shape in true.mmdit(network).items()}
        if flat:
            shapes["pos_embed"] = shapes["pos_embed"][1:]
        told = {"general.architecture": architecture} if architecture else {}
        return true.gguf(place / f"{network}-{type}.gguf", shapes, type, told)

    return network, precision or type, make


def _t5_gguf(type: str) -> Case:
    def make(place: Path) -> Path:
        shapes = {new: true.t5()[name] for new, name in layouts.ggml_names(true.t5()).items()}
        told = {"general.architecture": "t5encoder"}
        return true.gguf(place / f"t5-v1_1-xxl-encoder-{type}.gguf", shapes, type, told)

    return "t5", "fp16" if type == "F16" else type, make


def _cog(network: str) -> Case:
    name = network.replace("cogvideox-", "CogVideoX_")
    return _file(network, "bf16", name, lambda: plain(shapes_of(network), "BF16"))


CLIPS = ("clip_l", "clip_g")
SCALED_T5 = "text_encoders.t5xxl.transformer."
MODELS: dict[str, Case] = {
    "all-in-one fp16": _file(
        LARGE, "fp16", "sd3.5_large_incl_clips_t5xxlfp16",
        lambda: _whole(plain(true.mmdit(LARGE), "F16"), true.encoders(*CLIPS, "t5xxl")),
    ),
    "all-in-one fp8": _file(
        LARGE, "fp8", "sd3.5_large_fp8",
        lambda: _whole(plain(true.mmdit(LARGE), "F8_E4M3"), true.encoders(*CLIPS, "t5xxl", dtype="F8_E4M3")),
    ),
    "all-in-one scaled fp8": _file(
        LARGE, "fp8", "sd3.5_large_fp8_scaled",
        lambda: _whole(fp8(true.mmdit(LARGE), scaled=True), true.encoders(*CLIPS, "t5xxl")),
    ),
    "all-in-one without t5": _file(
        MEDIUM, "fp16", "sd3.5_medium_incl_clips",
        lambda: _whole(plain(true.mmdit(MEDIUM), "F16"), true.encoders(*CLIPS)),
    ),
    "all-in-one with a t5 in scaled fp8": _file(
        MEDIUM, "fp16", "sd3.5_medium_incl_clips_t5xxlfp8scaled",
        lambda: _whole(
            plain(true.mmdit(MEDIUM), "F16"), true.encoders(*CLIPS) | under(SCALED_T5, fp8(true.t5(), scaled=True))
        ),
    ),
    "large": _file(LARGE, "bf16", "sd3.5_large", lambda: under(DIFFUSION, plain(true.mmdit(LARGE), "BF16"))),
    "turbo": _file("sd3.5-large-turbo", "bf16", "sd3.5_large_turbo", lambda: plain(true.mmdit(LARGE), "BF16")),
    "medium": _file(MEDIUM, "bf16", "sd3.5_medium", lambda: plain(true.mmdit(MEDIUM), "BF16")),
    "medium, diffusers' names": _file(MEDIUM, "fp16", "medium", lambda: plain(shapes_of(MEDIUM), "F16")),
    "large scaled fp8": _file(LARGE, "fp8", "sd3.5_large_fp8", lambda: fp8(true.mmdit(LARGE), scaled=True)),
    **{f"gguf {type}": _gguf(type) for type in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")},
    "gguf F16": _gguf("F16", precision="fp16"),
    "gguf of stable-diffusion.cpp": _gguf("Q8_0", DIFFUSION, ""),
    "gguf of llama-quantize": _gguf("Q4_K", network=MEDIUM, flat=True),  # rows of Large fill no blocks of 256
    **{one: _cog(one) for one in ("cogvideox-2b", COG, COG_I2V, COG_15, "cogvideox-1.5-5b-i2v")},
    "cogvideox fp8": _file(COG, "fp8", "CogVideoX_5b_fp8_e4m3fn", lambda: fp8(shapes_of(COG), scaled=False)),
    "cogvideox scaled fp8": _file(
        COG_15, "fp8", "CogVideoX_1_5_fp8", lambda: under(DIFFUSION, fp8(shapes_of(COG_15), scaled=True))
    ),
    "cogvideox ggml blocks": _file(
        COG_I2V, "Q4_0", "CogVideoX_5b_I2V_GGUF", lambda: true.ggml_blocks(shapes_of(COG_I2V))
    ),
}  # fmt: skip
PARTS: dict[str, Case] = {
    "clip_l": _file("clip_l", "fp16", "clip_l", lambda: plain(shapes_of("clip-l"), "F16")),
    "clip_l without a projection": _file(
        "clip_l", "fp16", "clip_l",
        lambda: plain({name: one for name, one in shapes_of("clip-l").items() if "projection" not in name}, "F16"),
    ),
    "clip_g": _file("clip_g", "fp16", "clip_g", lambda: plain(shapes_of("clip-g"), "F16")),
    "t5 fp16": _file("t5", "fp16", "t5xxl_fp16", lambda: plain(true.t5(), "F16")),
    "t5 fp8": _file("t5", "fp8", "t5xxl_fp8_e4m3fn", lambda: plain(true.t5(), "F8_E4M3")),
    "t5 scaled fp8": _file("t5", "fp8", "t5xxl_fp8_e4m3fn_scaled", lambda: fp8(true.t5(), scaled=True)),
    **{f"t5 gguf {type}": _t5_gguf(type) for type in ("Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "F16")},
    "sd3 vae": _file("sd3_vae", "fp32", "sd3_vae", lambda: plain(true.vae(), "F32")),
    "sd3 vae, diffusers' names": _file("sd3_vae", "fp32", "vae", lambda: plain(shapes_of("sd3-vae"), "F32")),
    "cogvideox vae": _file(
        "cogvideox_vae", "bf16", "cogvideox_vae_bf16", lambda: plain(shapes_of("cogvideox-vae"), "BF16")
    ),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def networks() -> None:
    """Made once, so that no test is timed with it."""
    for network in NETWORKS:
        shapes_of(network)


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with what transformers lack: encoders, both VAEs and a T5's tokenizer."""
    root = tmp_path_factory.mktemp("rest") / "ComfyUI"
    for name in ("clip_l", "clip_g", "t5 fp16", "sd3 vae", "cogvideox vae"):
        PARTS[name][2](root / "models" / "parts")
    tokenizer(root / "comfy" / "text_encoders" / "t5_tokenizer")
    return root


@pytest.mark.parametrize("kind", MODELS)
def test_models(tmp_path: Path, rest: Path, kind: str) -> None:
    model, precision, make = MODELS[kind]
    path = make(tmp_path / "ComfyUI" / "models" / "checkpoints")
    started = time.process_time()  # a busy machine counts for nothing
    (found,) = recognise(path)
    assert time.process_time() - started < 1
    assert (found.model, found.precision) == (model, precision)
    for place in rest.rglob("*"):
        if place.is_file():
            copy = tmp_path / "ComfyUI" / place.relative_to(rest)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(place)
    (found,) = recognise(tmp_path / "ComfyUI")
    assert found.missing == () or set(found.missing) == {"tokenizer", "tokenizer_2"}  # CLIP's vocabulary ships
    store = Store(tmp_path / "store")
    register(store, found, "one")
    opened = open_folder(store.root / "one")
    started = time.process_time()
    components, wanted = from_folder(store.root / "one"), published(model)
    assert time.process_time() - started < 1
    own, known = ({part.name: part for part in one.parts} for one in (components, wanted))
    assert own.keys() == known.keys()
    for name, part in own.items():
        assert part.footprint.parameters == pytest.approx(known[name].footprint.parameters, rel=0.01), name
    file = sum(part.bytes for part in found.parts if part.path == str(path))
    assert file == pytest.approx(path.stat().st_size, rel=0.01)
    assert own["transformer"].stored == pytest.approx(
        next(part.bytes for part in found.parts if part.name == "transformer"), rel=0.02
    )
    recipe = opened.info.recipe("a red apple")
    large = Forecaster().forecast(recipe, components, opened.family, imagined(80, 64))
    assert large.level == "fits" and large.needed > 0 and large.seconds and math.isfinite(large.seconds)
    small = Forecaster().forecast(recipe, components, opened.family, imagined(12, 32))
    assert small.plan is not None and small.needed <= large.needed


@pytest.mark.parametrize("kind", PARTS)
def test_parts(tmp_path: Path, kind: str) -> None:
    wanted, precision, make = PARTS[kind]
    path = make(tmp_path)
    started = time.process_time()
    found = recognise_file(path)
    assert time.process_time() - started < 1
    assert [(part.kind, part.precision) for part in found.parts] == [(wanted, precision)] and not found.model
    assert found.parts[0].bytes == pytest.approx(path.stat().st_size, rel=0.01)


@pytest.mark.parametrize("control", ["blur", "canny", "depth"])
def test_controlnets(tmp_path: Path, control: str) -> None:
    storage = plain(true.controlnet(), "F16")
    path = true.safetensors(tmp_path / f"sd3.5_large_controlnet_{control}.safetensors", storage)
    assert path.stat().st_size == pytest.approx(8.63e9, rel=0.02)
    started = time.process_time()
    found = survey(path)
    assert time.process_time() - started < 1
    assert [(one.family, one.control) for one in found.controlnets] == [("sd35", control)] and not found.found
    store = Store(tmp_path / "store")
    take_in(store, found)
    take_in(store, found)
    assert [one.path for one in known_controlnets(store)] == [str(path)]
    with pytest.raises(BadFile, match="ControlNet, not a model"):
        recognise(path)


def test_a_large_lora(tmp_path: Path) -> None:
    layers = [name.removesuffix(".weight") for name, shape in shapes_of(LARGE).items() if len(shape) == 2]
    storage: Storage = {}
    for layer in layers:
        if layer.startswith("transformer_blocks"):
            rows, columns = shapes_of(LARGE)[f"{layer}.weight"]
            storage[f"transformer.{layer}.lora_A.weight"] = ("BF16", (128, columns))
            storage[f"transformer.{layer}.lora_B.weight"] = ("BF16", (rows, 128))
    path = true.safetensors(tmp_path / "big.safetensors", storage)
    assert len(storage) > 700 and path.stat().st_size > 500e6
    started = time.process_time()
    facts = lora_facts(path)
    assert time.process_time() - started < 1
    assert (facts.family, facts.width, facts.rank) == ("sd35", 2432, 128)
