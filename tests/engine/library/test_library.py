import os
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.jobs.notices import LibraryChanged
from engine.library import bench_library
from engine.library.filters import Filter
from engine.library.library import Library
from engine.library.marks import MarkChange
from engine.protocol.errors import BadFile, KnownError, LibraryBusy, NotWritable
from tests.fakes.recipes import clip_recipe

FAVOURITE = MarkChange(favourite=True)


def ascii_id(text: str) -> str:
    return ascii(text[:20])


def names(library: Library, text: str = "", **narrowed: object) -> list[str]:
    return [item.path.name for item in library.items(library.ids(text, Filter(**narrowed)))]


def test_an_item_says_what_its_file_says(library: Library, make) -> None:
    path = make("a.mp4", prompt="a boat", seed=12)
    item = library.add(path)
    assert (item.path, item.kind, item.width, item.height, item.frames, item.fps) == (path, "video", 32, 16, 9, 8.0)
    assert item.recipe == clip_recipe(prompt="a boat", seed=12)
    assert (item.created, item.size) == (path.stat().st_mtime, path.stat().st_size)
    assert item.seconds == pytest.approx(9 / 8)
    assert library.item(item.id) == library.find(path) == item


def test_adding_twice_is_one_row(library: Library, make) -> None:
    path = make("a.png")
    assert library.add(path) == library.add(path)
    assert len(library.ids()) == 1


def test_what_is_no_picture_is_not_added(library: Library, output: Path) -> None:
    output.mkdir()
    (output / "a.png").write_bytes(b"nonsense")
    for path in (output / "a.png", output / "nothing.png"):
        with pytest.raises(BadFile):
            library.add(path)
    assert not library.ids()


def test_newest_first_and_filters(library: Library, make) -> None:
    for name in ("a.png", "b.mp4", "c.png"):
        library.add(make(name))
    assert names(library) == ["c.png", "b.mp4", "a.png"]
    assert names(library, kind="video") == ["b.mp4"]
    assert names(library, kind="image") == ["c.png", "a.png"]
    favourite = library.ids()[2]
    assert library.mark([favourite], FAVOURITE).change == LibraryChanged(changed=(favourite,))
    assert names(library, favourite=True) == ["a.png"]
    assert names(library, favourite=False, kind="image") == ["c.png"]
    assert library.item(favourite).favourite


def test_a_file_made_earlier_takes_its_place(library: Library, make) -> None:
    early, late = make("early.png", prompt="red"), make("late.png", prompt="red")
    library.add(late)
    assert names(library) == ["late.png"]
    library.add(early)
    assert names(library) == names(library, "red") == ["late.png", "early.png"]


def test_search_as_you_type(library: Library, make) -> None:
    library.add(make("a.png", prompt="A red apple on the Éiffel tower", negative_prompt="blurry", seed=12345))
    library.add(make("b.png", prompt="a blue apple", model="sd3.5-large"))
    for typed in ("r", "re", "red", "RED apple", "red, apple!", "apple red", "eiffel", "12345", "blur"):
        assert names(library, typed) == ["a.png"], typed
    assert names(library, "app") == ["b.png", "a.png"]
    assert names(library, "sd3.5") == ["b.png"]
    assert names(library, "apple", kind="video") == names(library, "zebra") == []
    assert names(library, "   ") == names(library) == ["b.png", "a.png"]


HOSTILE = [
    *(
        '"',
        '""',
        "'",
        "*",
        "a*",
        "NEAR(",
        "NEAR(a b)",
        "prompt:red",
        "OR",
        "AND",
        "NOT",
        "-red",
        "^red",
        "{a}:",
        "(",
        ")",
    ),
    *(
        "red OR",
        "red AND (",
        "%_",
        ";DROP TABLE items",
        "\0",
        "red\0apple",
        "🍎",
        "\ud800",
        "a" * 100_000,
        "a " * 10_000,
    ),
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii_id)
def test_hostile_searches_are_only_text(library: Library, make, text: str) -> None:
    library.add(make("a.png", prompt="red"))
    assert set(names(library, text)) <= {"a.png"}
    assert names(library, "red") == ["a.png"]


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text())
def test_no_search_raises(library: Library, text: str) -> None:
    assert not library.ids(text)


def test_the_files_of_the_folder_come_in(library: Library, make, output: Path) -> None:
    assert library.reconcile() == LibraryChanged(), "a folder that is not there yet is empty"
    make("a.png")
    make("sub/b.mp4")
    (output / "broken.png").write_bytes(b"x")
    (output / "notes.txt").write_text("x")
    (output / ".hidden").mkdir()
    make(".hidden/c.png")
    change = library.reconcile()
    assert names(library) == ["b.mp4", "a.png"]
    assert sorted(change.added) == sorted(library.ids())
    assert library.reconcile() == LibraryChanged()


def test_a_file_that_goes_is_marked_and_comes_back(library: Library, make, output: Path) -> None:
    item = library.add(make("a.png"))
    data, times = item.path.read_bytes(), item.path.stat()
    item.path.unlink()
    assert library.reconcile() == LibraryChanged(changed=(item.id,))
    assert library.item(item.id).missing
    item.path.write_bytes(data)
    os.utime(item.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert library.reconcile() == LibraryChanged(changed=(item.id,))
    assert library.item(item.id) == item


def test_a_renamed_file_keeps_its_row(library: Library, make, output: Path) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], FAVOURITE)
    item.path.rename(output / "better name.png")
    assert library.reconcile() == LibraryChanged(changed=(item.id,))
    found = library.item(item.id)
    assert (found.path.name, found.favourite, found.missing) == ("better name.png", True, False)


def test_a_changed_file_is_read_anew(library: Library, make) -> None:
    item = library.add(make("a.png", prompt="red"))
    make("a.png", prompt="blue sky")
    assert library.reconcile() == LibraryChanged(changed=(item.id,))
    assert names(library, "blue") == ["a.png"]
    assert names(library, "red") == []


def test_reconciling_can_be_stopped(library: Library, make) -> None:
    make("a.png")
    assert library.reconcile(should_stop=lambda: True) == LibraryChanged()


def test_a_file_outside_the_folder_is_watched_too(library: Library, make, tmp_path: Path) -> None:
    path = make("a.png").rename(tmp_path / "elsewhere.png")
    item = library.add(path)
    assert item.path == path
    path.unlink()
    assert library.reconcile().changed == (item.id,)


def test_the_folder_can_move(tmp_path: Path, library: Library, make, output: Path) -> None:
    library.add(make("sub/a.png"))
    moved = output.rename(tmp_path / "moved")
    with_new_folder = Library(tmp_path / "data" / "library.sqlite3", moved)
    assert with_new_folder.reconcile() == LibraryChanged()
    assert with_new_folder.items(with_new_folder.ids())[0].path == moved / "sub" / "a.png"
    with_new_folder.close()


def test_rebuilding_gives_the_same_library(library: Library, make) -> None:
    for name, prompt in (("a.png", "red"), ("b.mp4", "blue"), ("c.png", "green")):
        library.add(make(name, prompt=prompt))
    library.mark(library.ids()[:1], FAVOURITE)
    before = library.items(library.ids())
    assert library.rebuild() == LibraryChanged(everything=True)
    assert library.items(library.ids()) == before
    assert names(library, "gre") == ["c.png"]
    assert library.check().ok


def test_a_new_database_equals_the_old_one(tmp_path: Path, library: Library, make, output: Path) -> None:
    for name in ("a.png", "b.mp4", "c.png"):
        library.add(make(name))
    other = Library(tmp_path / "other.sqlite3", output)
    other.rebuild()
    assert other.items(other.ids()) == library.items(library.ids())
    other.close()


def test_checking_names_what_is_wrong(library: Library, make, output: Path) -> None:
    gone, broken, fine = (library.add(make(name)) for name in ("gone.png", "broken.png", "fine.png"))
    assert library.check().ok
    gone.path.unlink()
    broken.path.write_bytes(b"nonsense")
    make("unknown.png")
    found = library.check()
    assert (found.items, found.ok, found.database_problems) == (3, False, ())
    assert found.missing == (gone.path,)
    assert found.unknown == (output / "unknown.png",)
    assert [path for path, _why in found.damaged] == [broken.path]
    assert fine.path.exists()


@pytest.mark.parametrize("damage", [lambda data: b"no database at all" * 500, lambda data: data[:100] + bytes(8000)])
def test_a_damaged_index_is_made_anew(tmp_path: Path, library: Library, make, output: Path, damage) -> None:
    library.add(make("a.png"))
    library.close()
    path = tmp_path / "data" / "library.sqlite3"
    path.write_bytes(damage(path.read_bytes()))
    found = Library(path, output)
    if found.damage is None:  # the header was sound: the damage shows when the tables are read
        found.rebuild()
    assert found.damage is not None and "made anew" in found.damage.message
    found.reconcile()
    assert names(found) == ["a.png"]
    assert len(list(path.parent.glob("library-damaged-*"))) == 1
    found.close()


def test_a_database_of_a_newer_laterna_is_left_alone(tmp_path: Path) -> None:
    Library(tmp_path / "a.sqlite3", tmp_path).close()
    connection = sqlite3.connect(tmp_path / "a.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(KnownError, match="Update Laterna"):
        Library(tmp_path / "a.sqlite3", tmp_path)


def test_a_database_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotWritable):
        Library(tmp_path / "file" / "library.sqlite3", tmp_path)


def test_a_database_in_use_is_busy(tmp_path: Path, library: Library, make) -> None:
    path = make("a.png")
    library._database._busy_timeout = 0.05
    holder = sqlite3.connect(tmp_path / "data" / "library.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    failed: list[BaseException] = []

    def add() -> None:
        try:
            library.add(path)
        except LibraryBusy as error:
            failed.append(error)

    thread = threading.Thread(target=add)
    thread.start()
    thread.join()
    assert len(failed) == 1
    assert not library.ids(), "reading goes on meanwhile"
    holder.close()
    library.add(path)


def test_another_process_writes_and_this_one_sees_it(tmp_path: Path, library: Library, make, output: Path) -> None:
    library.add(make("a.png"))
    assert len(library.ids()) == 1
    other = Library(tmp_path / "data" / "library.sqlite3", output)
    other.add(make("b.png"))
    assert names(library) == ["b.png", "a.png"]
    other.close()


def test_many_threads_at_once(library: Library, make) -> None:
    paths = [make(f"{number}.png", prompt=f"word{number} red") for number in range(24)]
    errors: list[BaseException] = []

    def work(part: list[Path]) -> None:
        try:
            for path in part:
                item = library.add(path)
                library.mark([item.id], FAVOURITE)
                assert item.id in library.ids("red")
                assert library.items(library.ids())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(paths[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(library.ids(filter=Filter(favourite=True))) == 24
    assert library.check().ok


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_order_in_memory_is_the_databases(tmp_path_factory, data: st.DataObject) -> None:
    """Small writes are followed in memory; whatever happens, a library that reads afresh has the same order."""
    folder = tmp_path_factory.mktemp("order")
    library = Library(folder / "a.sqlite3", folder)
    rows = list(bench_library.file_rows(40))
    filters = [
        (),
        ("", Filter(kind="video")),
        ("", Filter(favourite=True)),
        ("", Filter(favourite=False, kind="image")),
        ("red",),
        ("red rating:3 -house", Filter(kind="image")),
    ]
    for _ in range(data.draw(st.integers(1, 8))):
        for one in filters:
            library.ids(*one)
        match data.draw(st.sampled_from(["add", "add", "favourite", "trash", "restore"])):
            case "add":
                first = data.draw(st.integers(0, 39))
                library.insert(rows[first : first + data.draw(st.integers(1, 4))])
            case "favourite":
                library.mark(list(library.ids()[:2]), MarkChange(favourite=data.draw(st.booleans())))
            case "trash":
                library.trash(list(library.ids()[1:3]))
            case "restore":
                library.restore(range(40))
        fresh = Library(folder / "a.sqlite3", folder)
        for one in filters:
            assert library.ids(*one) == fresh.ids(*one), one
        fresh.close()
    library.close()


def test_the_bench_measures_every_figure() -> None:
    figures = bench_library.NAMES["library"].__call__(rows=300)
    assert figures["rows"] == 300
    assert all(value >= 0 for value in figures.values())


def test_a_recipe_of_a_newer_laterna_does_not_hide_the_picture(library: Library, make) -> None:
    item = library.add(make("a.png"))
    with library._database.writing() as connection:
        connection.execute("""UPDATE items SET recipe = '{"version":99}'""")
    assert library.item(item.id).recipe is None
