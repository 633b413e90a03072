import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.naming import MAX_SLUG_CHARS, file_stem, numbered, slug, unused, unused_stem


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A red apple!", "a-red-apple"),
        ("Café — “crème”", "cafe-creme"),
        ("", "untitled"),
        ("🍎 苹果", "苹果"),
        ("🍎", "red-apple"),
        ("Привет, мир!", "привет-мир"),
        ("हिन्दी", "हिन्दी"),
        ("苹果" * 60, "苹果" * 20),
        ("\udcff…", "untitled"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "con"),
        ("x" * 200, "x" * MAX_SLUG_CHARS),
        ("word " * 30, "word-word-word-word-word-word-word-word-word"),
    ],
)
def test_slugs(prompt: str, expected: str) -> None:
    assert slug(prompt) == expected


@given(st.text(), st.integers(0, 2**63 - 1), st.floats(0, 4e9))
def test_a_name_is_safe_everywhere(prompt: str, seed: int, when: float) -> None:
    stem = file_stem(prompt, seed, when)
    assert stem[0].isdigit() and len(stem.encode()) < 180
    assert all(sign in "-_" or unicodedata.category(sign)[0] in "LNM" for sign in stem)


def test_no_file_is_replaced(tmp_path: Path) -> None:
    assert unused_stem(tmp_path / "nowhere", "a") == "a"
    (tmp_path / "a.png").touch()
    assert unused_stem(tmp_path, "a") == "a-2"
    (tmp_path / "A-2.mp4").touch()
    (tmp_path / "a-3_2.png").touch()
    assert unused_stem(tmp_path, "a") == "a-4"
    (tmp_path / "ab.png").touch()
    assert unused_stem(tmp_path, "b") == "b"
    assert unused(tmp_path / "a.png").name == "a-2.png"
    assert unused(tmp_path / "new.png").name == "new.png"


def test_a_numbered_name_is_no_longer_than_disks_take(tmp_path: Path) -> None:
    for stem in ("a" * 251, "猫" * 83 + "aa"):
        path = tmp_path / f"{stem}.png"
        path.touch()
        second = next(found for found in numbered(path) if found != path)
        second.touch()
        assert second.name.endswith("-2.png") and second.name.startswith(stem[:80])
