"""``workflow`` on the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from app.__main__ import main
from engine.interop import embedded
from engine.media.environment import Environment
from engine.media.save import save_image
from engine.models.manifest import Manifest, StoredFile
from engine.protocol.recipe import Recipe

CORPUS = Path(__file__).resolve().parents[1] / "engine" / "interop" / "corpus"


class Laterna:
    """Calls the program in this process: the exit code, and what it printed."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *arguments: str | Path, code: int | None = 0) -> str:
        """``code`` None stands for any failure."""
        found = main(["--home", str(self.home), "workflow", *map(str, arguments)])
        assert found == code or (code is None and found > 0)
        return self._capsys.readouterr().out

    def json(self, *arguments: str | Path, code: int | None = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))


@pytest.fixture
def laterna(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Laterna:
    return Laterna(tmp_path / "home", capsys)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
    recipe = Recipe(family="sd35", model="laterna-mini-image", prompt="a zébra", width=64, height=64, seed=7)
    save_image(pixels, tmp_path / "zebra.png", recipe, Environment.current())
    return tmp_path / "zebra.png"


def test_import_says_what_became_of_everything(laterna: Laterna, tmp_path: Path) -> None:
    out = tmp_path / "recipe.json"
    text = laterna(CORPUS / "published-large-ui.json", "--out", out)
    assert "Understood:" in text
    assert "Missing:" in text
    assert "It is sd3.5-large in Laterna's list of models." in text
    recipe = Recipe.from_json(out.read_bytes())
    assert (recipe.prompt, recipe.steps, recipe.negative_range.end) == ("a red boat", 40, 0.1)


def test_import_says_what_is_different(laterna: Laterna) -> None:
    text = laterna(CORPUS / "concat-ui.json")
    assert "Approximated:" in text
    assert "Laterna encodes them as one text" in text


def test_import_as_json(laterna: Laterna) -> None:
    result = laterna.json(CORPUS / "cogvideox-api.json")
    assert result["source"] == "ComfyUI"
    assert result["recipe"]["family"] == "cogvideox"
    assert result["missing"][0]["model"] == "cogvideox-5b"


def test_a_model_of_the_store_is_known_by_its_hash(laterna: Laterna) -> None:
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()
    folder = laterna.home / "data" / "models" / "mine"
    folder.mkdir(parents=True)
    manifest = Manifest("mine", "sd3.5-large", (StoredFile("transformer/a.safetensors", len(content), digest),))
    (folder / "laterna-files.json").write_bytes(msgspec.json.encode(manifest))
    text = laterna.home / "settings.txt"
    text.write_text(f"x\nSteps: 4, Sampler: Euler, Seed: 1, Model hash: {digest[:10]}, Model: renamed")
    assert laterna.json(text)["recipe"]["model"] == "mine"


@pytest.mark.parametrize("arguments", [["{tmp}/none.json"], ["{tmp}"], ["a", "b"], ["export"], ["{tmp}/x.txt"]])
def test_bad_input_is_a_sentence(laterna: Laterna, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "x.txt").write_text("nothing of the kind")
    error = laterna.json(*(one.replace("{tmp}", str(tmp_path)) for one in arguments), code=None)["error"]
    assert error["message"] and error["remedy"]


def test_no_recipe_in_it(laterna: Laterna) -> None:
    assert "There is no recipe" in laterna(CORPUS / "no-sampler.json", code=2)


def test_export_and_back(laterna: Laterna, picture: Path, tmp_path: Path) -> None:
    graph = tmp_path / "graph.json"
    laterna("export", picture, "--out", graph)
    assert {node["class_type"] for node in json.loads(graph.read_bytes()).values()} > {"KSampler", "SaveImage"}
    back = laterna.json(graph)
    assert (back["recipe"]["prompt"], back["recipe"]["seed"]) == ("a zébra", 7)
    assert "missing" in back and back["missing"] == []


def test_export_of_a_workflow(laterna: Laterna) -> None:
    exported = laterna.json("export", CORPUS / "minimal-ui.json")
    assert "differences" in exported and "1" in exported["graph"]


def test_a_copy_of_a_picture_with_texts_for_others(laterna: Laterna, picture: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.png"
    laterna("export", picture, "--out", copy)
    texts = embedded.read_texts(copy)
    assert texts["parameters"].startswith("a zébra\nSteps: 28")
    assert json.loads(texts["prompt"])
    assert texts["laterna.recipe"] == embedded.read_texts(picture)["laterna.recipe"]
    assert Image.open(copy).tobytes() == Image.open(picture).tobytes()
    assert Image.open(copy).text["parameters"] == texts["parameters"]  # type: ignore[attr-defined]


def test_other_endings_are_refused(laterna: Laterna, picture: Path, tmp_path: Path) -> None:
    laterna("export", picture, "--out", tmp_path / "x.exe", code=2)
    laterna("export", CORPUS / "minimal-ui.json", "--out", tmp_path / "x.png", code=2)
    laterna("export", picture, "--out", tmp_path / "no" / "x.json", code=5)
