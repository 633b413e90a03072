from __future__ import annotations

import json
import random
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.interop import stealth as stealth_reader
from engine.interop.open_file import Importer
from engine.protocol.errors import KnownError
from tests.engine.interop.pictures import bomb, stealth

LINE = "Steps: 20, Sampler: Euler, CFG scale: 4.5, Seed: 42, Size: 512x768, Model: sd3.5_medium"
A1111 = f"a red boat, 赤い船\nNegative prompt: blurry\n{LINE}"
NOVELAI = {
    "Description": "a red boat",
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4 37442FCA",
    "Comment": json.dumps(
        {"prompt": "a red boat", "steps": 23, "scale": 5.5, "uc": "blurry", "seed": 9, "sampler": "k_euler_ancestral"}
        | {"width": 832, "height": 1216, "noise_schedule": "karras"}
    ),
}


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
@pytest.mark.parametrize("name", ["stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp"])
def test_settings_in_the_lowest_bits(name: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form.lower()}"
    path.write_bytes(stealth(A1111, name, form=form))
    result = Importer().open(path)
    assert result.source == "Automatic1111" and result.recipe is not None
    assert (result.recipe.prompt, result.recipe.negative_prompt) == ("a red boat, 赤い船", "blurry")
    assert (result.recipe.seed, result.recipe.width, result.recipe.height) == (42, 512, 768)


def test_novelai_hides_all_of_its_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(stealth(json.dumps(NOVELAI)))
    result = Importer().open(path)
    assert result.source == "NovelAI" and result.recipe is not None
    assert (result.recipe.prompt, result.recipe.negative_prompt, result.recipe.seed) == ("a red boat", "blurry", 9)
    assert (result.recipe.sampler, result.recipe.scheduler) == ("euler_ancestral", "karras")


def hidden(body: bytes, length: int | None = None, name: bytes = b"stealth_pngcomp") -> np.ndarray:
    packed = name + struct.pack(">I", 8 * len(body) if length is None else length) + body
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    side = int(len(bits) ** 0.5) + 1
    alpha = np.zeros(side * side, np.uint8)
    alpha[: len(bits)] = bits
    pixels = np.full((side, side, 4), 254, np.uint8)
    pixels[..., 3] = 254 | alpha.reshape(side, side).T
    return pixels


@pytest.mark.parametrize(
    "pixels",
    [
        hidden(bomb(200_000_000)),
        hidden(b"x" * 100, length=2**32 - 1),
        hidden(b"no gzip at all"),
        hidden(b"", length=0),
        hidden(b"\xff" * 50, name=b"stealth_pnginfo"),
    ],
    ids=["bomb", "too long", "no gzip", "nothing", "no text"],
)
def test_hostile_bits(pixels: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    start = time.process_time()
    with pytest.raises(KnownError) as error:
        Importer().open(path)
    assert error.value.message.endswith(".")
    assert time.process_time() - start < 2


def test_cut_anywhere(tmp_path: Path) -> None:
    """Every beginning of a file ends in a sentence, or in the recipe."""
    whole, source = stealth(A1111), random.Random(3)
    path = tmp_path / "a.png"
    for _ in range(60):
        path.write_bytes(whole[: source.randrange(len(whole))])
        try:
            Importer().open(path)
        except KnownError as error:
            assert error.message.endswith(".")
        stealth_reader.hidden_text(path)  # itself raises nothing


def test_only_as_many_bits_as_there_are(tmp_path: Path) -> None:
    for size in ((1, 1), (3, 7), (12, 12)):
        Image.new("RGBA", size, (255, 255, 255, 255)).save(tmp_path / "a.png")
        assert stealth_reader.hidden_text(tmp_path / "a.png") == ""
