"""One job on tiny models: its events, its files, its caches, and what it refuses."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest
import torch

from engine.media.pixels import pixels_sha256
from engine.protocol.errors import BadRecipe, LaternaError, ModelDamaged, ModelMissing, NotWritable, UnsafeModel
from engine.protocol.events import PreviewReady, StageChanged, StepDone
from engine.protocol.recipe import Range, SkipLayerGuidance
from engine.worker import runner as runner_module
from engine.worker.runner import Runner

from .conftest import Driver, cogvideox, sd35


@pytest.fixture
def copy(tiny, tmp_path: Path):
    """A model's folder that a test may damage."""
    return lambda variant: shutil.copytree(tiny(variant), tmp_path / "model")


def test_a_picture_from_recipe_to_file(tiny, driver: Driver, tmp_path: Path) -> None:
    recipe = sd35(steps=3)
    job = driver.job(tiny("sd35-large"), recipe, output_folder=str(tmp_path / "new"), preview_interval=0.0)
    finished = driver.runner.run(job, driver.emit)
    [file] = finished.files
    assert Path(file.path) == tmp_path / "new" / "out.png"
    again = driver.make(tiny("sd35-large"), recipe)
    assert file.pixels_sha256 == pixels_sha256(again.frames[0, 0].numpy())
    assert {"loading", "encoding", "denoising", "decoding", "saving"} <= set(finished.seconds)
    assert finished.peak_memory > 0


def test_stages_come_in_order_and_steps_count_down(tiny, driver: Driver) -> None:
    driver.make(tiny("sd35-large"), sd35(steps=5))
    stages = list(dict.fromkeys(event.stage for event in driver.of(StageChanged)))
    assert stages == ["loading", "encoding", "denoising", "decoding"]
    steps = driver.of(StepDone)
    assert [(step.step, step.steps) for step in steps] == [(i, 5) for i in range(1, 6)]
    assert all(step.seconds_left >= 0 for step in steps)
    assert steps[-1].seconds_left > 0  # decoding is still to come


def test_a_batch_gets_numbered_files_and_no_file_is_overwritten(tiny, driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "out_2.png").write_bytes(b"somebody's")
    job = driver.job(tiny("sd35-large"), sd35(batch=2, steps=1), output_folder=str(tmp_path))
    files = driver.runner.run(job, driver.emit).files
    assert [Path(file.path).name for file in files] == ["out.png", "out_3.png"]
    assert [file.index for file in files] == [0, 1]
    assert files[0].pixels_sha256 != files[1].pixels_sha256
    assert (tmp_path / "out_2.png").read_bytes() == b"somebody's"


def test_a_clip_becomes_an_mp4(tiny, driver: Driver, tmp_path: Path) -> None:
    job = driver.job(tiny("cogvideox-2b"), cogvideox(steps=1), output_folder=str(tmp_path))
    [file] = driver.runner.run(job, driver.emit).files
    assert file.path.endswith("out.mp4")
    assert Path(file.path).stat().st_size > 1000


def test_the_same_recipe_gives_the_same_pixels_in_another_engine(tiny, driver: Driver) -> None:
    recipe = sd35(seed=2**62 + 3)
    first = driver.make(tiny("sd35-medium"), recipe)
    second = Driver(Runner(device=torch.device("cpu"))).make(tiny("sd35-medium"), recipe)
    assert torch.equal(first.frames, second.frames)


def test_previews_cost_little_and_can_be_switched_off(tiny, driver: Driver, monkeypatch) -> None:
    driver.make(tiny("sd35-large"), sd35(steps=3), preview_interval=-1.0)
    assert not driver.of(PreviewReady)
    monkeypatch.setattr("engine.worker.previews.SHARE", 1000.0)
    driver.make(tiny("sd35-large"), sd35(steps=3), preview_interval=0.0)
    assert [preview.step for preview in driver.of(PreviewReady)] == [1, 2, 3]
    driver.make(tiny("sd35-large"), sd35(steps=3), preview_interval=3600.0)
    assert [preview.step for preview in driver.of(PreviewReady)] == [1]


def test_a_prompt_is_encoded_once(tiny, driver: Driver, tmp_path: Path, monkeypatch) -> None:
    folder, cache = tiny("sd35-large"), str(tmp_path / "encodings")
    first = driver.make(folder, sd35(), cache_folder=cache)
    driver.make(folder, sd35(seed=8), cache_folder=cache)
    assert not [event for event in driver.of(StageChanged) if event.stage == "encoding"]
    # A new engine finds it on disk, and does not even load the text encoders.
    fresh = Driver(Runner(device=torch.device("cpu"), precision=torch.float32))
    again = fresh.make(folder, sd35(), cache_folder=cache)
    assert "CLIP-L text encoder" not in [event.detail for event in fresh.of(StageChanged)]
    assert torch.equal(first.latents, again.latents)
    assert oct(Path(cache).stat().st_mode & 0o777) == oct(0o700)
    # Another prompt, another length: encoded anew.
    for change in ({"prompt": "a blue house"}, {"max_sequence_length": 21}, {"use_t5": False}):
        fresh.make(folder, sd35(**change), cache_folder=cache)
        assert "encoding" in [event.stage for event in fresh.of(StageChanged)], change


def test_models_are_kept_between_jobs_and_noticed_when_they_change(copy, driver: Driver) -> None:
    folder = copy("sd35-large")
    driver.make(folder, sd35(steps=1))
    driver.make(folder, sd35(steps=1, prompt="a dog"))
    assert "loading" not in [event.stage for event in driver.of(StageChanged)]
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes())
    driver.make(folder, sd35(steps=1, prompt="a dog"))
    assert "loading" in [event.stage for event in driver.of(StageChanged)]


def test_preload_leaves_nothing_to_load(tiny, driver: Driver) -> None:
    driver.runner.preload(tiny("sd35-large"))
    driver.make(tiny("sd35-large"), sd35(steps=1))
    assert "loading" not in [event.stage for event in driver.of(StageChanged)]


def test_the_negative_prompts_range_replaces_it_by_zeros_outside(tiny, driver: Driver) -> None:
    folder, recipe = tiny("sd35-large"), sd35(negative_prompt="bad blurry", steps=6)
    whole = driver.make(folder, recipe)
    parts = [
        driver.make(folder, recipe.replace(negative_range=range_))
        for range_ in (Range(0.0, 0.3), Range(0.0, 0.8), Range(0.5, 1.0))
    ]
    results = [whole, *parts]
    assert not any(torch.equal(a.latents, b.latents) for i, a in enumerate(results) for b in results[:i])
    # Where it is never on, its words do not matter.
    never = recipe.replace(negative_range=Range(1.0, 1.0))
    other = never.replace(negative_prompt="sky sea")
    assert torch.equal(driver.make(folder, never).latents, driver.make(folder, other).latents)


def test_nothing_asks_the_network(tiny, driver: Driver, monkeypatch, tmp_path: Path) -> None:
    def refuse(*arguments, **more):
        raise AssertionError("the engine tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for variant, recipe in (("sd35-large", sd35(steps=1)), ("cogvideox-5b", cogvideox(steps=1, sampler="dpm"))):
        driver.runner.run(driver.job(tiny(variant), recipe, output_folder=str(tmp_path)), driver.emit)


def failure(driver: Driver, folder: Path, recipe=None) -> LaternaError:
    with pytest.raises(LaternaError) as caught:
        driver.make(folder, recipe or sd35())
    assert caught.value.message and caught.value.remedy
    return caught.value


def test_a_pickle_is_refused_and_never_opened(copy, driver: Driver) -> None:
    folder = copy("sd35-large")
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    error = failure(driver, folder)
    assert isinstance(error, UnsafeModel)
    assert "safetensors" in error.remedy


def test_a_model_that_brings_code_is_refused(copy, driver: Driver) -> None:
    folder = copy("sd35-large")
    config = folder / "text_encoder_3" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"auto_map": {"AutoModel": "evil.Model"}}))
    assert isinstance(failure(driver, folder), UnsafeModel)


def test_an_unknown_class_is_refused(copy, driver: Driver) -> None:
    folder = copy("sd35-large")
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"transformer": ["my_code", "EvilTransformer"]}))
    assert isinstance(failure(driver, folder), UnsafeModel)


@pytest.mark.parametrize("missing", ["vae", "scheduler", "tokenizer_2", "transformer/config.json", "model_index.json"])
def test_missing_files_are_named(copy, driver: Driver, missing: str) -> None:
    folder = copy("sd35-large")
    path = folder / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    error = failure(driver, folder)
    assert isinstance(error, ModelMissing)
    assert Path(missing).name.split("/")[0] in error.message or "transformer" in error.message


@pytest.mark.parametrize("damage", ["cut", "longer", "zeros", "empty", "header"])
def test_damaged_weights_are_noticed_before_they_are_loaded(copy, driver: Driver, damage: str) -> None:
    folder = copy("sd35-large")
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    good = weights.read_bytes()
    bad = {
        "cut": good[: len(good) // 2],
        "longer": good + b"\0" * 7,
        "zeros": b"\0" * len(good),
        "empty": b"",
        "header": b"\xff" * 8 + good[8:],
    }
    weights.write_bytes(bad[damage])
    error = failure(driver, folder)
    assert isinstance(error, ModelDamaged)
    assert "vae" in error.message


def test_weights_of_another_shape_are_a_damaged_model(copy, driver: Driver) -> None:
    folder = copy("sd35-large")
    config = folder / "transformer" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"attention_head_dim": 24}))
    assert isinstance(failure(driver, folder), ModelDamaged)
    # The engine goes on with a good one.
    config.write_text(json.dumps(json.loads(config.read_text()) | {"attention_head_dim": 16}))
    driver.make(folder, sd35(steps=1))


@pytest.mark.parametrize(
    ("recipe", "field"),
    [
        (sd35(width=72), "width"),
        (sd35(height=400), "height"),
        (sd35(steps=0), "steps"),
        (sd35(guidance=float("nan")), "guidance"),
        (sd35(sampler="dpm"), "sampler"),
        (sd35(family="flux"), "family"),
        (sd35(prompt="x" * 100_000), "prompt"),
        (sd35(skip_layer_guidance=SkipLayerGuidance(layers=(7, 8, 9))), "skip_layer_guidance"),
    ],
)
def test_recipes_out_of_range_are_answered_with_the_field(tiny, driver: Driver, recipe, field: str) -> None:
    error = failure(driver, tiny("sd35-large"), recipe)
    assert isinstance(error, BadRecipe)
    assert error.field == field


def test_cogvideox_2b_needs_its_prompt_length(tiny, driver: Driver) -> None:
    error = failure(driver, tiny("cogvideox-2b"), cogvideox(max_sequence_length=226))
    assert (type(error), error.field) == (BadRecipe, "max_sequence_length")
    assert "12" in error.remedy


def test_a_recipe_for_another_family_than_the_folders_is_refused(tiny, driver: Driver) -> None:
    error = failure(driver, tiny("cogvideox-2b"), sd35())
    assert (type(error), error.field) == (BadRecipe, "model")


def test_an_output_that_is_no_folder_is_a_sentence(tiny, driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    job = driver.job(tiny("sd35-large"), sd35(steps=1), output_folder=str(tmp_path / "file"))
    with pytest.raises(NotWritable):
        driver.runner.run(job, driver.emit)


def test_decoding_that_does_not_fit_goes_on_in_tiles(tiny, driver: Driver, monkeypatch) -> None:
    family = runner_module.pipelines.get("sd35")
    decode, tilings = type(family).decode, []

    def fails_once(self, model, vae, recipe, latents):
        tilings.append(vae.use_tiling)
        if len(tilings) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(self, model, vae, recipe, latents)

    monkeypatch.setattr(type(family), "decode", fails_once)
    driver.make(tiny("sd35-large"), sd35(steps=1))
    driver.make(tiny("sd35-large"), sd35(steps=1))
    assert tilings == [False, True, False]
