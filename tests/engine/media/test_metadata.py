import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from engine.media import frames, metadata, pictures, png
from engine.media.environment import Environment
from engine.media.save import save_image, save_video
from engine.protocol.errors import BadFile
from tests.fakes.recipes import clip_recipe, picture_recipe


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_file(*chunks: bytes, width: int = 1, height: int = 1) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    return png.SIGNATURE + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def text_chunk(key: bytes, text: bytes, compressed: bool = False) -> bytes:
    return chunk(b"iTXt", key + bytes([0, compressed, 0, 0, 0]) + (zlib.compress(text) if compressed else text))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    array = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)
    save_image(array[0], folder / "a.png", picture_recipe(), Environment.current("CPU"))
    save_video(array, folder / "a.mp4", 8, clip_recipe(), Environment.current("CPU"))
    return {suffix: (folder / f"a{suffix}").read_bytes() for suffix in (".png", ".mp4")}


def read_all(path: Path) -> None:
    """Everything that the window does with a file: it reads, or it is a ``BadFile`` with a sentence and a remedy."""

    def decode() -> None:
        if path.suffix == ".png":
            pictures.read(path)
            return
        with frames.ClipReader(path) as clip:
            for _frame in clip:
                pass
        frames.poster(path)

    for action in (lambda: metadata.read(path), decode):
        try:
            action()
        except BadFile as error:
            assert error.message.endswith(".") and error.remedy.endswith("."), str(error)


@pytest.mark.parametrize("suffix", [".png", ".mp4"])
def test_a_file_cut_anywhere_is_bad_or_readable(tmp_path: Path, sound: dict[str, bytes], suffix: str) -> None:
    data = sound[suffix]
    path = tmp_path / f"a{suffix}"
    for length in sorted({0, 1, 7, 8, 12, *range(16, len(data), max(1, len(data) // 40))}):
        path.write_bytes(data[:length])
        read_all(path)


@pytest.mark.parametrize("suffix", [".png", ".mp4"])
@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_are_bad_or_readable(tmp_path: Path, sound: dict[str, bytes], suffix: str, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / f"a{suffix}"
    for _ in range(15):
        data = bytearray(sound[suffix])
        for _ in range(chance.choice([1, 3, 30, 300])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        read_all(path)


@pytest.mark.parametrize("suffix", [".png", ".mp4"])
def test_a_cut_file_is_never_taken_for_whole(tmp_path: Path, sound: dict[str, bytes], suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(sound[suffix][: len(sound[suffix]) // 3])
    with pytest.raises(BadFile):
        metadata.read(path)
        frames.poster(path)


@pytest.mark.parametrize("data", [b"", b"x", b"GIF89a" + bytes(100), b"\0" * 1000, b"#EXTM3U\nhttp://localhost/\n"])
def test_another_format_is_refused(tmp_path: Path, data: bytes) -> None:
    for name in ("a.png", "a.mp4"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadFile, match="neither a PNG nor an MP4"):
            metadata.read(tmp_path / name)


def test_the_content_decides_not_the_name(tmp_path: Path, sound: dict[str, bytes]) -> None:
    (tmp_path / "a.mp4").write_bytes(sound[".png"])
    (tmp_path / "a.png").write_bytes(sound[".mp4"])
    assert metadata.read(tmp_path / "a.mp4").kind == "image"
    assert metadata.read(tmp_path / "a.png").kind == "video"


def test_a_missing_file_and_a_folder_are_sentences(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.png", tmp_path, tmp_path / "a\0b.png"):
        with pytest.raises(BadFile):
            metadata.read(path)


def test_a_png_of_another_program_has_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_file())
    found = metadata.read(tmp_path / "a.png")
    assert (found.recipe, found.recipe_problem, found.environment, found.pixels_sha256) == (None, "", None, "")


def test_a_recipe_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_file(text_chunk(b"laterna.recipe", b'{"version":99}')))
    found = metadata.read(tmp_path / "a.png")
    assert found.recipe is None
    assert "Update Laterna" in found.recipe_problem


def test_a_compressed_recipe_is_read(tmp_path: Path) -> None:
    recipe = picture_recipe()
    (tmp_path / "a.png").write_bytes(png_file(text_chunk(b"laterna.recipe", recipe.to_json().encode(), True)))
    assert metadata.read(tmp_path / "a.png").recipe == recipe


def test_a_text_bomb_is_not_inflated(tmp_path: Path) -> None:
    bomb = text_chunk(b"laterna.recipe", b" " * (64 * 1024 * 1024), compressed=True)
    (tmp_path / "a.png").write_bytes(png_file(bomb))
    assert metadata.read(tmp_path / "a.png").recipe is None


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 1)])
def test_an_absurd_picture_is_not_decoded(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "a.png").write_bytes(png_file(width=width, height=height))
    with pytest.raises(BadFile):
        pictures.read(tmp_path / "a.png")


def test_frames_come_exactly(tmp_path: Path) -> None:
    levels = np.linspace(20, 230, 25).astype(np.uint8)
    array = np.broadcast_to(levels[:, None, None, None], (25, 32, 32, 3))
    save_video(array, tmp_path / "a.mp4", 8, clip_recipe(), Environment())
    with frames.ClipReader(tmp_path / "a.mp4") as clip:
        order = [frames.to_rgb(frame).mean() for frame in clip]
        assert len(order) == clip.frames == 25
        assert np.abs(np.array(order) - levels).max() < 3
        for index in (24, 0, 12, 11, 13, 5, 24):
            assert frames.to_rgb(clip.frame_at(index)).mean() == order[index]
        with pytest.raises(IndexError):
            clip.frame_at(25)
        assert len(list(clip)) == 25, "it can be read again from the start"
    assert abs(frames.poster(tmp_path / "a.mp4").mean() - levels[12]) < 3
