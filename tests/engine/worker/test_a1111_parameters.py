"""Automatic1111's settings in a PNG, beside Laterna's recipe, where one asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.interop import a1111, embedded
from engine.interop.open_file import Importer
from engine.interop.report import Notes
from engine.media import metadata
from engine.models.catalog import FAMILIES
from engine.protocol.commands import Generate
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe
from engine.worker.results import save

PROMPTS = ("a red fox, (snow) and 1 girl: night", "ein großer Fuchs, 雪\nsecond line")


def saved(folder: Path, prompt: str, wanted: bool) -> tuple[Recipe, Path]:
    recipe = Recipe(
        "sd35",
        "sd3.5-medium",
        prompt=prompt,
        negative_prompt="blur",
        sampler="dpmpp_2m",
        scheduler="sgm_uniform",
        seed=7,
    )
    validate(recipe, FAMILIES["sd35"])
    job = Generate("j", recipe, "", str(folder), "out", a1111_parameters=wanted)
    (file,) = save(torch.zeros((1, 1, 16, 16, 3), dtype=torch.uint8), job, torch.device("cpu"))
    return recipe, Path(file.path)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_settings_are_there_and_are_read_back(tmp_path: Path, prompt: str) -> None:
    recipe, path = saved(tmp_path, prompt, True)
    texts = embedded.read_texts(path)
    program, found = a1111.read(texts[a1111.KEY], Notes(), Importer()._known)
    assert program == a1111.PROGRAM
    assert (found.prompt, found.negative_prompt, found.seed) == (recipe.prompt, recipe.negative_prompt, recipe.seed)
    assert (found.sampler, found.scheduler, found.steps) == (recipe.sampler, recipe.scheduler, recipe.steps)
    assert metadata.read(path).recipe == recipe  # Laterna itself reads its own


@pytest.mark.parametrize("prompt", PROMPTS)
def test_other_programs_find_them_where_they_look(tmp_path: Path, prompt: str) -> None:
    from PIL import Image

    recipe, path = saved(tmp_path, prompt, True)
    with Image.open(path) as picture:
        assert picture.info["parameters"] == a1111.write(recipe)


def test_without_the_wish_there_are_none(tmp_path: Path) -> None:
    _, path = saved(tmp_path, PROMPTS[0], False)
    assert a1111.KEY not in embedded.read_texts(path)
