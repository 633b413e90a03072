from __future__ import annotations

from pathlib import Path

import pytest

from engine.interop.open_file import Importer
from engine.texts import cleaned, text_of, user_comment
from tests.engine.interop.pictures import jpeg, png, tiff, webp

LINE = "Steps: 20, Sampler: Euler, CFG scale: 4.5, Seed: 42, Size: 512x768, Model: sd3.5_medium"
PROMPTS = (
    "a red boat",
    "一个女孩在花园里",
    "猫が座る",
    "красная лодка",
    "un château, l'été",
    "a cat 🐈 and a 🍎",
    "빨간 배",
)


def written(text: str) -> dict[str, bytes]:
    """UserComment as programs write it: each byte order with and without a mark, and UTF-8 under four codes."""
    found = {"utf-8, ASCII": b"ASCII\0\0\0" + text.encode(), "utf-8, none": b"\0" * 8 + text.encode()}
    found |= {"utf-8, UNICODE": b"UNICODE\0" + text.encode(), "utf-8, no code": text.encode()}
    for name, mark in (("utf-16-be", b"\xfe\xff"), ("utf-16-le", b"\xff\xfe")):
        found |= {name: b"UNICODE\0" + text.encode(name), f"{name}, mark": b"UNICODE\0" + mark + text.encode(name)}
        found[f"{name}, ASCII"] = b"ASCII\0\0\0" + text.encode(name)
    return found


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", list(written("")))
def test_user_comments_in_any_form(prompt: str, order: str, form: str, tmp_path: Path) -> None:
    comment = written(f"{prompt}\nNegative prompt: blurry\n{LINE}")[form]
    for name, content in (("a.jpg", jpeg(tiff(comment, order))), ("a.webp", webp(tiff(comment, order)))):
        path = tmp_path / name
        path.write_bytes(content)
        recipe = Importer().open(path).recipe
        assert recipe is not None and (recipe.prompt, recipe.negative_prompt) == (prompt, "blurry")
        assert (recipe.steps, recipe.seed, recipe.width) == (20, 42, 512)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("text", ["一个女孩在花园里", "猫が座っている庭の絵", "красная лодка на воде"])
def test_words_without_a_plain_letter(text: str, order: str) -> None:
    """Nothing but the byte order of the file and the look of the words says how they are to be read."""
    for name in ("utf-16-le", "utf-16-be"):
        assert user_comment(b"UNICODE\0" + text.encode(name), order) == text


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_files_of_text_in_any_encoding(prompt: str, name: str, tmp_path: Path) -> None:
    text = f"{prompt}\r\nNegative prompt: blurry\r\n{LINE}\r\n"
    path = tmp_path / "settings.txt"
    path.write_bytes(text.encode(name))
    recipe = Importer().open(path).recipe
    assert recipe is not None and (recipe.prompt, recipe.negative_prompt) == (prompt, "blurry")


def test_old_encodings_and_damaged_letters() -> None:
    assert text_of("l'été".encode("latin-1")) == "l'été"
    assert text_of("„Löwe“".encode("cp1252")) == "„Löwe“"
    assert text_of("一只猫".encode() * 30 + b"\xff" + "一只猫".encode()) == "一只猫" * 30 + "\ufffd一只猫"
    assert text_of(b"L\xf6we", "surrogateescape") == "L\udcf6we"
    assert text_of(b"a" * 30_000 + b"\xff rest") == "a" * 30_000 + "\ufffd rest"


def test_line_ends_zeros_and_marks(tmp_path: Path) -> None:
    assert cleaned("\ufeffa\r\nb\rc\0") == "a\nb\nc"
    path = tmp_path / "a.png"
    path.write_bytes(png({"parameters": f"a boat,\r\nat sea\r\nNegative prompt: fog\r\n{LINE}"}))
    recipe = Importer().open(path).recipe
    assert recipe is not None and (recipe.prompt, recipe.negative_prompt) == ("a boat,\nat sea", "fog")


def test_japanese_code() -> None:
    assert user_comment(b"JIS\0\0\0\0\0" + "猫が座る".encode("iso2022_jp"), ">") == "猫が座る"
