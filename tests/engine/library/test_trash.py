import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.jobs.notices import LibraryChanged
from engine.library import trash
from engine.library.filters import Filter
from engine.library.library import OWN_TRASH, Library
from engine.library.marks import MarkChange
from engine.protocol.errors import BadFile

DELETED = Filter(deleted=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


@pytest.mark.usefixtures("no_system_trash")
def test_trash_and_undo_without_a_system_trash(library: Library, make, output: Path) -> None:
    kept, first, second = (library.add(make(name, prompt="red")) for name in ("kept.png", "a.png", "b.mp4"))
    data = first.path.read_bytes()
    assert library.trash([first.id, second.id]) == LibraryChanged(removed=(first.id, second.id))
    assert list(library.ids()) == list(library.ids("red")) == [kept.id]
    assert names(output / OWN_TRASH) == ["a.png", "b.mp4"]
    assert library.reconcile() == LibraryChanged(), "the trash does not come back by itself"
    assert library.restore([first.id, second.id]) == LibraryChanged(added=(first.id, second.id))
    assert library.items([first.id, second.id]) == [first, second]
    assert list(library.ids()) == [second.id, first.id, kept.id]
    assert first.path.read_bytes() == data
    assert library.restore([first.id]) == LibraryChanged()


def test_the_systems_trash_is_used_where_there_is_one(library: Library, make, system_trash: Path, output: Path) -> None:
    item = library.add(make("a name.png"))
    library.trash([item.id])
    assert (system_trash / "files" / "a name.png").exists()
    info = (system_trash / "info" / "a name.png.trashinfo").read_text().splitlines()
    assert info[0] == "[Trash Info]"
    assert info[1] == f"Path={str(item.path).replace(' ', '%20')}"
    assert info[2].startswith("DeletionDate=20")
    library.restore([item.id])
    assert item.path.exists() and not (output / OWN_TRASH).exists()
    assert list((system_trash / "info").iterdir()) == list((system_trash / "files").iterdir()) == []


def test_two_files_of_one_name_in_the_trash(library: Library, make, system_trash: Path) -> None:
    items = [library.add(make(name)) for name in ("x/a.png", "y/a.png")]
    data = [item.path.read_bytes() for item in items]
    library.trash([item.id for item in items])
    assert len(list((system_trash / "info").iterdir())) == 2
    library.restore([item.id for item in items])
    assert [item.path.read_bytes() for item in items] == data


def test_another_disk_has_its_own_trash(tmp_path: Path, make, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    monkeypatch.setattr(trash, "_top", lambda _path: disk)
    monkeypatch.setattr(trash, "_nearest", OtherDisk)
    path = disk / "pictures" / "a picture.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(make("x.png").read_bytes())
    where = trash.move_to_trash(path, disk / "own")
    assert where == disk / f".Trash-{os.getuid()}" / "files" / "a picture.png"
    info = (where.parent.parent / "info" / "a picture.png.trashinfo").read_text()
    assert "Path=pictures/a%20picture.png" in info, "relative, so that the disk may be mounted elsewhere"
    assert [found[:2] for found in trash.contents(disk, disk / "own")] == [(where, path)]
    (disk / ".Trash").mkdir()
    other = path.with_name("b.png")
    other.touch()
    assert trash.move_to_trash(other, disk / "own").parent.parent.name == f".Trash-{os.getuid()}", "not made safe"
    (disk / ".Trash").chmod(0o1777)
    third = path.with_name("c.png")
    third.touch()
    assert trash.move_to_trash(third, disk / "own").parent.parent == disk / ".Trash" / str(os.getuid())


class OtherDisk:
    """A path whose disk is told by its first folder below the test's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stat(self) -> SimpleNamespace:
        return SimpleNamespace(st_dev=1 if "Trash" in self._path.parts else 2)


def test_what_was_deleted_is_listed_and_put_back(library: Library, make) -> None:
    items = [library.add(make(name, prompt=prompt)) for name, prompt in (("a.png", "red owl"), ("b.mp4", "red star"))]
    library.add(make("kept.png", prompt="red kept"))
    library.mark([items[0].id], MarkChange(rating=4, add_tags=("night",)))
    for item in items:
        library.trash([item.id])
    assert list(library.ids(filter=DELETED)) == [items[1].id, items[0].id], "the last deleted first"
    assert list(library.ids("owl", DELETED)) == list(library.ids("tag:night", DELETED)) == [items[0].id]
    assert list(library.ids("kept", DELETED)) == []
    assert list(library.ids(filter=Filter(deleted=True, kind="video"))) == [items[1].id]
    found = library.item(items[0].id)
    assert found is not None and found.path == items[0].path and found.file.read_bytes()
    assert found.trashed == found.file and not found.missing and found.deleted > 1.7e9
    assert (found.rating, found.tags) == (4, ("night",))
    assert library.trash([items[0].id]) == LibraryChanged(), "what is deleted is not deleted again"
    assert set(library.restore([item.id for item in items]).added) == {item.id for item in items}
    assert list(library.ids(filter=DELETED)) == []


def test_part_of_the_trash_was_emptied(library: Library, make) -> None:
    first, second = (library.add(make(name, prompt="owl")) for name in ("a.png", "b.png"))
    library.trash([first.id, second.id])
    library.item(first.id).file.unlink()
    lost = library.item(first.id)
    assert lost.missing and lost.recipe.prompt == "owl", "its recipe is still there"
    assert library.restore([first.id, second.id]).added == (second.id,)
    assert library.forget_deleted([first.id, second.id]).removed == (first.id,)
    assert library.item(first.id) is None and library.item(second.id) is not None


def test_put_back_by_another_program(library: Library, make) -> None:
    item = library.add(make("a.png"))
    library.trash([item.id])
    library.item(item.id).file.rename(item.path)
    assert library.restore([item.id]) == LibraryChanged(added=(item.id,))
    assert library.item(item.id) == item


def test_another_file_in_its_place_is_not_it(library: Library, make) -> None:
    item = library.add(make("a.png"))
    library.trash([item.id])
    library.item(item.id).file.unlink()
    item.path.write_bytes(b"something else")
    with pytest.raises(BadFile):
        library.restore([item.id])
    assert library.item(item.id).trashed is not None


def test_deleted_by_another_program(library: Library, make, system_trash: Path, output: Path) -> None:
    item = library.add(make("a name.png", prompt="owl"))
    library.mark([item.id], MarkChange(rating=3))
    trash.move_to_trash(item.path, output / OWN_TRASH)
    assert library.reconcile() == LibraryChanged(removed=(item.id,))
    assert list(library.ids(filter=DELETED)) == [item.id]
    library.restore([item.id])
    assert library.item(item.id).rating == 3


@pytest.mark.parametrize("own", [False, True])
def test_a_new_index_finds_what_was_deleted(
    library: Library, make, tmp_path: Path, output: Path, own: bool, request: pytest.FixtureRequest
) -> None:
    if own:
        request.getfixturevalue("no_system_trash")
    item = library.add(make("x/a.png", prompt="owl"))
    library.mark([item.id], MarkChange(rating=3, add_tags=("night",)))
    library.trash([item.id])
    when = library.item(item.id).deleted
    library.close()
    other = Library(tmp_path / "other.sqlite3", output)
    try:
        other.rebuild()
        (id,) = other.ids(filter=DELETED)
        found = other.item(id)
        assert (found.path, found.rating, found.tags) == (item.path, 3, ("night",))
        assert abs(found.deleted - when) < 2
        assert other.reconcile() == LibraryChanged(), "each is found once"
        other.restore([id])
        assert list(other.ids()) == [id] and item.path.exists()
    finally:
        other.close()


def test_notes_in_the_trash_are_not_trusted(library: Library, make, system_trash: Path, tmp_path: Path) -> None:
    picture = make("a.png").read_bytes()
    for folder in ("files", "info"):
        (system_trash / folder).mkdir(parents=True)
    inside = library.folder / "b.png"
    notes = {
        "outside.png": f"Path={tmp_path}/elsewhere.png",
        "up.png": f"Path={library.folder}/../elsewhere.png",
        "empty.png": "",
        "nul.png": f"Path={library.folder}/%00.png",
        "folder.png": f"Path={inside}",
        "text.txt": f"Path={library.folder}/text.txt",
        "no-date.png": f"Path={inside}\nDeletionDate=yesterday",
    }
    for name, note in notes.items():
        (system_trash / "info" / f"{name}.trashinfo").write_text(f"[Trash Info]\n{note}\n")
        if name == "folder.png":
            (system_trash / "files" / name).mkdir()
        else:
            (system_trash / "files" / name).write_bytes(picture)
    (system_trash / "info" / "bytes.png.trashinfo").write_bytes(bytes(range(256)))
    (system_trash / "files" / "bytes.png").symlink_to(tmp_path)
    library.reconcile()
    assert [item.path for item in library.items(library.ids(filter=DELETED))] == [inside]


def test_a_restored_file_takes_no_others_place(library: Library, make, output: Path) -> None:
    item = library.add(make("a.png", prompt="old"))
    library.trash([item.id])
    other = library.add(make("a.png", prompt="new"))
    assert other.id != item.id
    library.restore([item.id])
    assert library.item(item.id).path == output / "a-2.png"
    assert [found.recipe.prompt for found in library.items([item.id, other.id])] == ["old", "new"]


def test_a_restored_file_takes_the_place_of_a_lost_one(library: Library, make) -> None:
    item = library.add(make("a.png", prompt="old"))
    library.trash([item.id])
    other = library.add(make("a.png", prompt="new"))
    other.path.unlink()
    library.reconcile()
    library.restore([item.id])
    assert library.item(item.id).path == item.path
    assert library.item(other.id) is None


def test_an_emptied_trash_is_a_sentence(library: Library, make) -> None:
    item = library.add(make("a.png"))
    library.trash([item.id])
    library.item(item.id).file.unlink()
    with pytest.raises(BadFile, match="not in the trash any more"):
        library.restore([item.id])


def test_a_missing_file_is_forgotten(library: Library, make) -> None:
    item = library.add(make("a.png"))
    item.path.unlink()
    assert library.trash([item.id]) == LibraryChanged(removed=(item.id,))
    assert library.item(item.id) is None
    assert library.trash([item.id]) == LibraryChanged()
