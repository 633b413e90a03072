from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.derive.kind import Medium
from engine.derive.kinds import kind_of
from engine.derive.sources import origin_of, settled
from engine.derive.upscale.lanczos import enlarge
from engine.derive.upscale.upscale import upscaled
from engine.media.known import KnownMedia
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadFile, BadRecipe, Cancelled
from engine.protocol.upscaling import SCALES


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 40), st.sampled_from(SCALES), st.integers(0, 2**32 - 1))
def test_bands_leave_no_seam(height: int, width: int, scale: int, seed: int) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    whole = cv2.resize(frame, (width * scale, height * scale), interpolation=cv2.INTER_LANCZOS4)
    assert np.array_equal(enlarge(frame, scale, lambda: None), whole)


def test_a_cancel_is_heard_between_bands() -> None:
    asked = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        enlarge(np.zeros((1000, 10, 3), np.uint8), 2, check)
    assert len(asked) == 2


@pytest.mark.parametrize("scale", [0, 1, 5, -2])
def test_a_scale_that_is_none_is_named(scale: int) -> None:
    derivation = upscaled("a.png", scale)
    with pytest.raises(BadRecipe) as refused:
        kind_of(derivation).result(derivation, Medium("image", 8, 8, 1, 0.0))
    assert refused.value.field == "scale" and refused.value.remedy


@pytest.mark.parametrize(
    "settings", [{"scale": "2"}, {"scale": True}, {"scale": 2.0}, {}, {"scale": 2, "method": "magic"}]
)
def test_settings_of_another_shape_are_refused(settings: dict[str, object]) -> None:
    derivation = Derivation("upscale", Source("a.png"), settings)  # type: ignore[arg-type]
    with pytest.raises(BadRecipe):
        kind_of(derivation).result(derivation, Medium("image", 8, 8, 1, 0.0))


def test_what_would_be_too_large_is_said_before_anything_is_read() -> None:
    for medium in (Medium("image", 7000, 7000, 1, 0.0), Medium("video", 6000, 64, 9, 8.0)):
        derivation = upscaled("a", 4)
        with pytest.raises(BadFile, match="too large"):
            kind_of(derivation).forecast(derivation, medium)


def test_a_clip_comes_out_even_and_a_picture_as_it_is() -> None:
    kind, three = kind_of(upscaled("a", 3)), upscaled("a", 3)
    made = kind.result(three, Medium("video", 33, 21, 5, 8.0))
    assert (made.width, made.height, made.frames) == (98, 62, 5)
    assert kind.result(three, Medium("image", 33, 21, 1, 0.0)).width == 99


def test_an_unknown_kind_says_so() -> None:
    with pytest.raises(BadRecipe) as refused:
        kind_of(Derivation("teleport", Source("a.png")))
    assert "teleport" in refused.value.message and refused.value.remedy == "Update Laterna."


def test_what_a_picture_is_is_known_without_decoding_it(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    with pytest.raises(BadFile, match="too large"):
        origin_of(tmp_path / "huge.png")
    lying = Image.new("RGB", (30, 20))
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(tmp_path / "lying.jpg", exif=exif)
    assert origin_of(tmp_path / "lying.jpg").medium == Medium("image", 20, 30, 1, 0.0)
    for name, content in (("a.png", b"\x89PNG\r\n\x1a\nrest"), ("a.mp4", b"\0\0\0\x18ftypisom"), ("a.jpg", b"no")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadFile):
            origin_of(tmp_path / name)
    with pytest.raises(BadFile):
        origin_of(tmp_path)


def test_the_line_of_descent_grows_and_is_read_back(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    derivation, path, origin = settled(upscaled(str(tmp_path / "a.png"), 2), KnownMedia(None))
    assert path == tmp_path / "a.png" and origin.derivation is None and derivation.source.sha256
    twice = upscaled("/elsewhere/b.png", 2, "ab", derivation)
    said = twice.for_files()
    assert Derivation.from_json(said.to_json()) == said
    assert [one.source.path for one in said.descent()] == ["b.png", "a.png"]
    for text in ("{", "[]", '{"version":9}', '{"version":1,"kind":"upscale"}', "[" * 100_000, " " * 100_000):
        with pytest.raises(BadRecipe):
            Derivation.from_json(text)
