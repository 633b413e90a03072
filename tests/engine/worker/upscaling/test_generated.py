"""A recipe that says that its results are made larger: the models that ship do, by default."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.media import metadata
from engine.media.frames import ClipReader
from engine.models.installed import find_installed
from engine.models.upscalers import DEFAULT, Upscaler, Upscalers
from engine.protocol.assets import Asset
from engine.protocol.commands import Generate
from engine.protocol.errors import BadRecipe, Cancelled
from engine.protocol.events import Event, JobResumed, StageChanged
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe
from engine.protocol.upscaling import Upscaling
from engine.worker.progress import Progress
from engine.worker.runner import Runner
from engine.worker.upscaling.loading import read_network
from engine.worker.upscaling.tiles import enlarged
from resources import MODELS

SHIPPED = next(one for one in Upscalers().all() if one.name == DEFAULT)
HERE = {found.info.id: found for found in find_installed([MODELS])}


@pytest.fixture(scope="module")
def runner() -> Runner:
    return Runner(device=torch.device("cpu"))


def job(recipe: Recipe, folder: Path, network: Upscaler = SHIPPED, checkpoint: str = "") -> Generate:
    file = Asset(network.name, network.facts.sha256, str(network.path))
    model = HERE[recipe.model].folder
    return Generate("job", recipe, str(model), str(folder), "out", checkpoint=checkpoint, network_file=file)


@pytest.mark.parametrize("id", HERE)
def test_the_models_that_ship_say_512_pixels_or_four_times(id: str) -> None:
    defaults = HERE[id].info.defaults
    assert defaults.upscaling == SHIPPED.upscaling(4)
    recipe = HERE[id].info.recipe("an owl")
    assert recipe.upscaling == SHIPPED.upscaling(4)
    assert recipe.saved_size == (recipe.width * 4, recipe.height * 4)
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_picture_is_saved_enlarged_and_bare_without(runner: Runner, tmp_path: Path) -> None:
    recipe = HERE["laterna-mini-image-turbo"].info.recipe("a red apple", seed=3, steps=1)
    bare = runner.run(job(recipe.replace(upscaling=None), tmp_path / "bare"), lambda *_: None)
    large = runner.run(job(recipe, tmp_path / "large"), lambda *_: None)
    small = np.asarray(Image.open(bare.files[0].path))
    made = np.asarray(Image.open(large.files[0].path))
    assert small.shape == (128, 128, 3) and made.shape == (512, 512, 3)
    network = read_network(SHIPPED.path, torch.device("cpu"))
    assert np.array_equal(made, enlarged(small, network, SHIPPED.upscaling(4), lambda: None))
    direct = runner.make(job(recipe.replace(upscaling=None), tmp_path), Progress("job", lambda *_: None))
    assert np.array_equal(small, direct.frames[0, 0].numpy()), "without it nothing has changed"
    said = metadata.read(Path(large.files[0].path))
    assert said.recipe == recipe and said.pixels_sha256 == large.files[0].pixels_sha256
    resampled = runner.run(job(recipe.replace(upscaling=Upscaling(2)), tmp_path / "two"), lambda *_: None)
    assert np.asarray(Image.open(resampled.files[0].path)).shape == (256, 256, 3)


def test_a_cancel_while_it_enlarges_keeps_what_was_made(runner: Runner, tmp_path: Path) -> None:
    recipe = HERE["laterna-mini-video"].info.recipe("a rocket moves up", seed=3, steps=1, frames=9)
    whole = runner.run(job(recipe, tmp_path / "whole"), lambda *_: None)
    with ClipReader(Path(whole.files[0].path)) as clip:
        assert (clip.width, clip.height) == (384, 384)
    told: list[Event] = []

    def cancel(event: Event, _blob: bytes) -> None:
        told.append(event)
        if isinstance(event, StageChanged) and event.stage == "enlarging" and event.fraction > 0.3:
            runner.cancellation.request()

    asked = job(recipe, tmp_path / "again", checkpoint=str(tmp_path / "job.safetensors"))
    with pytest.raises(Cancelled):
        runner.run(asked, cancel)
    assert (tmp_path / "job.safetensors").exists() and not (tmp_path / "again" / "out.mp4").exists()
    runner.cancellation.reset()
    again = runner.run(asked, lambda event, _blob: told.append(event))
    assert [event for event in told if isinstance(event, JobResumed)]
    assert again.files[0].pixels_sha256 == whole.files[0].pixels_sha256


def test_what_would_be_too_large_or_makes_no_sense_is_refused() -> None:
    info = HERE["laterna-mini-image"]
    for how in (Upscaling(5), Upscaling(2, "ab")):
        with pytest.raises(BadRecipe):
            validate(info.info.recipe("x", upscaling=how), info.family)
    large = Recipe(family="sd35", model="sd3.5-large", width=4096, height=4096, upscaling=SHIPPED.upscaling(4))
    with pytest.raises(BadRecipe) as refused:
        validate(large, info.family)
    assert refused.value.field in ("upscaling", "width")
