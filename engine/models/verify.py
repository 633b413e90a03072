"""Hash an installed model again and say which files are not what was published; only those are fetched again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.models.download_plan import DownloadPlan, PlannedFile
from engine.models.hashing import hash_file
from engine.models.manifest import Manifest
from engine.models.store import Store


class UnsoundFile(msgspec.Struct, frozen=True):
    """``reason``: missing, size (another length) or content."""

    path: str
    reason: str
    size: int


class Verification(msgspec.Struct, frozen=True):
    """The result for one model; ``bytes`` were hashed."""

    name: str
    files: int
    bytes: int
    bad: tuple[UnsoundFile, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.bad


def quick_check(store: Store, manifest: Manifest) -> tuple[UnsoundFile, ...]:
    """Files that are missing or of another length: what can be seen without reading them."""
    folder = store.model_folder(manifest.name)
    found = []
    for file in manifest.files:
        size = _size(folder / file.path)
        if size != file.size:
            found.append(UnsoundFile(file.path, "missing" if size is None else "size", file.size))
    return tuple(found)


def verify(store: Store, name: str, progress: Callable[[int, int], None] = lambda done, total: None) -> Verification:
    """Read and hash every file of ``name``. ``progress`` gets bytes done and in all, and may raise to stop.

    Raises ``ModelMissing`` where the store has no such model.
    """
    manifest = store.model(name)
    folder = store.model_folder(name)
    bad = {file.path: file for file in quick_check(store, manifest)}
    todo = [file for file in manifest.files if file.path not in bad]
    total = sum(file.size for file in todo)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    for file in todo:
        try:
            sha256, _ = hash_file(folder / file.path, advance)
        except OSError:
            sha256 = ""  # a sector that cannot be read is a damaged file
        if sha256 != file.sha256:
            bad[file.path] = UnsoundFile(file.path, "content", file.size)
    return Verification(name, len(manifest.files), done, tuple(bad.values()))


def repair_plan(store: Store, verification: Verification) -> DownloadPlan:
    """A plan that brings the model in order. Damaged contents leave the store, so that they are fetched anew."""
    manifest = store.model(verification.name)
    bad = {file.path for file in verification.bad}
    for file in manifest.files:
        if file.path in bad:
            used, content = store.model_folder(manifest.name) / file.path, store.content_path(file.sha256)
            if content.exists() and not _is_sound(content, file.sha256, used):
                store.forget(file.sha256)
            used.unlink(missing_ok=True)
    return DownloadPlan(
        name=manifest.name,
        model=manifest.model,
        repository=manifest.repository,
        revision=manifest.revision,
        files=tuple(
            PlannedFile(file.source or file.path, file.path, file.size, file.sha256) for file in manifest.files
        ),
        precision=manifest.precision,
    )


def _is_sound(content: Path, sha256: str, damaged: Path) -> bool:
    """Whether the store's own copy is well while ``damaged`` is not."""
    try:
        return not (damaged.exists() and damaged.samefile(content)) and hash_file(content)[0] == sha256
    except OSError:
        return False


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
