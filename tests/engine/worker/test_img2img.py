"""Starting from a picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.protocol.commands import Generate
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.events import StepDone
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from engine.worker import pipelines
from engine.worker.pictures import pinned, read_picture

from .conftest import Driver, cogvideox, sd35


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_of_the_very_size_is_read_as_it_is(picture: Path) -> None:
    assert np.array_equal(read_picture(picture, 64, 64).numpy(), np.asarray(Image.open(picture)))


def test_another_shape_is_scaled_to_cover_and_its_middle_taken(tmp_path: Path) -> None:
    stripes = np.zeros((32, 128, 3), np.uint8)
    stripes[:, 48:80] = 255
    Image.fromarray(stripes).save(tmp_path / "wide.png")
    found = read_picture(tmp_path / "wide.png", 64, 64)
    assert found.shape == (64, 64, 3)
    assert found[:, 8:56].min() > 200  # the white middle fills the square


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png", 64, 64) == 255).all()


def test_a_picture_is_known_by_its_content(picture: Path) -> None:
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    read_picture(picture, 64, 64, digest)
    with pytest.raises(BadRecipe) as refused:
        read_picture(picture, 64, 64, "ab" * 32)
    assert refused.value.field == "inputs"


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe):
        read_picture(tmp_path / "gone.png", 64, 64)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    with pytest.raises(BadFile):
        read_picture(tmp_path / "broken.png", 64, 64)


def test_the_start_is_the_picture_with_the_schedules_noise(tiny, driver: Driver, picture: Path) -> None:
    """One step at strength 0.25 is the last of four: from sigma (1 - sigma) picture + sigma noise."""
    family = pipelines.get("sd35")
    recipe = sd35(
        steps=1, inputs=(Input("start", str(picture), strength=0.25),), sampler="dpmpp_2m", scheduler="simple"
    )
    model = driver.runner.open(tiny("sd35-large"))
    model.load(["vae"])
    with torch.no_grad(), model.use("vae") as parts:
        pixels = read_picture(picture, 64, 64)
        encoded = family.encode_picture(model, parts["vae"], recipe, pixels)
        distribution = parts["vae"].encode(pixels.permute(2, 0, 1)[None].float() / 127.5 - 1).latent_dist
    assert torch.allclose(encoded, (distribution.mean - 0.0609) * 1.5305, atol=1e-6)
    noise = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))
    start = family.start(model.folder, recipe, noise, encoded)
    sigma = 3 * 0.25 / (1 + 2 * 0.25)
    assert torch.allclose(start, sigma * noise + (1 - sigma) * encoded, atol=1e-6)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde", "uni_pc"])
def test_little_strength_changes_little(tiny, driver: Driver, picture: Path, sampler: str) -> None:
    def distance(strength: float) -> float:
        recipe = sd35(
            steps=3, sampler=sampler, scheduler="simple", inputs=(Input("start", str(picture), strength=strength),)
        )
        made = driver.make(tiny("sd35-large"), recipe)
        assert [step.step for step in driver.of(StepDone)] == [1, 2, 3]
        return float((made.latents - picture_latents).abs().mean())

    family = pipelines.get("sd35")
    model = driver.runner.open(tiny("sd35-large"))
    model.load(["vae"])
    with torch.no_grad(), model.use("vae") as parts:
        pixels = read_picture(picture, 64, 64)
        picture_latents = family.encode_picture(model, parts["vae"], sd35(), pixels)
    near, far = distance(0.02), distance(0.9)
    assert near < 0.5 * far


def test_full_strength_starts_from_noise_alone(tiny, driver: Driver, picture: Path) -> None:
    recipe = sd35(inputs=(Input("start", str(picture)),))
    assert torch.equal(
        driver.make(tiny("sd35-large"), recipe).latents,
        driver.make(tiny("sd35-large"), recipe.replace(inputs=())).latents,
    )


def test_a_schedule_that_starts_below_one_scales_its_noise(tiny, driver: Driver) -> None:
    family = pipelines.get("sd35")
    model = driver.runner.open(tiny("sd35-large"))
    noise = torch.randn(1, 16, 8, 8)
    start = family.start(model.folder, sd35(scheduler="ddim_uniform", steps=30), noise, None)
    assert torch.allclose(start, noise * (3 * 0.992 / (1 + 2 * 0.992)), atol=1e-6)


def test_cogvideox_says_that_it_cannot(tiny, driver: Driver, picture: Path) -> None:
    with pytest.raises(BadRecipe):
        driver.make(tiny("cogvideox-2b"), cogvideox(inputs=(Input("first_frame", str(picture)),)))


def test_a_result_names_its_picture_by_content(picture: Path) -> None:
    recipe = Recipe("sd35", "m", inputs=(Input("start", str(picture), strength=0.5),))
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    assert _pinned(recipe).inputs == (Input("start", str(picture), digest, 0.5),)
    assert _pinned(_pinned(recipe)) == _pinned(recipe)
    assert _pinned(Recipe("sd35", "m")) == Recipe("sd35", "m")
    with pytest.raises(BadRecipe):
        _pinned(recipe.replace(inputs=(Input("start", str(picture.with_name("gone.png"))),)))


def _pinned(recipe: Recipe) -> Recipe:
    return pinned(Generate("job", recipe, "", "", "out"))
