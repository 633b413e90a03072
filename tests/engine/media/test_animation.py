"""Recipes in GIFs and WebPs: what is exported says what made it, and what strangers put there does no harm."""

from __future__ import annotations

import html
import random
import struct
import time
from pathlib import Path

import pytest
from PIL import Image

from engine.interop.model_files import KnownModels
from engine.interop.recipe_file import read_recipe_file
from engine.media import animation, metadata
from engine.media.environment import Environment
from engine.media.export import SUFFIXES, ClipExport, Format, export_clip
from engine.media.save import save_video
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe
from tests.fakes.recipes import clip_recipe

PROMPT = "a \"fox\" & <owl>, 狐 🦊 ]]> &quot; 'x' {a|b}\nnext line"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One clip in every format."""
    import numpy as np

    folder = tmp_path_factory.mktemp("made")
    frames = np.random.default_rng(0).integers(0, 256, (5, 32, 48, 3), dtype=np.uint8)
    save_video(frames, folder / "clip.mp4", 8, clip_recipe(prompt=PROMPT), Environment())
    return {
        format: export_clip(folder / "clip.mp4", folder / f"out{suffix}", ClipExport(format))
        for format, suffix in SUFFIXES.items()
    }


@pytest.mark.parametrize("format", list(SUFFIXES))
def test_what_is_exported_carries_its_recipe(made: dict[str, Path], format: Format) -> None:
    assert metadata.read_recipe(made[format]) == (clip_recipe(prompt=PROMPT), "")
    assert read_recipe_file(made[format], KnownModels()).recipe == clip_recipe(prompt=PROMPT)


def test_a_recipe_longer_than_a_block_of_a_gif(tmp_path: Path) -> None:
    recipe = clip_recipe(prompt="狐" * 3000)
    Image.new("P", (2, 2)).save(tmp_path / "a.gif", comment=animation.comment_of(recipe.to_json()))
    assert metadata.read_recipe(tmp_path / "a.gif")[0] == recipe


@pytest.mark.parametrize("form", ["<laterna:recipe>{}</laterna:recipe>", "<a laterna:recipe='{}'/>"])
def test_xmp_that_another_program_wrote_anew(tmp_path: Path, form: str) -> None:
    text = html.escape(clip_recipe(prompt=PROMPT).to_json())
    Image.new("RGB", (2, 2)).save(tmp_path / "a.webp", xmp=form.format(text).encode())
    assert metadata.read_recipe(tmp_path / "a.webp")[0] == clip_recipe(prompt=PROMPT)


def test_without_a_recipe(tmp_path: Path) -> None:
    Image.new("P", (2, 2)).save(tmp_path / "a.gif", comment=b"made with love")
    Image.new("RGB", (2, 2)).save(tmp_path / "a.webp")
    for name in ("a.gif", "a.webp"):
        assert metadata.read_recipe(tmp_path / name) == (None, "")
        with pytest.raises(BadFile):
            read_recipe_file(tmp_path / name, KnownModels())


def test_a_recipe_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    Image.new("P", (2, 2)).save(tmp_path / "a.gif", comment=b'{"steps": "many"}')
    recipe, problem = metadata.read_recipe(tmp_path / "a.gif")
    assert recipe is None and problem.endswith(".")
    with pytest.raises(BadFile, match=r"a\.gif"):
        read_recipe_file(tmp_path / "a.gif", KnownModels())


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_a_file_cut_or_changed_anywhere(tmp_path: Path, made: dict[str, Path], format: str) -> None:
    data, source = made[format].read_bytes(), random.Random(format)
    path = tmp_path / f"x.{format}"
    places = [*range(0, 64), *(source.randrange(len(data)) for _ in range(60))]
    for place in places:
        changed = bytearray(data)
        changed[place] = source.randrange(256)
        for bytes_ in (data[:place], bytes(changed)):
            path.write_bytes(bytes_)
            try:
                recipe, _problem = metadata.read_recipe(path)
            except BadFile as error:
                assert error.message.endswith(".")
            else:
                assert recipe is None or isinstance(recipe, Recipe)


def webp(*chunks: tuple[bytes, bytes, int | None]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data) if size is None else size) + data for kind, data, size in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a",
        b"GIF89a" + b"\xff" * 7,
        b"GIF89a" + b"\0" * 7 + b"\x21\xfe" + (b"\xff" + b"x" * 255) * 20_000,
        b"GIF89a" + b"\0" * 7 + b"\x21\xfe\x00" * 200_000,
        webp((b"XMP ", b"x", 0xFFFFFFFF)),
        webp((b"XMP ", b"laterna:recipe=" + b"x" * (animation.MAX_TEXT_BYTES + 1), None)),
        webp((b"XMP ", b'laterna:recipe="' * 200_000, None)),
        webp((b"XMP ", b"<laterna:recipe>" * 200_000, None)),
        webp(*[(b"JUNK", b"", None)] * 50_000),
        webp((b"XMP ", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><a laterna:recipe="&a;&a;"/>', None)),
    ],
    ids=range(10),
)
def test_hostile_files_are_quick_and_say_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.webp"
    path.write_bytes(data)
    began = time.process_time()
    recipe, _problem = metadata.read_recipe(path)
    assert recipe is None
    assert time.process_time() - began < 1.0


def test_neither(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"nothing of the kind")
    with pytest.raises(BadFile):
        animation.read_recipe(tmp_path / "a.gif")
    with pytest.raises(BadFile):
        metadata.read_recipe(tmp_path / "missing.gif")
