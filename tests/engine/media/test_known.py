import os
import threading
from pathlib import Path

import pytest

from engine.media.known import KnownMedia, digest_of
from engine.protocol.errors import BadRecipe
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe


def _recipe(**input: str) -> Recipe:
    return Recipe("sd35", "m", inputs=(Input("start", **input),))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "there" / "cat.png"
    path.parent.mkdir()
    path.write_bytes(b"a cat")
    return path


def test_an_input_is_settled_by_its_content_and_found_again_by_it_alone(tmp_path: Path, picture: Path) -> None:
    known = KnownMedia(tmp_path / "known.json")
    settled, files = known.settled(_recipe(path=str(picture)))
    assert files == (picture,) and settled.inputs[0].sha256 == digest_of(picture)
    in_file = settled.for_files()
    assert in_file.inputs[0].path == "cat.png"
    assert KnownMedia(tmp_path / "known.json").settled(in_file)[1] == (picture,)
    with pytest.raises(BadRecipe) as refused:
        KnownMedia(tmp_path / "another.json").settled(in_file)
    assert refused.value.field == "inputs"


def test_a_file_beside_is_taken_by_its_content_whatever_its_name(tmp_path: Path, picture: Path) -> None:
    elsewhere = tmp_path / "renamed.png"
    elsewhere.write_bytes(picture.read_bytes())
    recipe = _recipe(path="cat.png", sha256=digest_of(picture))
    assert KnownMedia(None).settled(recipe, [elsewhere])[1] == (elsewhere,)


def test_what_was_changed_since_is_not_taken(tmp_path: Path, picture: Path) -> None:
    known = KnownMedia(tmp_path / "known.json")
    in_file = known.settled(_recipe(path=str(picture)))[0].for_files()
    picture.write_bytes(b"a dog")
    with pytest.raises(BadRecipe, match="no longer the picture"):
        known.settled(in_file)
    assert known.find(in_file.inputs[0].sha256) is None


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"a":1}', b"\xff"])
def test_a_damaged_table_counts_as_an_empty_one(tmp_path: Path, picture: Path, content: bytes) -> None:
    (tmp_path / "known.json").write_bytes(content)
    known = KnownMedia(tmp_path / "known.json")
    digest = known.remember(picture)
    assert known.find(digest) == picture


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        caught: list[BaseException] = []

        def settle(path: Path = path, caught: list[BaseException] = caught) -> None:
            try:
                KnownMedia(None).settled(_recipe(path=str(path)))
            except BadRecipe as error:
                caught.append(error)

        thread = threading.Thread(target=settle, daemon=True)
        thread.start()
        thread.join(timeout=10)
        assert caught, path


def test_one_bad_entry_forgets_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    known = KnownMedia(tmp_path / "known.json")
    digest = known.remember(path)
    (tmp_path / "known.json").write_text(f'{{"ab": 3, "{digest}": "{path}", "cd": null,}}')
    assert known.find(digest) == path
