"""Files that people have, from the file to the picture, by the commands that they would type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.fakes import single_files as layouts
from tests.fakes.hub import TOKEN, FakeHub

ROOT = Path(__file__).resolve().parents[2]
REPO = "stabilityai/stable-diffusion-3.5-medium"
RECIPE = ["--prompt", "a red apple", "--width", "64", "--height", "64", "--steps", "2", "--seed", "5"]


class Laterna:
    def __init__(self, home: Path, hub: FakeHub) -> None:
        self.home, self.hub = home, hub

    def __call__(self, *arguments: str | Path, code: int = 0) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "app", "--home", str(self.home), *map(str, arguments), "--json"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "HF_ENDPOINT": self.hub.url, "HF_TOKEN": TOKEN},
            check=False,
            timeout=180,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def picture(self, model: str | Path, name: str) -> np.ndarray:
        out = self.home / f"{name}.png"
        self("generate", "--model", model, *RECIPE, "--out", out)
        return np.asarray(Image.open(out))


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return layouts.save_slim_sd35(tmp_path_factory.mktemp("theirs") / "sd3.5-medium", medium=True)


@pytest.fixture
def laterna(tmp_path: Path, medium: Path) -> Iterator[Laterna]:
    files = {str(path.relative_to(medium)): path.read_bytes() for path in medium.rglob("*") if path.is_file()}
    with FakeHub() as hub:
        hub.add(REPO, files, gated=True)
        yield Laterna(tmp_path / "home", hub)


@pytest.fixture(scope="module")
def whole(medium: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The picture that the diffusers folder makes."""
    with FakeHub() as hub:
        return Laterna(tmp_path_factory.mktemp("home"), hub).picture(medium, "whole")


def test_a_single_file_lacks_only_tokenizers(laterna: Laterna, medium: Path, whole: np.ndarray, tmp_path: Path) -> None:
    """Import, be told what is missing, download just that, make the same picture as the whole folder."""
    file = layouts.all_in_one(medium, tmp_path / "sd3.5_medium_tiny.safetensors")
    assert laterna("models", "import", file)["found"][0]["model"] == "sd3.5-medium"
    listed = laterna("models", "list")
    [one] = listed["imports"]
    assert (one["state"], one["missing"]) == ("incomplete", ["CLIP-L tokenizer", "CLIP-G tokenizer"])
    error = laterna("generate", "--model", one["name"], *RECIPE, code=3)["error"]
    assert "lacks its CLIP-L tokenizer, CLIP-G tokenizer" in error["message"]
    assert "models complete sd3.5_medium_tiny" in error["remedy"]
    assert "complete" in laterna("generate", "--model", file, *RECIPE, code=3)["error"]["remedy"]
    assert not laterna.hub.asked, "nothing is asked without a word from the person"

    assert laterna("models", "complete", one["name"], code=6)["error"]["kind"] == "AccessDenied"
    dry = laterna("models", "complete", one["name"], "--dry-run")
    kinds = {file["target"].partition("/")[0] for file in dry["plans"][0]["files"]}
    assert kinds == {"model_index.json", "tokenizer", "tokenizer_2", "tokenizer_3"}
    laterna("models", "complete", one["name"], "--accept-licence")
    assert laterna.hub.sent() < 1_000_000
    assert laterna("models", "list")["imports"][0]["state"] == "ready"
    assert "sd35-parts" not in {model["info"]["id"] for model in laterna("models", "list")["installed"]}
    assert laterna("models", "complete", one["name"])["folders"] == []

    assert np.array_equal(laterna.picture(one["name"], "imported"), whole)
    laterna("models", "remove", one["name"])
    assert file.exists()
    assert laterna("models", "remove", "sd35-parts")["freed"] > 0


def test_a_comfyui_tree_and_gguf_with_what_is_here(
    laterna: Laterna, medium: Path, whole: np.ndarray, tmp_path: Path
) -> None:
    laterna("models", "import", medium, "--name", "whole")
    tree = layouts.comfyui_tree(medium, tmp_path / "ComfyUI" / "models")
    laterna("models", "import", tree.parent, "--name", "comfy")
    assert np.array_equal(laterna.picture("comfy", "comfy"), whole)
    # not imported: --model names the file
    made = laterna.picture(layouts.gguf_transformer(medium, tmp_path / "sd3.5_medium.gguf", "Q8_0"), "gguf")
    assert 0 < np.abs(made.astype(int) - whole).max() <= 3


def test_a_tree_with_several_models_asks_which(laterna: Laterna, medium: Path, tmp_path: Path) -> None:
    tree = layouts.comfyui_tree(medium, tmp_path / "models")
    layouts.gguf_transformer(medium, tree / "unet" / "other.gguf", "Q8_0")
    error = laterna("generate", "--model", tree, *RECIPE, code=2)["error"]
    assert "2 models" in error["message"]
    assert "other" in error["message"]
