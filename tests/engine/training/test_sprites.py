"""The drawings that ship: all there, small, and packed without loss."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from engine.training.sprites import FILE, pack, sprite, unpack
from engine.world.things import THINGS


def test_every_thing_has_a_drawing_of_its_own_in_little_space():
    seen = {hashlib.sha256(sprite(thing.glyph, 64)[0].tobytes()).digest() for thing in THINGS}
    assert len(seen) == len(THINGS)
    assert FILE.stat().st_size < 1_000_000
    for name in ("NOTICE.md", "LICENSE-APACHE-2.0.txt"):
        assert "Apache" in (FILE.parent / name).read_text()


def test_drawings_come_back_pixel_for_pixel(tmp_path):
    rng = np.random.default_rng(0)
    images = {glyph: Image.fromarray(rng.integers(0, 256, (20, 30, 4), np.uint8)) for glyph in ("🐱", "❤", "👩‍🚀")}
    pack(images, tmp_path / "a.zip")
    pack(images, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    for glyph, image in images.items():
        assert np.array_equal(np.array(unpack(glyph, tmp_path / "a.zip")), np.array(image))
    with pytest.raises(KeyError):
        unpack("🦉", tmp_path / "a.zip")
