"""Every kind of file that can be generated with can be planned and forecast too, and gives its reference's numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.memory.forecast import Forecaster
from engine.memory.inventory import from_folder, of_model
from engine.memory.machine import imagined
from engine.models.assembly import tokenizers_of
from engine.models.imports import recognise, register
from engine.models.installed import open_folder
from engine.models.store import Store
from engine.prompt.tokens import TokenCounter
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, cogvideox, sd35
from tests.fakes import single_files as layouts

CORPUS = "a red apple on the left\na dog moves right\nblurry small house\n" * 30
SD35 = sd35(steps=1, guidance=1.0)
COG = cogvideox(steps=1, guidance=1.0, max_sequence_length=226)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return layouts.save_slim_sd35(tmp_path_factory.mktemp("still") / "sd3.5-medium", medium=True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return layouts.save_slim_cogvideox(tmp_path_factory.mktemp("clip") / "CogVideoX-5b", "5b")


@pytest.fixture
def driver() -> Driver:
    return Driver(Runner(device=torch.device("cpu")))


def mmdit(folder: Path) -> layouts.Tensors:
    return layouts.original_transformer(layouts.component(folder, "transformer"))


def _folder(folder: Path, place: Path) -> Path:
    return folder


def _all_in_one(folder: Path, place: Path) -> Path:
    return layouts.all_in_one(folder, place / "sd3.5_medium_all.safetensors")


def _all_in_one_fp8(folder: Path, place: Path) -> Path:
    small, _ = layouts.fp8(layouts.under("model.diffusion_model.", mmdit(folder)), scaled=True)
    from safetensors.torch import load_file

    whole = load_file(layouts.all_in_one(folder, place / "whole" / "x.safetensors"))
    rest = {name: value for name, value in whole.items() if not name.startswith("model.diffusion_model.")}
    return layouts.save_tensors(place / "sd3.5_medium_fp8_scaled.safetensors", rest | small)


def _transformer(folder: Path, place: Path) -> Path:
    return layouts.save_tensors(place / "sd3.5_medium.safetensors", mmdit(folder))


def _gguf(folder: Path, place: Path) -> Path:
    return layouts.gguf_transformer(folder, place / "sd3.5_medium-Q8_0.gguf", "Q8_0")


def _tree(folder: Path, place: Path) -> Path:
    return layouts.comfyui_tree(folder, place / "models")


STILLS: list[Callable[[Path, Path], Path]] = [_folder, _all_in_one, _all_in_one_fp8, _transformer, _gguf, _tree]


def _is_planned(store: Store, name: str, recipe: Any) -> None:
    model = open_folder(store.root / name)
    components = of_model(model.info.id, store.root / name)
    assert components == from_folder(store.root / name)
    forecast = Forecaster().forecast(recipe, components, model.family, imagined(None, 16))
    assert forecast.level == "fits" and forecast.plan is not None and forecast.needed > 0
    counted = TokenCounter(model.folder, model.family).count("a red apple")
    assert counted and all(one.tokens for one in counted)


@pytest.mark.parametrize("kind", STILLS, ids=lambda kind: kind.__name__.strip("_"))
def test_pictures(driver: Driver, still: Path, tmp_path: Path, kind: Callable[[Path, Path], Path]) -> None:
    store = Store(tmp_path / "store")
    register(store, recognise(still)[0], "whole")
    register(store, recognise(kind(still, tmp_path / "files"))[0], "one")
    _is_planned(store, "one", SD35)
    model = store.root / "one" if kind is not _folder else still
    assert torch.isfinite(driver.make(model, SD35).latents).all()


COGS = ("bf16", "fp8", "scaled fp8", "ggml blocks")


@pytest.mark.parametrize("form", COGS)
def test_clips_from_one_file(driver: Driver, clip: Path, tmp_path: Path, form: str) -> None:
    """Against the folder with the dequantised weights."""
    own = layouts.component(clip, "transformer")
    small, wide = {
        "bf16": lambda: ({name: one.bfloat16() for name, one in own.items()},) * 2,
        "fp8": lambda: layouts.fp8(own, scaled=False),
        "scaled fp8": lambda: layouts.fp8(own, scaled=True),
        "ggml blocks": lambda: layouts.ggml_blocks(own),
    }[form]()
    prefix = "model.diffusion_model." if form == "scaled fp8" else ""
    store = Store(tmp_path / "store")
    register(store, recognise(clip)[0], "whole")
    for name, tensors in (("one", small), ("wide", wide)):
        file = layouts.save_tensors(tmp_path / f"CogVideoX_5b_{name}.safetensors", layouts.under(prefix, tensors))
        (found,) = recognise(file)
        assert (found.family, found.model) == ("cogvideox", "cogvideox-5b")
        register(store, found, name)
    _is_planned(store, "one", COG)
    made, expected = driver.make(store.root / "one", COG).latents, driver.make(store.root / "wide", COG).latents
    assert torch.allclose(made, expected, atol=1e-5)
    if form == "bf16":
        assert torch.allclose(made, driver.make(clip, COG).latents, atol=0.1)


@pytest.mark.parametrize("variant", ["2b", "5b-i2v", "1.5-5b", "1.5-5b-i2v"])
def test_every_cogvideox_is_told_and_configured(tmp_path: Path, variant: str) -> None:
    """The configuration of a single file is that of the folder it was taken from."""
    from engine.models.reading.model_folder import read_model

    folder = layouts.save_slim_cogvideox(tmp_path / f"CogVideoX-{variant}", variant)
    store = Store(tmp_path / "store")
    register(store, recognise(folder)[0], "whole")
    tensors = layouts.component(folder, "transformer")
    (found,) = recognise(layouts.save_tensors(tmp_path / f"CogVideoX_{variant}.safetensors", tensors))
    assert found.model == f"cogvideox-{variant}"
    register(store, found, "one")
    one, whole = read_model(store.root / "one", "cogvideox"), read_model(folder, "cogvideox")
    own = one.parts["transformer"].config
    for key, value in whole.parts["transformer"].config.items():
        if not key.startswith("_") and key in own:
            assert own[key] == value, key
    for key in ("scaling_factor", "invert_scale_latents"):
        assert one.parts["vae"].config.get(key) == whole.parts["vae"].config.get(key)
    assert one.parts["scheduler"].config["snr_shift_scale"] == whole.parts["scheduler"].config["snr_shift_scale"]


def test_a_clips_vae_alone(driver: Driver, clip: Path, tmp_path: Path) -> None:
    tree = tmp_path / "models"
    layouts.save_tensors(tree / "CogVideo" / "CogVideoX_5b.safetensors", layouts.component(clip, "transformer"))
    layouts.save_tensors(tree / "vae" / "cogvideox_vae_bf16.safetensors", layouts.component(clip, "vae"))
    layouts.save_tensors(tree / "text_encoders" / "t5xxl_fp16.safetensors", layouts.component(clip, "text_encoder"))
    store = Store(tmp_path / "store")
    register(store, recognise(clip)[0], "whole")
    (found,) = recognise(tree)
    register(store, found, "one")
    _is_planned(store, "one", COG)
    made = driver.make(store.root / "one", COG)
    expected = driver.make(clip, COG)
    assert torch.allclose(made.latents, expected.latents, atol=1e-5) and torch.equal(made.frames, expected.frames)


@pytest.mark.parametrize("type", ["F16", "Q8_0", "Q4_0"])
def test_a_t5_in_gguf(driver: Driver, clip: Path, tmp_path: Path, type: str) -> None:
    """Its own pieces as tokenizer; the encoder against the dequantised weights in the same network."""
    pieces = layouts.train_pieces(tmp_path / "pieces", CORPUS)
    wide = layouts.gguf_t5(layouts.component(clip, "text_encoder"), tmp_path / f"t5xxl-{type}.gguf", type, pieces)
    tree, same = tmp_path / "models", tmp_path / "same"
    for place in (tree, same):
        layouts.save_tensors(place / "CogVideo" / "CogVideoX_5b.safetensors", layouts.component(clip, "transformer"))
        layouts.save_tensors(place / "vae" / "cogvideox_vae.safetensors", layouts.component(clip, "vae"))
    (tree / "text_encoders").mkdir()
    (tmp_path / f"t5xxl-{type}.gguf").rename(tree / "text_encoders" / f"t5xxl-{type}.gguf")
    layouts.save_tensors(same / "text_encoders" / "t5xxl.safetensors", wide)
    store = Store(tmp_path / "store")
    (found,) = recognise(tree)
    assert not found.missing
    register(store, found, "one")
    assert tokenizers_of(store.root / "one")["tokenizer"].suffix == ".gguf"
    _is_planned(store, "one", COG)
    (other,) = recognise(same)
    import msgspec

    own = next(part for part in found.parts if part.name == "tokenizer")
    register(store, msgspec.structs.replace(other, parts=(*other.parts, own)), "same")
    made = driver.make(store.root / "one", COG).latents
    assert torch.allclose(made, driver.make(store.root / "same", COG).latents, atol=1e-5)
    loaded = driver.runner.open(store.root / "one")
    loaded.load(["text_encoder"])


def _with_clip_words(folder: Path) -> dict[str, torch.Tensor]:
    """All of a file as published: CLIP's encoders with all words of its vocabulary."""
    from safetensors.torch import load_file

    whole = load_file(layouts.all_in_one(folder, folder.parent / "whole.safetensors"))
    for encoder in ("clip_l", "clip_g"):
        name = f"text_encoders.{encoder}.transformer.text_model.embeddings.token_embedding.weight"
        more = torch.randn(49408 - len(whole[name]), whole[name].shape[1], generator=torch.Generator().manual_seed(1))
        whole[name] = torch.cat([whole[name], more * 0.02])
    return whole


def test_an_all_in_one_runs_at_once_without_a_network_and_says_what_it_runs_without(
    driver: Driver, still: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    whole = _with_clip_words(still)
    (found,) = recognise(layouts.save_tensors(tmp_path / "sd3.5_medium.safetensors", whole))
    register(store, found, "one")
    _is_planned(store, "one", SD35)
    made = driver.make(store.root / "one", SD35).latents
    said = [event.message for event, _ in driver.events if type(event).__name__ == "JobNoted"]
    assert any("without T5 tokenizer" in sentence for sentence in said)
    # A CLIP-L with a projection of its own is read as one without.
    own = torch.randn(768, 768, generator=torch.Generator().manual_seed(2)) * 0.1
    projected = whole | {"text_encoders.clip_l.transformer.text_projection.weight": own}
    (other,) = recognise(layouts.save_tensors(tmp_path / "other" / "sd3.5_medium.safetensors", projected))
    register(store, other, "two")
    assert torch.equal(driver.make(store.root / "two", SD35).latents, made)
    without = {name: one for name, one in whole.items() if "clip_l.transformer.text_projection" not in name}
    (third,) = recognise(layouts.save_tensors(tmp_path / "third" / "sd3.5_medium.safetensors", without))
    register(store, third, "three")
    assert torch.equal(driver.make(store.root / "three", SD35).latents, made)


def test_a_tokenizer_that_claims_more_than_clip_has_places(driver: Driver, still: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = tmp_path / "sd3.5-medium"
    shutil.copytree(still, folder)
    for name in ("tokenizer", "tokenizer_2"):
        place = folder / name / "tokenizer_config.json"
        place.write_text(json.dumps(json.loads(place.read_text()) | {"model_max_length": 8192}))
    assert torch.isfinite(driver.make(folder, SD35).latents).all()
    model = open_folder(folder)
    assert TokenCounter(folder, model.family).count("red " * 500)[0].limit == 75


@pytest.mark.parametrize("change", ["prefix", "squeezed"])
def test_variants_of_gguf(driver: Driver, still: Path, tmp_path: Path, change: str) -> None:
    """stable-diffusion.cpp's prefix without an architecture; llama-quantize's positions of two dimensions."""
    import gguf as gguf_library

    tensors = mmdit(still)
    writer = gguf_library.GGUFWriter(tmp_path / "sd3.5_medium-x.gguf", "sd3")
    prefix = "model.diffusion_model." if change == "prefix" else ""
    for name, tensor in tensors.items():
        values = tensor.float()
        if name == "pos_embed" and change == "squeezed":
            values = values[0]
        writer.add_tensor(prefix + name, values.contiguous().numpy())
    if change == "prefix":
        writer.kv_data[0].clear()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    store = Store(tmp_path / "store")
    register(store, recognise(still)[0], "whole")
    (found,) = recognise(tmp_path / "sd3.5_medium-x.gguf")
    register(store, found, "one")
    _is_planned(store, "one", SD35)
    assert torch.equal(driver.make(store.root / "one", SD35).latents, driver.make(still, SD35).latents)
