"""What a person says about files survives kills, moves, deleted databases and two computers."""

import itertools
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library import marking
from engine.library.filters import Filter
from engine.library.item import Item
from engine.library.library import Library
from engine.library.marks import LabelKind, MarkChange, State, clean_name, label_change
from engine.protocol.errors import BadArguments, NoSpace, NotWritable

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
ALL = MarkChange(favourite=True, rating=4, add_tags=("owl", "at night"), add_albums=("Trip",))


@pytest.fixture
def reopen(tmp_path: Path, output: Path, library: Library) -> Iterator[object]:
    """``reopen(name)``: the same folder with the database ``name``, a new one unless it was opened before."""
    opened: list[Library] = []

    def open_it(name: str = "other", folder: Path = output) -> Library:
        found = Library(tmp_path / f"{name}.sqlite3", folder)
        opened.append(found)
        return found

    yield open_it
    for one in opened:
        one.close()


def state(library: Library, name: str) -> State:
    found = [item for item in library.items(library.ids()) if item.path.name == name]
    assert len(found) == 1, f"{len(found)} rows of {name}"
    return said(found[0])


def said(item: Item) -> State:
    return State(item.favourite, item.rating, item.tags, item.albums)


EVERYTHING_SAID = State(True, 4, ("at night", "owl"), ("Trip",))


def journals(output: Path) -> list[Path]:
    return sorted((output / ".laterna").glob("marks-*.jsonl"))


def test_marks_of_many_and_all_of_it_undone(library: Library, make) -> None:
    a, b, c = (library.add(make(name)).id for name in ("a.png", "b.png", "c.png"))
    library.mark([b], MarkChange(favourite=True, add_tags=("owl",)))
    marked = library.mark([a, b, c], ALL)
    assert set(marked.change.changed) == {a, b, c}
    assert [state(library, name) for name in ("a.png", "b.png", "c.png")] == [EVERYTHING_SAID] * 3
    assert library.mark([a, b, c], ALL).change.changed == (), "nothing new was said"
    assert set(library.take_back(marked).changed) == {a, b, c}
    assert state(library, "a.png") == state(library, "c.png") == State()
    assert state(library, "b.png") == State(favourite=True, tags=("owl",))
    assert library.check().ok


def test_a_deleted_database_loses_nothing(library: Library, make, reopen) -> None:
    for name in ("a.png", "b.mp4"):
        library.mark([library.add(make(name, prompt=name)).id], ALL)
    library.add_album("Empty")
    library.mark([library.add(make("c.png", prompt="c")).id], MarkChange(rating=1))
    other = reopen()
    other.rebuild()
    assert [state(other, name) for name in ("a.png", "b.mp4")] == [EVERYTHING_SAID] * 2
    assert state(other, "c.png") == State(rating=1)
    assert [name for name, _count in other.facets().albums] == ["Empty", "Trip"]
    assert len(other.ids("tag:owl")) == len(other.ids(filter=Filter(album="Trip"))) == 2
    assert other.check().ok


@pytest.mark.parametrize("database", ["data/library", "other"], ids=["known", "new"])
def test_a_moved_file_keeps_its_marks(library: Library, make, output: Path, reopen, database: str) -> None:
    item = library.add(make("a.png", prompt="moved"))
    library.mark([item.id], ALL)
    target = output / "sub" / "z.png"
    target.parent.mkdir()
    shutil.copyfile(item.path, target)  # another time than the old file's: only the pixels say that it is the same
    item.path.unlink()
    found = reopen(database)
    change = found.reconcile()
    assert state(found, "z.png") == EVERYTHING_SAID
    if database != "other":
        assert change.changed == (item.id,), "the row moved with it"
    found.mark(found.ids(), MarkChange(rating=2))
    third = reopen("third")
    third.reconcile()
    assert state(third, "z.png") == State(True, 2, ("at night", "owl"), ("Trip",))


def test_a_copy_is_a_file_of_its_own(library: Library, make, output: Path, reopen) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], ALL)
    shutil.copyfile(item.path, output / "copy.png")
    other = reopen()
    for found in (library, other):
        found.reconcile()
        assert (state(found, "a.png"), state(found, "copy.png")) == (EVERYTHING_SAID, State())


def test_a_file_without_a_recipe_keeps_its_marks_too(library: Library, make, output: Path, reopen) -> None:
    from PIL import Image

    output.mkdir()
    Image.new("RGB", (9, 9), "red").save(output / "plain.png")
    library.reconcile()
    library.mark(library.ids(), MarkChange(rating=5))
    (output / "plain.png").rename(output / "moved.png")
    other = reopen()
    other.reconcile()
    assert state(other, "moved.png").rating == 5


def test_trash_and_back_keeps_marks(library: Library, make, reopen) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], ALL)
    library.trash([item.id])
    make("a.png")  # its place is taken meanwhile
    library.restore([item.id])
    assert state(library, "a-2.png") == EVERYTHING_SAID
    other = reopen()
    other.reconcile()
    assert state(other, "a-2.png") == EVERYTHING_SAID


def test_a_file_taken_out_of_the_trash_by_hand_is_the_former_item(library: Library, make, system_trash: Path) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], ALL)
    library.trash([item.id])
    (system_trash / "files" / "a.png").rename(item.path)
    library.reconcile()
    assert list(library.ids()) == [item.id]
    assert state(library, "a.png") == EVERYTHING_SAID


def test_two_computers_that_sync_the_folder(tmp_path: Path, library: Library, make, output: Path, reopen) -> None:
    """Each writes its own journal; after a sync both ways both say the same, the later word on each field counting."""
    for name in ("a.png", "b.png"):
        library.add(make(name, prompt=name))
    there = tmp_path / "there"
    shutil.copytree(output, there)
    laptop = reopen("laptop", there)
    laptop.reconcile()
    (a,) = (item.id for item in library.items(library.ids()) if item.path.name == "a.png")
    (a2, b2) = (next(i.id for i in laptop.items(laptop.ids()) if i.path.name == name) for name in ("a.png", "b.png"))
    library.mark([a], MarkChange(rating=2, add_tags=("here",)))
    laptop.mark([a2], MarkChange(rating=5, favourite=True, add_tags=("there",)))
    laptop.mark([b2], MarkChange(add_albums=("Trip",)))
    assert len(journals(output)) == len(journals(there)) == 1
    for source, target in ((output, there), (there, output)):
        shutil.copytree(source / ".laterna", target / ".laterna", dirs_exist_ok=True)
    for one in (library, laptop):
        assert one.reconcile().changed
        assert state(one, "a.png") == State(True, 5, ("here", "there"))
        assert state(one, "b.png") == State(albums=("Trip",))
        assert one.reconcile().changed == ()
    laptop.mark([a2], MarkChange(remove_tags=("here",)))
    shutil.copytree(there / ".laterna", output / ".laterna", dirs_exist_ok=True)
    library.reconcile()
    assert state(library, "a.png").tags == ("there",)


def test_a_clock_that_jumps_back(library: Library, make, reopen, monkeypatch: pytest.MonkeyPatch) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], MarkChange(rating=2))
    monkeypatch.setattr(marking.time, "time", lambda: 1.0)
    library.mark([item.id], MarkChange(rating=5))
    library.mark([item.id], MarkChange(rating=3))
    other = reopen()
    other.reconcile()
    assert state(library, "a.png").rating == state(other, "a.png").rating == 3


def test_killed_between_sidecar_and_index(library: Library, make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word is on the disk, the index never heard it: it does as soon as anything is said or the next start."""
    item = library.add(make("a.png"))
    monkeypatch.setattr(marking.Marking, "_keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        library.mark([item.id], MarkChange(rating=4))
    monkeypatch.undo()
    assert state(library, "a.png") == State()
    library.mark([item.id], MarkChange(favourite=True))
    assert state(library, "a.png") == State(favourite=True, rating=4)


def test_half_a_line_is_not_read_and_hurts_nobody(library: Library, make, output: Path, reopen) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], MarkChange(rating=4))
    (journal,) = journals(output)
    whole = journal.read_bytes()
    library.mark([item.id], MarkChange(rating=1))
    line = journal.read_bytes()[len(whole) :]
    for length in range(0, len(line), 7):
        journal.write_bytes(whole + line[:length])
        torn = reopen(f"torn{length}")
        torn.reconcile()
        assert state(torn, "a.png").rating == 4
    journal.write_bytes(whole + line)
    with journal.open("ab") as file:
        file.write(b'{"clock":99')
    library.mark([item.id], MarkChange(rating=5))
    other = reopen()
    other.reconcile()
    assert state(other, "a.png").rating == state(library, "a.png").rating == 5


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b'{"clock":"x","set":{}}',
        b'{"clock":1}',
        b'{"clock":9999999999999,"pixels":"P","path":"a.png","set":{"rating":99,"favourite":7,"tag:x":3,"zzz":true}}',
        b'{"clock":1,"pixels":"P","path":"../../../etc/passwd","set":{"rating":3}}',
        b"\xff\xfe",
        b"[" * 60_000,
        b"x" * 200_000,
    ],
    ids=range(9),
)
def test_hostile_lines_are_passed_over(library: Library, make, output: Path, reopen, line: bytes) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], MarkChange(rating=4, favourite=True))
    with library._database.reading() as connection:
        pixels = connection.execute("SELECT identity FROM items").fetchone()[0]
    (output / ".laterna" / "marks-evil.jsonl").write_bytes(line.replace(b"P", pixels.encode()) + b"\n")
    other = reopen()
    other.reconcile()
    assert state(other, "a.png").tags == ()
    assert state(other, "a.png").rating in (0, 4)
    assert other.check().ok


def test_the_journal_is_compacted(library: Library, make, output: Path, reopen, monkeypatch) -> None:
    monkeypatch.setattr(marking, "COMPACT_BYTES", 2000)
    item = library.add(make("a.png"))
    reader = reopen("reader")
    reader.reconcile()
    sizes = []
    for n in range(200):
        library.mark([item.id], MarkChange(rating=1 + n % 5, add_tags=("owl",)))
        sizes.append(journals(output)[0].stat().st_size)
        if n % 37 == 0:
            reader.reconcile()
            assert state(reader, "a.png") == state(library, "a.png")
    assert max(sizes) < 4000
    assert sum(after < before for before, after in itertools.pairwise(sizes)) >= 5
    reader.reconcile()
    assert state(reader, "a.png") == state(library, "a.png") == State(rating=5, tags=("owl",))


def test_a_deleted_journal_is_written_again(library: Library, make, output: Path, reopen) -> None:
    library.mark([library.add(make("a.png")).id], ALL)
    shutil.rmtree(output / ".laterna")
    library.reconcile()
    other = reopen()
    other.reconcile()
    assert state(other, "a.png") == EVERYTHING_SAID


@pytest.mark.parametrize(("number", "kind"), [(28, NoSpace), (5, NotWritable), (13, NotWritable)])
@pytest.mark.parametrize("call", ["fsync", "first-fsync"])
def test_a_mark_that_cannot_be_kept_is_refused(library: Library, make, monkeypatch, number, kind, call, reopen) -> None:
    item = library.add(make("a.png"))
    if call == "fsync":
        library.mark([item.id], MarkChange(rating=2))

    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind):
        library.mark([item.id], MarkChange(rating=5))
    monkeypatch.undo()
    expected = 2 if call == "fsync" else 0
    library.reconcile()
    other = reopen()
    other.reconcile()
    assert state(library, "a.png").rating == state(other, "a.png").rating == expected
    library.mark([item.id], MarkChange(rating=3))
    other.reconcile()
    assert state(other, "a.png").rating == 3


def test_names_and_ratings_that_cannot_be(library: Library, make) -> None:
    item = library.add(make("a.png"))
    for change in (MarkChange(rating=6), MarkChange(add_tags=(" \n",)), MarkChange(add_albums=("x" * 101,))):
        with pytest.raises(BadArguments):
            library.mark([item.id], change)
    assert clean_name("  two\n words ") == "two words"
    library.mark([item.id], MarkChange(add_tags=("Owl",)))
    library.mark([item.id], MarkChange(add_tags=("OWL", "two  words")))
    assert state(library, "a.png").tags == ("Owl", "two words")


def test_albums_come_and_go(library: Library, make, reopen) -> None:
    item = library.add(make("a.png"))
    library.add_album("Trip")
    library.mark([item.id], MarkChange(add_albums=("trip",)))
    assert library.facets().albums == (("Trip", 1),)
    removed = library.remove_label("album", "Trip")
    assert library.facets().albums == ()
    library.take_back(removed)
    other = reopen()
    other.reconcile()
    assert library.facets().albums == other.facets().albums == (("Trip", 1),)


@pytest.mark.parametrize("kind", ["tag", "album"])
def test_a_name_is_changed_everywhere_and_back(library: Library, make, reopen, kind: LabelKind) -> None:
    items = [library.add(make(name)).id for name in ("a.png", "b.png", "c.png")]
    library.mark(items[:2], label_change(kind, add=("owl",)))
    library.mark(items[2:], label_change(kind, add=("bird",)))
    library.trash(items[:1])
    before = getattr(library.facets(), f"{kind}s")
    renamed = library.rename_label(kind, "owl", "night  owl")
    assert set(renamed.change.changed) == set(items[:2]), "what is in the trash keeps its marks too"
    assert getattr(library.facets(), f"{kind}s") == (("bird", 1), ("night owl", 1))
    other = reopen()
    other.rebuild()
    assert getattr(other.facets(), f"{kind}s") == (("bird", 1), ("night owl", 1))
    library.take_back(renamed)
    assert getattr(library.facets(), f"{kind}s") == before


@pytest.mark.parametrize("kind", ["tag", "album"])
def test_two_names_become_one_and_two_again(library: Library, make, reopen, kind: LabelKind) -> None:
    a, b, c = (library.add(make(name)).id for name in ("a.png", "b.png", "c.png"))
    library.mark([a, b], label_change(kind, add=("owl",)))
    library.mark([b, c], label_change(kind, add=("Bird",)))
    merged = library.rename_label(kind, "OWL", "bird")
    assert getattr(library.facets(), f"{kind}s") == (("Bird", 3),)
    library.take_back(merged)
    other = reopen()
    other.rebuild()
    for one in (library, other):
        assert getattr(one.facets(), f"{kind}s") == (("Bird", 2), ("owl", 2))


@pytest.mark.parametrize("kind", ["tag", "album"])
def test_only_the_capitals_of_a_name(library: Library, make, reopen, kind: LabelKind) -> None:
    item = library.add(make("a.png"))
    library.mark([item.id], label_change(kind, add=("owl",)))
    renamed = library.rename_label(kind, "owl", "Owl")
    assert getattr(library.facets(), f"{kind}s") == (("Owl", 1),)
    other = reopen()
    other.rebuild()
    assert getattr(other.facets(), f"{kind}s") == (("Owl", 1),)
    library.take_back(renamed)
    assert getattr(library.facets(), f"{kind}s") == (("owl", 1),)


def test_an_empty_album_is_renamed_and_a_bad_name_refused(library: Library, make) -> None:
    library.add_album("Trip")
    renamed = library.rename_label("album", "Trip", "Journey")
    assert library.facets().albums == (("Journey", 0),)
    library.take_back(renamed)
    assert library.facets().albums == (("Trip", 0),)
    with pytest.raises(BadArguments):
        library.rename_label("album", "Trip", "  ")
    assert library.rename_label("tag", "unheard of", "heard").is_any is False


def test_an_unmarked_library_writes_no_sidecar(library: Library, make, output: Path) -> None:
    library.add(make("a.png"))
    library.reconcile()
    assert not (output / ".laterna").exists()


@pytest.mark.parametrize("schema", sorted(path.name for path in GOLDEN.glob("library-v*")))
def test_a_library_of_an_earlier_laterna(tmp_path: Path, schema: str) -> None:
    """Everything is there after the migrations; favourites from before the sidecar are in it afterwards."""
    shutil.copytree(GOLDEN / schema, tmp_path / "home")
    library = Library(tmp_path / "home" / "library.sqlite3", tmp_path / "home" / "output")
    assert len(library.ids()) == 3
    library.reconcile()
    favourites = {item.path.name for item in library.items(library.ids("is:favourite"))}
    assert favourites == {"apple.png", "boat.mp4"}
    assert len(library.ids("red apple")) == len(library.ids("seed:101")) == 1
    if schema not in ("library-v1", "library-v2"):
        assert [item.path.name for item in library.items(library.ids(filter=Filter(deleted=True)))] == ["star.png"]
    assert library.check().ok
    library.close()
    with sqlite3.connect(tmp_path / "home" / "library.sqlite3") as connection:
        fresh = Library(tmp_path / "fresh.sqlite3", tmp_path / "home" / "output")
        query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        with fresh._database.reading() as new:
            assert [row[:2] for row in connection.execute(query)] == [row[:2] for row in new.execute(query)]
    connection.close()
    fresh.reconcile()
    assert {item.path.name for item in fresh.items(fresh.ids("is:favourite"))} == favourites
    if schema != "library-v1":
        assert {item.path.name: said(item) for item in fresh.items(fresh.ids())}["apple.png"] == EVERYTHING_SAID
    fresh.close()


def test_a_sidecar_line_is_plain_json(library: Library, make, output: Path) -> None:
    library.mark([library.add(make("a.png")).id], MarkChange(rating=3, add_tags=("ünï",)))
    lines = [json.loads(line) for line in journals(output)[0].read_text("utf-8").splitlines()]
    assert lines[0] == {"laterna": "marks", "version": 1, "generation": 1}
    assert lines[1]["set"] == {"rating": 3, "tag:ünï": True}
    assert (lines[1]["path"], len(lines[1]["pixels"])) == ("a.png", 64)
