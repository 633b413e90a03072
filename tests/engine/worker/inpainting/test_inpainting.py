"""A part of a picture made anew: as the reference does it, and the rest as it came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.families.registry import INFOS
from engine.media.masks import read_mask
from engine.protocol.errors import BadFile, BadRecipe, Cancelled
from engine.protocol.events import Event, StepDone
from engine.protocol.family_info import validate
from engine.protocol.inpainting import Inpainting
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from engine.worker import pipelines
from engine.worker.inpainting.canvas import Box, around, grown, weights
from engine.worker.pictures import read_picture
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, align_all, sd35

MASK = np.zeros((64, 64), np.uint8)
MASK[16:48, 24:56] = 255


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Input, ...]:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    Image.fromarray(MASK).save(tmp_path / "mask.png")
    return Input("start", str(tmp_path / "picture.png")), Input("mask", str(tmp_path / "mask.png"))


def pixels_of(inputs: tuple[Input, ...]) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(inputs[0].path))


def with_strength(inputs: tuple[Input, ...], strength: float) -> tuple[Input, ...]:
    return inputs[0].replace(strength=strength), inputs[1]


@torch.no_grad()
def encoded(driver: Driver, folder: Path, recipe: Recipe) -> torch.Tensor:
    """The picture's latents, as the engine takes them."""
    family, model = pipelines.get("sd35"), driver.runner.open(folder)
    model.load(["vae"])
    with model.use("vae") as parts:
        pixels = read_picture(Path(recipe.inputs[0].path), recipe.width, recipe.height)
        return family.encode_picture(model, parts["vae"], recipe, pixels)


@torch.no_grad()
def reference(folder: Path, recipe: Recipe, steps: int, picture: torch.Tensor) -> torch.Tensor:
    """Final latents of diffusers' own pipeline (which decodes them without the VAE's shift, and so to other pixels). It
    draws the picture's latents from the VAE's posterior and lays its pixels out otherwise; here it gets Laterna's."""
    from diffusers import StableDiffusion3InpaintPipeline

    pipeline = StableDiffusion3InpaintPipeline.from_pretrained(folder, dtype=torch.float32)
    align_all(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    pipeline._encode_vae_image = lambda image, generator: picture
    kept = {}

    def keep(pipe: object, step: int, timestep: object, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        kept["latents"] = tensors["latents"]
        return {}

    strength = recipe.inputs[0].strength
    pipeline(
        prompt=recipe.prompt,
        image=Image.open(recipe.inputs[0].path),
        mask_image=Image.open(recipe.inputs[1].path),
        width=recipe.width,
        height=recipe.height,
        num_inference_steps=steps,
        strength=strength,
        guidance_scale=recipe.guidance,
        generator=torch.Generator("cpu").manual_seed(recipe.seed),
        max_sequence_length=recipe.max_sequence_length,
        callback_on_step_end=keep,
        output_type="latent",
    )
    return kept["latents"]


@pytest.mark.parametrize(("strength", "steps"), [(1.0, 4), (0.5, 2)])
def test_same_latents_as_the_inpainting_pipeline(
    tiny: Any, driver: Driver, inputs: tuple[Input, ...], strength: float, steps: int
) -> None:
    folder = tiny("sd35-large")
    recipe = sd35(steps=steps, inputs=with_strength(inputs, strength), inpainting=Inpainting(feather=0))
    latents = reference(folder, recipe, int(steps / strength), encoded(driver, folder, recipe))
    made = driver.make(folder, recipe)
    assert torch.equal(made.latents, latents)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "heun", "euler_ancestral", "uni_pc", "res_multistep"])
@pytest.mark.parametrize("only_masked", [False, True])
def test_outside_of_the_mask_nothing_changes(
    tiny: Any, driver: Driver, inputs: tuple[Input, ...], sampler: str, only_masked: bool
) -> None:
    recipe = sd35(sampler=sampler, inputs=inputs, inpainting=Inpainting(only_masked=only_masked, margin=4), steps=3)
    made = driver.make(tiny("sd35-large"), recipe)
    new, old = made.frames[0, 0].numpy(), pixels_of(inputs)
    assert np.array_equal(new[MASK == 0], old[MASK == 0])
    assert (new[MASK > 0] != old[MASK > 0]).mean() > 0.5
    assert torch.isfinite(made.latents).all()


def test_what_is_known_is_known_to_every_sampler_at_the_end(
    tiny: Any, driver: Driver, inputs: tuple[Input, ...]
) -> None:
    """Its latents are the picture's: the sampler was led there, and has not made its own."""
    recipe = sd35(sampler="dpmpp_2m", inputs=inputs, steps=4)
    made = driver.make(tiny("sd35-large"), recipe)
    picture = encoded(driver, tiny("sd35-large"), recipe)
    known = torch.ones(8, 8, dtype=torch.bool)
    known[2:6, 3:7] = False
    assert torch.equal(made.latents[..., known], picture[..., known])
    assert not torch.allclose(made.latents[..., ~known], picture[..., ~known], atol=0.05)


def test_stopped_at_a_step_it_goes_on_to_the_same_pixels(tiny: Any, inputs: tuple[Input, ...], tmp_path: Path) -> None:
    runner = Runner(device=torch.device("cpu"))
    driver = Driver(runner)
    recipe = sd35(sampler="dpmpp_2m", inputs=inputs, steps=4, inpainting=Inpainting(left=16))
    whole = driver.runner.run(driver.job(tiny("sd35-large"), recipe, output_folder=str(tmp_path / "a")), driver.emit)

    def cancel(event: Event, _blob: bytes) -> None:
        if isinstance(event, StepDone) and event.step == 2:
            runner.cancellation.request()

    job = driver.job(
        tiny("sd35-large"), recipe, output_folder=str(tmp_path / "b"), checkpoint=str(tmp_path / "c.safetensors")
    )
    with pytest.raises(Cancelled):
        runner.run(job, cancel)
    runner.cancellation.reset()
    driver.events.clear()
    again = runner.run(job, driver.emit)
    assert [event.step for event in driver.of(StepDone)] == [3, 4]
    assert again.files[0].pixels_sha256 == whole.files[0].pixels_sha256


@pytest.mark.parametrize("fill", ["stretch", "blur", "noise"])
def test_a_picture_grows_at_its_sides(tiny: Any, driver: Driver, inputs: tuple[Input, ...], fill: Any) -> None:
    how = Inpainting(left=24, top=8, bottom=8, fill=fill)
    made = driver.make(tiny("sd35-large"), sd35(inputs=inputs[:1], inpainting=how, steps=2, width=80, height=80))
    new = made.frames[0, 0].numpy()
    assert new.shape == (80, 88, 3)
    assert np.array_equal(new[8:72, 24:], pixels_of(inputs))


def test_several_at_once_differ_within_the_mask_only(tiny: Any, driver: Driver, inputs: tuple[Input, ...]) -> None:
    made = driver.make(tiny("sd35-large"), sd35(inputs=inputs, batch=2, steps=2))
    one, two = made.frames[:, 0].numpy()
    assert np.array_equal(one[MASK == 0], two[MASK == 0]) and not np.array_equal(one, two)


# --- what needs no model


def test_the_edge_is_soft_within_the_mask_and_nowhere_else() -> None:
    weight = weights(MASK, 8)
    assert (weight[MASK == 0] == 0).all()
    row = weight[32, 24:40]
    assert 0 < row[0] < 0.2 and row[8] == 1 and (np.diff(row) >= 0).all()
    whole = np.full((20, 20), 255, np.uint8)
    assert (weights(whole, 8) == 1).all(), "the picture's border is no edge of the mask"


@pytest.mark.parametrize(
    ("mask", "margin", "shape", "expected"),
    [
        (Box(100, 100, 120, 110), 10, 1.0, Box(90, 85, 130, 125)),
        (Box(0, 0, 20, 20), 10, 2.0, Box(0, 0, 60, 30)),
        (Box(180, 140, 200, 150), 0, 1.0, Box(180, 130, 200, 150)),
        (Box(0, 0, 200, 150), 10, 1.0, Box(0, 0, 200, 150)),
    ],
)
def test_what_is_cut_out_has_the_shape_and_stays_in_the_picture(
    mask: Box, margin: int, shape: float, expected: Box
) -> None:
    pixels = np.zeros((150, 200), np.uint8)
    pixels[mask.top : mask.bottom, mask.left : mask.right] = 1
    assert around(pixels, margin, shape) == expected


def test_added_sides_are_masked_and_begin_as_asked() -> None:
    picture = np.full((10, 10, 3), 200, np.uint8)
    for fill in ("stretch", "blur", "noise"):
        new, mask = grown(picture, np.zeros((10, 10), np.uint8), Inpainting(right=6, fill=fill), 1)  # type: ignore[arg-type]
        assert new.shape == (10, 16, 3) and (mask[:, 10:] == 255).all() and not mask[:, :10].any()
        assert (new[:, :10] == 200).all()
        assert (len(np.unique(new[:, 10:])) > 20) == (fill == "noise")


def test_masks_are_read_from_grey_and_from_transparency(tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    Image.fromarray(MASK).save(grey)
    assert np.array_equal(read_mask(grey.read_bytes(), grey, (64, 64)), MASK)
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    clear.paste((9, 9, 9, 255), (24, 16, 56, 48))
    clear.save(tmp_path / "clear.png")
    assert np.array_equal(read_mask((tmp_path / "clear.png").read_bytes(), tmp_path / "clear.png", (64, 64)), MASK)
    larger = read_mask(grey.read_bytes(), grey, (128, 128))
    assert larger.shape == (128, 128) and larger[80, 80] == 255 and larger[8, 8] == 0
    with pytest.raises(BadFile, match="64 × 64"):
        read_mask(grey.read_bytes(), grey, (128, 64))


def test_what_makes_no_sense_is_refused(tiny: Any, driver: Driver, inputs: tuple[Input, ...], tmp_path: Path) -> None:
    for wrong in (
        sd35(inputs=inputs[1:]),
        sd35(inpainting=Inpainting()),
        sd35(inputs=inputs[:1], inpainting=Inpainting()),
        sd35(inputs=inputs, inpainting=Inpainting(margin=-1)),
        sd35(inputs=inputs, inpainting=Inpainting(left=9000)),
    ):
        with pytest.raises(BadRecipe) as refused:
            validate(wrong, INFOS["sd35"])
        assert refused.value.remedy
    clip = Recipe(family="cogvideox", model="x", inputs=(Input("mask", "m.png"),))
    with pytest.raises(BadRecipe):
        validate(clip, INFOS["cogvideox"])
    Image.new("L", (64, 64)).save(tmp_path / "empty.png")
    empty = (inputs[0], Input("mask", str(tmp_path / "empty.png")))
    with pytest.raises(BadRecipe, match="empty"):
        driver.make(tiny("sd35-large"), sd35(inputs=empty))
