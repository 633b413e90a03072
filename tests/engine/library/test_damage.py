"""A damaged index: said, made anew from the files, and never a traceback."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.library.library import Library
from engine.media.environment import Environment
from engine.media.save import save_image
from engine.protocol.errors import BadFile, LaternaError
from tests.fakes.recipes import picture_recipe

COUNT = 12


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A library of ``COUNT`` pictures, its index in ``index.sqlite3``."""
    for number in range(COUNT):
        recipe = picture_recipe(prompt=f"owl {number}", seed=number)
        save_image(np.full((8, 8, 3), number, np.uint8), tmp_path / f"{number}.png", recipe, Environment())
    with closing(Library(tmp_path / "index.sqlite3", tmp_path)) as library:
        library.reconcile()
    return tmp_path


def statement(text: str) -> Callable[[Path], None]:
    def run(index: Path) -> None:
        with closing(sqlite3.connect(index)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(text)
            connection.commit()

    return run


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda index: index.write_bytes(b""),
        lambda index: index.write_bytes(bytes(60_000)),
        lambda index: index.write_bytes(index.read_bytes()[:20_000]),
        statement("DELETE FROM items"),
        statement("DELETE FROM search_data WHERE id > 10"),
        statement("DELETE FROM revision"),
        statement("DROP TABLE items"),
        statement("UPDATE items SET width = 'wide'"),
        statement("UPDATE items SET prompt = CAST(x'ff' AS TEXT)"),
        statement("DELETE FROM sqlite_master WHERE name = 'items_path'"),
    ],
)
def test_an_index_is_made_anew_from_the_files(home: Path, damage: Callable[[Path], None]) -> None:
    damage(home / "index.sqlite3")
    with closing(Library(home / "index.sqlite3", home)) as library:
        library.rebuild()
        assert len(library.ids("owl")) == COUNT
        assert sorted(item.path.name for item in library.items(library.ids())) == sorted(
            f"{number}.png" for number in range(COUNT)
        )
        assert library.check().ok


def test_no_flipped_bit_ends_in_a_traceback_or_doubles_a_row(home: Path) -> None:
    index = home / "index.sqlite3"
    sound, random_ = index.read_bytes(), random.Random(14)
    for number in range(150):
        data = bytearray(sound)
        for _ in range(random_.choice((1, 1, 1, 20))):
            data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        path = home / f"flipped-{number}.sqlite3"
        path.write_bytes(data)
        try:
            with closing(Library(path, home)) as library:
                library.check()
                library.rebuild()
                assert len(library.ids()) == COUNT
                assert library.check().ok
        except LaternaError as error:
            assert "newer Laterna" in error.message  # the number of the version itself


def test_an_index_that_lost_its_rows_is_noticed(home: Path) -> None:
    statement("DELETE FROM items")(home / "index.sqlite3")
    with closing(Library(home / "index.sqlite3", home)) as library:
        assert library.heal()
        assert len(library.ids("owl")) == COUNT
        assert not library.heal()


def test_names_that_are_no_utf_8_and_linked_folders(home: Path) -> None:
    outside = home.with_name(f"{home.name}-outside")
    outside.mkdir()
    (home / "0.png").rename(outside / "linked.png")
    (home / "1.png").rename(Path(f"{home}/caf\udce9.png"))
    (home / "link").symlink_to(outside, target_is_directory=True)
    (home / "again").symlink_to(home, target_is_directory=True)
    (home / "above").symlink_to(home.parent, target_is_directory=True)
    (home / "nowhere").symlink_to(home / "gone", target_is_directory=True)
    (outside / "back").symlink_to(home, target_is_directory=True)
    with closing(Library(home / "index.sqlite3", home)) as library:
        library.reconcile()
        found = {item.path for item in library.items(library.ids())}
        assert len(found) == COUNT
        assert {home / "link" / "linked.png", Path(f"{home}/caf\udce9.png")} < found
        assert all(path.is_file() for path in found)
        checked = library.check()
        assert checked.ok
        assert set(checked.not_followed) == {home / "above", home / "nowhere"}
        (id,) = [item.id for item in library.items(library.ids()) if "\udce9" in item.path.name]
        library.trash([id])
        library.restore([id])
        assert library.check().ok


def test_what_a_window_found_damaged_the_next_one_mends(home: Path) -> None:
    statement("UPDATE items SET width = 'wide', tags = 'x'")(home / "index.sqlite3")
    with closing(Library(home / "index.sqlite3", home, mended=True)) as library:
        with pytest.raises(BadFile):
            library.items(library.ids())
        assert library.damage is None
    with closing(Library(home / "index.sqlite3", home, mended=True)) as library:
        assert len(library.items(library.ids("owl"))) == COUNT
    assert not list(home.glob("*-damaged"))
