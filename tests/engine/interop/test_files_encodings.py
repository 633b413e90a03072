"""Recipes, settings, wildcards and styles as editors and shells save them, and comments in newer kinds of pictures."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from PIL import Image

from app.cli.generate import read_recipe
from engine.interop.open_file import Importer
from engine.media import pictures
from engine.prompt.styles import StyleStore
from engine.prompt.wildcards import Wildcards
from engine.protocol.recipe import Recipe

PROMPTS = ("一只红色的猫", "只一", "赤い猫", "красный кот", "🐱 a cat", "a cat", "Löwe")
SETTINGS = "{}\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 512x512"


def with_comment(path: Path, order: str, comment: bytes) -> Path:
    """A picture whose EXIF, in this byte order, holds ``comment`` as the user's."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(order + "I", 8)
    place = 8 + 2 + 12 + 4
    head += struct.pack(order + "HHHIII", 1, 0x8769, 4, 1, place, 0)
    place += 2 + 12 + 4
    exif = head + struct.pack(order + "HHHIII", 1, 0x9286, 7, len(comment), place, 0) + comment
    pictures.pillow()
    Image.new("RGB", (8, 8)).save(path, exif=b"Exif\0\0" + exif)
    return path


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", [".avif", ".png", ".tif"])
def test_a_comment_is_read_in_every_kind_of_picture(tmp_path: Path, prompt: str, order: str, ending: str) -> None:
    text = SETTINGS.format(prompt)
    raw = b"UNICODE\0" + text.encode("utf-16-le" if order == "<" else "utf-16-be")
    path = with_comment(tmp_path / f"a{ending}", order, raw)
    found = Importer().open(path).recipe
    assert found is not None and (found.prompt, found.negative_prompt, found.steps) == (prompt, "blurry", 20)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_text_of_settings_and_a_recipe_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = SETTINGS.format("a red cat, 一只猫").replace("\n", "\r\n")
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    found = Importer().open(tmp_path / "a.txt").recipe
    assert found is not None and (found.prompt, found.negative_prompt) == ("a red cat, 一只猫", "blurry")

    recipe = Recipe("sd35", "sd3.5-medium", prompt="一只猫\r\nby the sea")
    pretty = json.dumps(json.loads(recipe.to_json()), indent=2, ensure_ascii=False).replace("\n", "\r\n")
    (tmp_path / "a.json").write_bytes(pretty.encode(encoding))
    assert read_recipe(tmp_path / "a.json") == recipe
    assert Importer().open(tmp_path / "a.json").recipe == recipe


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_wildcard_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "animal.txt").write_bytes("Löwe\r\nBär\r\n".encode(encoding))
    assert Wildcards(tmp_path).lines("animal") == ("Löwe", "Bär")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_style_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ink.json").write_bytes('{"name": "Tusche", "prompt": "für {prompt}"}'.encode(encoding))
    (style,) = StyleStore(tmp_path / "none", tmp_path).all()
    assert style.prompt == "für {prompt}"
