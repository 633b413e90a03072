"""``edit``: a part of a picture made anew, from the command line, and made again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from engine.media import metadata

ROOT = Path(__file__).resolve().parents[2]


def laterna(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", "--home", str(home), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240, check=False)


def test_a_part_is_made_anew_and_again(tmp_path: Path) -> None:
    """With the model that ships, on a picture of another size than the model's, close up."""
    pixels = np.random.default_rng(2).integers(0, 256, (200, 300, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    mask = np.zeros((200, 300), np.uint8)
    mask[60:120, 100:170] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    out = tmp_path / "changed.png"
    asked = (
        "edit",
        tmp_path / "picture.png",
        "--mask",
        tmp_path / "mask.png",
        "--only-masked",
        "--prompt",
        "a red apple",
    )
    made = laterna(tmp_path / "home", *asked, "--steps", "2", "--seed", "5", "--out", out)
    assert made.returncode == 0, made.stderr
    new = np.asarray(Image.open(out))
    assert new.shape == pixels.shape, "the picture keeps its size"
    assert np.array_equal(new[mask == 0], pixels[mask == 0])
    assert (new[mask > 0] != pixels[mask > 0]).mean() > 0.8
    recipe = metadata.read(out).recipe
    assert recipe is not None and recipe.inpainting is not None and recipe.inpainting.only_masked
    assert [one.role for one in recipe.inputs] == ["start", "mask"] and all(one.sha256 for one in recipe.inputs)
    again = laterna(tmp_path / "home", "reproduce", out)
    assert again.stdout == "The pixels are equal.\n", again.stderr


def test_a_picture_grows_at_its_sides(tmp_path: Path) -> None:
    Image.effect_noise((96, 96), 40).convert("RGB").save(tmp_path / "picture.png")
    asked = ("edit", tmp_path / "picture.png", "--expand", "32,0,0,32", "--prompt", "a red apple", "--steps", "1")
    made = laterna(tmp_path / "home", *asked, "--out", tmp_path / "wide.png", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["recipe"]["inpainting"] == {"left": 32, "bottom": 32}
    assert np.array_equal(
        np.asarray(Image.open(tmp_path / "wide.png"))[:96, 32:], np.asarray(Image.open(tmp_path / "picture.png"))
    )


def test_what_cannot_be_done_is_a_sentence(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    Image.new("L", (64, 32)).save(tmp_path / "flat.png")
    for more in (("--expand", "1,2"), ("--mask", tmp_path / "gone.png"), ("--margin", "9")):
        said = laterna(
            tmp_path / "home", "edit", tmp_path / "a.png", "--prompt", "x", "--out", tmp_path / "b.png", *more
        )
        assert said.returncode == 2 and said.stderr.startswith("laterna: ") and "Traceback" not in said.stderr
