"""The store: contents once, removal that frees what nothing else uses, and order after any kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.models import links
from engine.models.hashing import hash_file
from engine.models.manifest import MANIFEST_NAME, Manifest, StoredFile
from engine.models.store import Store
from engine.protocol.errors import ModelDamaged, ModelMissing, UnsafeModel
from tests.fakes.hub import noise

ROOT = Path(__file__).resolve().parents[3]
BIG = 2 * links.ALWAYS_COPIED
SHARED, OWN_A, OWN_B, CONFIG = noise(BIG, 1), noise(BIG + 1, 2), noise(BIG + 2, 3), b'{"a": 1}'


def put(store: Store, data: bytes) -> StoredFile:
    part = store.parts / "x.part"
    part.write_bytes(data)
    sha256, size = hash_file(part)
    store.adopt(part, sha256)
    return StoredFile("", size, sha256)


def install(store: Store, name: str, **files: bytes) -> Path:
    stored = []
    for path, data in files.items():
        content = put(store, data)
        stored.append(StoredFile(path.replace("__", "/"), content.size, content.sha256))
    return store.install(Manifest(name, name, tuple(stored)))


@pytest.fixture(params=["hard", "symbolic", "copy"])
def any_store(store: Store, request: pytest.FixtureRequest) -> Store:
    store.__dict__["link_mode"] = request.param
    return store


def disk_bytes(root: Path) -> int:
    seen = {}
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            seen[path.stat().st_ino] = path.stat().st_size
    return sum(size for size in seen.values() if size >= links.ALWAYS_COPIED)


def test_this_disk_has_hard_links(store: Store) -> None:
    assert store.link_mode == "hard"


def test_a_model_is_a_folder_that_everything_can_read(any_store: Store) -> None:
    folder = install(any_store, "a", transformer__model=SHARED, config=CONFIG)
    assert (folder / "transformer" / "model").read_bytes() == SHARED
    assert (folder / "config").read_bytes() == CONFIG
    assert any_store.model("a").name == "a"


def test_shared_contents_are_stored_once(store: Store) -> None:
    install(store, "a", w=SHARED, x=OWN_A)
    install(store, "b", w=SHARED, x=OWN_B)
    assert disk_bytes(store.root) == len(SHARED) + len(OWN_A) + len(OWN_B)


def test_without_links_a_single_model_is_still_stored_once(store: Store) -> None:
    store.__dict__["link_mode"] = "copy"
    install(store, "a", w=SHARED)
    assert disk_bytes(store.root) == len(SHARED)


def test_editing_a_configuration_changes_no_other_model(store: Store) -> None:
    a, b = install(store, "a", config=CONFIG), install(store, "b", config=CONFIG)
    (a / "config").write_bytes(b"edited")
    assert (b / "config").read_bytes() == CONFIG


def test_removal_says_what_it_frees_and_frees_it(any_store: Store) -> None:
    store = any_store
    install(store, "a", w=SHARED, x=OWN_A)
    b = install(store, "b", w=SHARED, x=OWN_B)
    removal = store.removal("a")
    assert (removal.frees, removal.shared) == (len(OWN_A), len(SHARED))
    before = disk_bytes(store.root)
    assert store.remove("a") == removal
    if store.link_mode != "copy":
        assert before - disk_bytes(store.root) == removal.frees
    assert (b / "w").read_bytes() == SHARED
    assert store.remove("b").frees == len(SHARED) + len(OWN_B)
    assert disk_bytes(store.root) == 0
    with pytest.raises(ModelMissing):
        store.remove("b")


def test_what_an_unfinished_download_needs_is_kept(store: Store) -> None:
    install(store, "a", w=SHARED)
    store.want("b", {"files": [{"sha256": store.model("a").files[0].sha256}]})
    assert store.removal("a").frees == 0
    store.remove("a")
    assert not store.unused()
    store.unwant("b")
    assert sum(store.unused().values()) == len(SHARED)
    assert store.remove_unused() == len(SHARED)


def test_nothing_is_freed_while_it_is_unknown_who_uses_what(store: Store) -> None:
    install(store, "a", w=SHARED)
    broken = install(store, "b", w=SHARED)
    (broken / MANIFEST_NAME).write_text("{")
    with pytest.raises(ModelDamaged, match="not known what b uses"):
        store.removal("a")
    assert [found.name for found in store.models()] == ["a"]


def test_a_hostile_manifest_reaches_nothing_outside(store: Store) -> None:
    folder = install(store, "a", w=SHARED)
    text = (folder / MANIFEST_NAME).read_text()
    (folder / MANIFEST_NAME).write_text(text.replace('"w"', '"../../w"'))
    with pytest.raises(UnsafeModel):
        store.model("a")
    for name in ("../a", "store", "", "a/b", ".hidden", "con"):
        with pytest.raises(UnsafeModel):
            store.model(name)


def test_installing_again_replaces_the_whole(any_store: Store) -> None:
    install(any_store, "a", w=SHARED, old=OWN_A)
    folder = install(any_store, "a", w=OWN_B)
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST_NAME, "w"]
    assert (folder / "w").read_bytes() == OWN_B


_CHILD = """
import os, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from engine.models import links, store as module
from engine.models.manifest import Manifest, StoredFile
import msgspec, shutil

step = 0
def dying(name, real):
    def call(*arguments, **options):
        global step
        step += 1
        if step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)
    return call
for name in ("replace", "link", "symlink", "unlink", "mkdir", "rmdir", "fsync"):
    setattr(os, name, dying(name, getattr(os, name)))
shutil.copyfile = dying("copyfile", shutil.copyfile)

store = module.Store(Path(sys.argv[1]))
store.__dict__["link_mode"] = sys.argv[4]
if sys.argv[3] == "install":
    store.install(msgspec.json.decode(sys.argv[5], type=Manifest))
else:
    store.remove("b")
print("whole")
"""


def run_child(store: Store, step: int, action: str, manifest: bytes = b"") -> bool:
    """Whether it came to its end before the ``step``-th file operation, where it kills itself."""
    code = _CHILD.format(root=str(ROOT))
    arguments = [str(store.root), str(step), action, store.link_mode, manifest.decode()]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("mode", ["hard", "copy"])
def test_an_install_killed_at_any_step_is_whole_or_can_be_done_again(tmp_path: Path, mode: str) -> None:
    import msgspec

    for step in range(1, 200, 3 if mode == "hard" else 4):
        store = Store(tmp_path / f"{mode}{step}")
        store.create()
        store.__dict__["link_mode"] = mode
        install(store, "a", w=SHARED, x=OWN_A)
        files = tuple(
            StoredFile(path, content.size, content.sha256)
            for path, content in (("w", put(store, SHARED)), ("y", put(store, OWN_B)), ("config", put(store, CONFIG)))
        )
        manifest = Manifest("b", "b", files)
        store.want("b", {"files": [{"sha256": file.sha256} for file in files]})
        ended = run_child(store, step, "install", msgspec.json.encode(manifest))
        fresh = Store(store.root)
        fresh.__dict__["link_mode"] = mode
        fresh.recover()
        assert not list((store.folder / "staging").iterdir())
        assert (store.root / "a" / "w").read_bytes() == SHARED
        fresh.install(manifest)
        assert (store.root / "b" / "w").read_bytes() == SHARED
        assert (store.root / "b" / "y").read_bytes() == OWN_B
        if ended:
            return
    raise AssertionError("the install has no end")


def test_a_removal_killed_at_any_step_is_finished_at_the_next_start(tmp_path: Path) -> None:
    for step in range(1, 200, 3):
        store = Store(tmp_path / str(step))
        store.create()
        install(store, "a", w=SHARED, x=OWN_A)
        install(store, "b", w=SHARED, x=OWN_B, config=CONFIG)
        ended = run_child(store, step, "remove")
        fresh = Store(store.root)
        fresh.recover()
        assert not list((store.folder / "staging").iterdir())
        assert (store.root / "a" / "w").read_bytes() == SHARED
        names = {found.name for found in fresh.models()}
        if "b" in names:  # it died before anything was decided
            assert (store.root / "b" / "x").read_bytes() == OWN_B
            fresh.remove("b")
        assert disk_bytes(store.root) == len(SHARED) + len(OWN_A)
        assert not fresh.unused()
        if ended:
            return
    raise AssertionError("the removal has no end")


def test_another_process_waits_its_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.models import store as module
    from engine.protocol.errors import LibraryBusy

    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    with store.locked(), pytest.raises(LibraryBusy), Store(store.root).locked():
        pass


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    from engine.protocol.errors import NotWritable

    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable):
        Store(tmp_path / "file" / "models").create()
    assert os.path.exists(tmp_path / "file")
