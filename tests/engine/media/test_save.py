import os
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from engine.media import atomic, metadata, pictures
from engine.media.environment import Environment
from engine.media.pixels import pixels_sha256
from engine.media.save import save_image, save_video
from engine.protocol.errors import LaternaError, NoSpace, NotWritable
from engine.protocol.recipe import Recipe
from engine.protocol.version import VERSION
from tests.fakes.recipes import clip_recipe, picture_recipe, recipes

ENVIRONMENT = Environment.current("CPU “Fast”", {"torch": "2.13.0", "diffusers": "0.42.1"})
NOISE = np.random.default_rng(0)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    return NOISE.integers(0, 256, (height, width, 3), dtype=np.uint8)


def clip(frames: int = 5, height: int = 32, width: int = 48) -> np.ndarray:
    return NOISE.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


def test_the_hash_covers_shape_and_pixels() -> None:
    array = picture()
    assert pixels_sha256(array) == pixels_sha256(np.asfortranarray(array))
    assert pixels_sha256(array) != pixels_sha256(array.reshape(64, 48, 3))
    assert pixels_sha256(array) != pixels_sha256(array[None])
    changed = array.copy()
    changed[-1, -1, -1] ^= 1
    assert pixels_sha256(array) != pixels_sha256(changed)
    assert (
        pixels_sha256(np.zeros((1, 2, 3), np.uint8))
        == "0c30bbcda1b776c7ef565eac34e85eb7369cda8267947f5038a93fa71dfcbd5a"
    )


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)])
def test_only_rgb_bytes_have_a_hash(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        pixels_sha256(array)


def test_a_png_holds_the_pixels_exactly(tmp_path: Path) -> None:
    array = picture()
    digest = save_image(array, tmp_path / "new" / "a.png", picture_recipe(), ENVIRONMENT)
    decoded = np.asarray(pictures.read(tmp_path / "new" / "a.png"))
    assert np.array_equal(decoded, array)
    assert digest == pixels_sha256(decoded) == metadata.read(tmp_path / "new" / "a.png").pixels_sha256


@settings(deadline=None, max_examples=50)
@given(recipe=recipes)
def test_a_png_gives_back_its_recipe_byte_for_byte(recipe: Recipe) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        save_image(picture(8, 8), path, recipe, ENVIRONMENT)
        found = metadata.read(path)
        assert found.recipe == recipe.for_files()
        with Image.open(path) as image:
            assert image.text["laterna.recipe"].encode() == recipe.for_files().to_json().encode()
    assert found.environment == ENVIRONMENT
    assert (found.kind, found.width, found.height, found.frames, found.fps) == ("image", 8, 8, 1, 0.0)


@settings(deadline=None, max_examples=20)
@given(recipe=recipes)
def test_an_mp4_gives_back_its_recipe_byte_for_byte(recipe: Recipe) -> None:
    frames = clip(2, 16, 16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        digest = save_video(frames, path, 8, recipe, ENVIRONMENT)
        found = metadata.read(path)
        with av.open(str(path)) as container:
            for key in ("laterna.recipe", "comment"):
                assert container.metadata[key].encode() == recipe.for_files().to_json().encode()
    assert found.recipe == recipe.for_files()
    assert found.environment == ENVIRONMENT
    assert found.pixels_sha256 == digest == pixels_sha256(frames)


@pytest.mark.parametrize(("frames", "fps"), [(1, 8), (9, 8), (49, 16), (25, 24)])
def test_a_clip_says_its_size_and_length(tmp_path: Path, frames: int, fps: int) -> None:
    save_video(clip(frames), tmp_path / "a.mp4", fps, clip_recipe(), ENVIRONMENT)
    found = metadata.read(tmp_path / "a.mp4")
    assert (found.kind, found.width, found.height, found.frames, found.fps) == ("video", 48, 32, frames, fps)


def test_a_clip_is_what_every_player_knows(tmp_path: Path) -> None:
    save_video(clip(), tmp_path / "a.mp4", 8, clip_recipe(), ENVIRONMENT)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "a player can begin before it has the whole file"
    with av.open(str(tmp_path / "a.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")


def test_colours_survive_a_clip(tmp_path: Path) -> None:
    from engine.media.frames import ClipReader, to_rgb

    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [128, 128, 128]], np.uint8)
    frames = np.broadcast_to(colours[:, None, None], (5, 32, 32, 3))
    save_video(frames, tmp_path / "a.mp4", 8, clip_recipe(), ENVIRONMENT)
    with ClipReader(tmp_path / "a.mp4") as reader:
        decoded = np.stack([to_rgb(frame) for frame in reader])
    assert np.abs(decoded.astype(int) - frames).max() <= 6


def test_saving_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    for _ in range(2):
        save_image(picture(), tmp_path / "a.png", picture_recipe(), ENVIRONMENT)
        save_video(clip(), tmp_path / "a.mp4", 8, clip_recipe(), ENVIRONMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.png"]


def test_an_odd_clip_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        save_video(clip(2, 15, 16), tmp_path / "a.mp4", 8, clip_recipe(), ENVIRONMENT)
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION


def _save(kind: str, path: Path) -> str:
    if kind == "picture":
        return save_image(picture(512, 512), path.with_suffix(".png"), picture_recipe(), ENVIRONMENT)
    return save_video(clip(9, 256, 256), path.with_suffix(".mp4"), 8, clip_recipe(), ENVIRONMENT)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KiB where this system lets us make one, else a system call that says the disk is full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)], check=False)
        mounted = done.returncode == 0
    if not mounted:
        folder = Path("/dev/full")
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["picture", "clip"])
def test_a_full_disk_is_said_and_leaves_nothing(small_disk: Path, kind: str, monkeypatch) -> None:
    if not small_disk.is_dir():
        full = small_disk
        monkeypatch.setattr(atomic, "_sync_file", lambda path: full.write_bytes(b"x"))
        small_disk = Path(tempfile.mkdtemp())
    with pytest.raises(NoSpace) as caught:
        _save(kind, small_disk / "a")
    assert "The disk is full" in caught.value.message and "Free some space" in caught.value.remedy
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("kind", ["picture", "clip"])
def test_an_unwritable_folder_is_said(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(NotWritable) as caught:
        _save(kind, tmp_path / "file" / "below" / "a")
    assert isinstance(caught.value, LaternaError) and caught.value.remedy


def test_a_failure_in_the_middle_keeps_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(_path: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(atomic, "_sync_file", fail)
    with pytest.raises(NotWritable):
        save_image(picture(), path, picture_recipe(), ENVIRONMENT)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_equal_frames_make_equal_files(tmp_path: Path) -> None:
    """Encoding once differed from run to run, by up to 27 levels of a decoded pixel."""
    base = np.kron(NOISE.integers(0, 255, (12, 12, 3)), np.ones((8, 8, 1)))
    frames = np.stack([np.roll(base, 3 * shift, axis=1) for shift in range(17)])
    frames = np.clip(frames + NOISE.integers(-6, 6, frames.shape), 0, 255).astype(np.uint8)
    files = [tmp_path / f"{number}.mp4" for number in range(8)]
    for file in files:
        save_video(frames, file, 8.0, clip_recipe(), ENVIRONMENT)
    assert len({file.read_bytes() for file in files}) == 1
