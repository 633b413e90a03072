from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.prompt.wildcards import MAX_BYTES, Wildcards
from engine.protocol.errors import BadFile


@pytest.fixture
def wildcards(tmp_path: Path) -> Wildcards:
    folder = tmp_path / "wildcards"
    (folder / "places").mkdir(parents=True)
    (folder / "animal.txt").write_text("\ufeffowl\n\n  cat  \n# no choice\n")
    (folder / "places" / "city.txt").write_text("Recife\n")
    (tmp_path / "secret.txt").write_text("secret\n")
    return Wildcards(folder)


def test_choices_are_lines_without_comments(wildcards: Wildcards) -> None:
    assert wildcards.names() == ["animal", "places/city"]
    assert wildcards.lines("animal") == ("owl", "cat")
    assert wildcards.lines("places/city") == ("Recife",)
    assert wildcards.lines("nothing") == ()


def test_a_changed_file_is_read_anew(wildcards: Wildcards) -> None:
    assert wildcards.lines("animal") == ("owl", "cat")
    path = wildcards.folder / "animal.txt"
    path.write_text("dog\n")
    os.utime(path, ns=(1, 1))
    assert wildcards.lines("animal") == ("dog",)


def test_nothing_outside_the_folder_is_read(wildcards: Wildcards) -> None:
    assert wildcards.lines("../secret") == ()
    (wildcards.folder / "link.txt").symlink_to(wildcards.folder.parent / "secret.txt")
    assert wildcards.lines("link") == ()


def test_a_huge_file_is_refused(wildcards: Wildcards) -> None:
    with (wildcards.folder / "huge.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(BadFile):
        wildcards.lines("huge")


def test_a_folder_that_is_not_there_has_no_wildcards(tmp_path: Path) -> None:
    assert Wildcards(tmp_path / "none").names() == [] and Wildcards(tmp_path / "none").lines("x") == ()
