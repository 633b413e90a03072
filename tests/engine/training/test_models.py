"""The shipped models: complete, small, and able to do what they say. Skipped where the folder is not there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from engine.models.reading.shared import shared_folders
from engine.training import runs
from engine.training.captions import plain_caption
from engine.training.catalogue import OBJECT_INDEX, OBJECTS
from engine.training.evaluate import (
    draw_clips,
    draw_pictures,
    evaluate,
    held_out_clips,
    held_out_scenes,
    image_pipeline,
)
from engine.training.portuguese import NOUNS
from engine.training.scenes import Placed, Scene
from engine.training.score import score_picture

MODELS = Path(__file__).resolve().parents[3] / "resources" / "models"
MEGABYTE = 1_000_000


def _folder(kind: str) -> Path:
    folder = MODELS / f"laterna-mini-{kind}"
    if not (folder / "model_index.json").is_file():
        pytest.fail(f"{folder} is not there")
    return folder


@pytest.mark.parametrize("kind", ["image", "image-turbo", "video"])
def test_a_model_folder_is_complete_and_small(kind):
    folder = _folder(kind)
    files = [f for f in folder.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 25 * MEGABYTE
    assert {f.suffix for f in files} <= {".json", ".safetensors", ".txt"}  # no pickle
    files = [f for place in (folder, *shared_folders(folder).values()) for f in place.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 25 * MEGABYTE
    for file in folder.rglob("*.safetensors"):
        with safe_open(file, "pt") as tensors:
            kinds = {tensors.get_slice(k).get_dtype() for k in tensors.keys()}  # noqa: SIM118
        assert kinds == {"F16"}, file
    card = json.loads((folder / "laterna.json").read_text())
    assert card["id"] == folder.name
    assert card["kind"] == kind.removesuffix("-turbo")
    assert np.array(card["latent_rgb"]["factors"]).shape == (16, 3)
    assert [card["defaults"]["width"], card["defaults"]["height"]] in card["sizes"]
    assert card["defaults"]["frames"] in card["frames"]
    domain = (runs.mini_video() if kind == "video" else runs.mini_image()).domain
    assert len(domain.objects) >= (30 if kind == "video" else 60)
    assert len(domain.backgrounds) >= 20
    assert {OBJECTS[o].name for o in domain.objects} <= set(card["vocabulary"])
    assert {word for o in domain.objects for word in NOUNS[o].names} <= set(card["vocabulary"])
    assert (MODELS / "NOTICE.md").is_file()


def test_the_turbo_model_takes_four_steps_without_guidance():
    card = json.loads((_folder("image-turbo") / "laterna.json").read_text())
    assert (card["defaults"]["steps"], card["defaults"]["guidance"]) == (4, 1.0)
    assert card["defaults"]["scheduler"] == "sgm_uniform"  # its sigmas are those it was distilled at


@pytest.mark.parametrize("portuguese", [0.0, 1.0])
def test_the_turbo_model_draws_what_the_prompt_says(portuguese):
    pairs = held_out_scenes(runs.mini_image().domain, 8, 0.6, portuguese=portuguese)
    report, _ = evaluate(pairs, draw_pictures(_folder("image-turbo")), batch=8)
    assert report["all"] >= 0.6, report["wrong"]  # docs/training.md has the number over more prompts


@pytest.mark.parametrize("wordings", [("an owl, blue background", "An OWL on a Blue background."), ("a cat", "kitten")])
def test_other_wordings_of_a_prompt_draw_the_same_thing(wordings):
    draw = draw_pictures(_folder("image-turbo"))
    scene = Scene((Placed(OBJECT_INDEX["owl" if "owl" in wordings[0] else "cat"], "centre", "normal"),), 7)
    for picture in draw(list(wordings), 3):
        assert score_picture(picture, scene).objects == (True,)


def test_the_mini_image_model_draws_what_the_prompt_says():
    apple = Scene((Placed(0, "left", "normal"),), 12)
    assert plain_caption(apple) == "a red apple on the left, blue sky background"
    pairs = [(apple, plain_caption(apple)), *held_out_scenes(runs.mini_image().domain, 7)]
    report, pictures = evaluate(pairs, draw_pictures(_folder("image")), batch=8)
    assert pictures.shape == (8, 128, 128, 3)
    assert pairs[0][1] not in [w["prompt"] for w in report["wrong"]]
    assert report["all"] >= 0.6, report["wrong"]  # docs/training.md has the number over more prompts


def test_the_mini_video_model_moves_what_the_prompt_says():
    draw = draw_clips(_folder("video"), frames=9)
    report, clips = evaluate(held_out_clips(runs.mini_video().domain, 4), draw, batch=4)
    assert clips.shape == (4, 9, 96, 96, 3)
    assert report["objects"] >= 0.5, report["wrong"]  # docs/training.md has the number over more prompts


def test_the_picture_vae_gives_back_what_it_encodes(pictures_pool, domain):
    from engine.training.image import to_tensor
    from engine.training.scenes import draw_scene, render
    from engine.training.vae import psnr

    vae = image_pipeline(_folder("image")).vae
    rng = np.random.default_rng(0)
    pixels = to_tensor([render(draw_scene(rng, domain), rng, pictures_pool) for _ in range(8)])
    with torch.no_grad():
        again = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
    assert psnr(again, pixels) > 27
