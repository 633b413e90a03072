from pathlib import Path

import pytest

from engine.jobs.notices import LibraryChanged
from engine.library.library import OWN_TRASH, Library
from engine.protocol.errors import BadFile


def test_trash_and_undo_without_a_system_trash(library: Library, make, output: Path) -> None:
    kept, first, second = (library.add(make(name, prompt="red")) for name in ("kept.png", "a.png", "b.mp4"))
    data = first.path.read_bytes()
    assert library.trash([first.id, second.id]) == LibraryChanged(removed=(first.id, second.id))
    assert list(library.ids()) == list(library.ids("red")) == [kept.id]
    assert sorted(path.name for path in (output / OWN_TRASH).iterdir()) == ["a.png", "b.mp4"]
    assert library.reconcile() == LibraryChanged(), "the trash does not come back by itself"
    assert library.restore([first.id, second.id]) == LibraryChanged(added=(first.id, second.id))
    assert library.items([first.id, second.id]) == [first, second]
    assert list(library.ids()) == [second.id, first.id, kept.id]
    assert first.path.read_bytes() == data
    assert library.restore([first.id]) == LibraryChanged()


def test_the_systems_trash_is_used_where_there_is_one(library: Library, make, no_system_trash: Path, output) -> None:
    no_system_trash.mkdir(parents=True)
    item = library.add(make("a name.png"))
    library.trash([item.id])
    assert (no_system_trash / "files" / "a name.png").exists()
    info = (no_system_trash / "info" / "a name.png.trashinfo").read_text().splitlines()
    assert info[0] == "[Trash Info]"
    assert info[1] == f"Path={str(item.path).replace(' ', '%20')}"
    assert info[2].startswith("DeletionDate=20")
    library.restore([item.id])
    assert item.path.exists() and not (output / OWN_TRASH).exists()
    assert list((no_system_trash / "info").iterdir()) == list((no_system_trash / "files").iterdir()) == []


def test_two_files_of_one_name_in_the_trash(library: Library, make, no_system_trash: Path) -> None:
    no_system_trash.mkdir(parents=True)
    items = [library.add(make(name)) for name in ("x/a.png", "y/a.png")]
    data = [item.path.read_bytes() for item in items]
    library.trash([item.id for item in items])
    assert len(list((no_system_trash / "info").iterdir())) == 2
    library.restore([item.id for item in items])
    assert [item.path.read_bytes() for item in items] == data


def test_a_restored_file_takes_no_others_place(library: Library, make, output: Path) -> None:
    item = library.add(make("a.png", prompt="old"))
    library.trash([item.id])
    other = library.add(make("a.png", prompt="new"))
    assert other.id != item.id
    library.restore([item.id])
    assert library.item(item.id).path == output / "a-2.png"
    assert [found.recipe.prompt for found in library.items([item.id, other.id])] == ["old", "new"]


def test_an_emptied_trash_is_a_sentence(library: Library, make, output: Path) -> None:
    item = library.add(make("a.png"))
    library.trash([item.id])
    (output / OWN_TRASH / "a.png").unlink()
    with pytest.raises(BadFile, match="not in the trash any more"):
        library.restore([item.id])


def test_a_missing_file_is_forgotten(library: Library, make) -> None:
    item = library.add(make("a.png"))
    item.path.unlink()
    assert library.trash([item.id]) == LibraryChanged(removed=(item.id,))
    assert library.item(item.id) is None
    assert library.trash([item.id]) == LibraryChanged()
