"""Moving the models folder: whole, checked, and in order after a kill at any step."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.models import disk, links, moving
from engine.models.hashing import hash_file
from engine.models.installed import find_installed
from engine.models.location import MOVED_NAME, locate
from engine.models.manifest import Manifest, StoredFile
from engine.models.store import Store
from engine.models.verify import verify
from engine.protocol.errors import BadArguments, Cancelled, ModelDamaged, ModelMissing, NoSpace
from tests.fakes.hub import noise

ROOT = Path(__file__).resolve().parents[3]
BIG = 2 * links.ALWAYS_COPIED


def fill(store: Store) -> None:
    """Two models that share a file."""
    for name, seed in (("a", 1), ("b", 2)):
        files = []
        for path, data in (
            ("shared", noise(BIG)),
            ("own", noise(BIG, seed)),
            ("model_index.json", b'{"_class_name": "CogVideoXPipeline"}'),
            ("transformer/config.json", b"{}"),
        ):
            part = store.parts / "x.part"
            part.write_bytes(data)
            sha256, size = hash_file(part)
            store.adopt(part, sha256)
            files.append(StoredFile(path, size, sha256))
        store.install(Manifest(name, name, tuple(files)))


def used(folder: Path) -> int:
    inodes = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sum(size for size in inodes.values() if size >= BIG)


@pytest.mark.parametrize("mode", ["hard", "symbolic", "copy"])
def test_everything_arrives_and_what_is_shared_stays_shared(
    store: Store, tmp_path: Path, mode: links.LinkMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    monkeypatch.setattr(links, "probe", lambda folder: mode)
    seen: list[tuple[int, int]] = []
    moving.move(store.root, tmp_path / "new", lambda done, total: seen.append((done, total)))
    there = Store(locate(store.root))
    assert there.root == tmp_path / "new"
    assert verify(there, "a").is_sound
    assert verify(there, "b").is_sound
    assert used(there.root) == (4 if mode == "copy" else 3) * BIG
    assert [path.name for path in store.root.iterdir()] == [MOVED_NAME]
    assert seen[-1][0] == seen[-1][1]
    assert {found.folder.parent for found in find_installed([store.root])} == {tmp_path / "new"}


def test_where_it_cannot_go(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for target in (store.root, store.root / "inside", tmp_path, tmp_path / "full"):
        with pytest.raises(BadArguments):
            moving.move(store.root, target)
    monkeypatch.setattr(disk, "free_bytes", lambda folder: BIG)
    with pytest.raises(NoSpace):
        moving.move(store.root, tmp_path / "new")
    assert verify(store, "a").is_sound


def test_a_disk_that_is_not_there_is_a_sentence(store: Store, tmp_path: Path) -> None:
    fill(store)
    moving.move(store.root, tmp_path / "stick")
    (tmp_path / "stick").rename(tmp_path / "unplugged")
    with pytest.raises(ModelMissing, match="which is not there"):
        locate(store.root)
    assert not list(find_installed([store.root]))


def test_a_circle_is_found(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / one).mkdir()
        (tmp_path / one / MOVED_NAME).write_text(f'{{"folder": "{tmp_path / other}"}}')
    with pytest.raises(ModelDamaged, match="circle"):
        locate(tmp_path / "a")


def test_a_full_disk_on_the_way_leaves_all_as_it_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    real = os.replace

    def full(source: Path, target: Path) -> None:
        if str(target).endswith("own"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(links, "probe", lambda folder: "copy")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(NoSpace):
        moving.move(store.root, tmp_path / "new")
    monkeypatch.undo()
    assert locate(store.root) == store.root
    assert verify(store, "a").is_sound
    moving.move(store.root, tmp_path / "new")
    assert verify(Store(tmp_path / "new"), "a").is_sound


def test_it_can_be_stopped_and_gone_on_with(store: Store, tmp_path: Path) -> None:
    fill(store)

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        moving.move(store.root, tmp_path / "new", stop)
    assert verify(store, "a").is_sound
    moving.move(store.root, tmp_path / "new")
    assert verify(Store(tmp_path / "new"), "b").is_sound


_CHILD = """
import os, shutil, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from engine.models import moving
step = 0
def dying(real):
    def call(*arguments, **options):
        global step
        step += 1
        if step == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)
    return call
for name in ("replace", "link", "unlink", "mkdir", "rmdir", "fsync"):
    setattr(os, name, dying(getattr(os, name)))
moving.move(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_killed_at_any_step_the_models_are_whole_in_one_place(tmp_path: Path) -> None:
    for step in range(1, 200, 7):
        store = Store(tmp_path / f"old{step}")
        store.create()
        fill(store)
        new = tmp_path / f"new{step}"
        command = [sys.executable, "-c", _CHILD.format(root=str(ROOT)), str(store.root), str(new), str(step)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        moving.clear_old(store.root)
        there = Store(locate(store.root))
        there.recover()
        assert verify(there, "a").is_sound
        assert verify(there, "b").is_sound
        if there.root == store.root:
            moving.move(store.root, new)
        assert [path.name for path in store.root.iterdir()] == [MOVED_NAME]
        assert verify(Store(new), "b").is_sound
        if done.returncode == 0:
            return
    raise AssertionError("the move has no end")
