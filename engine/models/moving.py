"""The models folder moves to another disk: copied, checked, and only then switched over.

``laterna-moved.json`` in the old folder names the new one: writing it is the switch. Before it everything is as it was,
and a killed move goes on with the files that have arrived; after it what is left in the old folder is only deleted.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.files import open_regular
from engine.media import atomic
from engine.models import links
from engine.models.disk import allocated_bytes, check_space, sync_folder
from engine.models.download import downloading
from engine.models.hashing import BLOCK, hash_file
from engine.models.location import MOVED_NAME, Moved, locate
from engine.models.store import Store
from engine.protocol.errors import BadArguments, LaternaError, ModelDamaged, from_os_error

_COPYING = ".copying"
_BEGUN = ".laterna-moving"  # in a folder that a move has begun to fill


def move(
    old: Path,
    new: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Move everything in ``old`` to ``new`` (an empty folder, or one that an earlier try began to fill).

    ``progress`` gets bytes done and in all, and may raise to stop: the next call goes on.
    Raises ``BadArguments``, ``NoSpace``, ``NotWritable``, ``ModelDamaged``.
    """
    old, new = old.resolve(), new.expanduser().absolute()
    if new == old or old in new.parents or new in old.parents:
        raise BadArguments("The new folder must lie outside the old one.", "Choose another folder.")
    store = Store(old)
    with downloading(store), store.locked():
        begun = new / _BEGUN
        if new.exists() and any(new.iterdir()) and not begun.exists() and not _is_former_home(new, old):
            raise BadArguments(f"{new} is not empty.", "Choose an empty folder.")
        try:
            new.mkdir(parents=True, exist_ok=True)
            begun.touch()
            (new / MOVED_NAME).unlink(missing_ok=True)
            _copy_all(old, new, links.probe(new), progress)
            atomic.write_bytes(old / MOVED_NAME, msgspec.json.encode(Moved(str(new))))
        except OSError as error:
            raise from_os_error(error, "moving the models", new) from error
    clear_old(old)


def clear_old(old: Path) -> None:
    """Delete what is left in a folder that was moved away; called at every start, does nothing elsewhere."""
    if not (old / MOVED_NAME).exists():
        return
    try:
        new = locate(old)
        if new == old:
            return
        (new / _BEGUN).unlink(missing_ok=True)
        for path in old.iterdir():
            if path.name != MOVED_NAME:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except (OSError, LaternaError):
        return  # the new place is in force; what is left here is only space, and the next start tries again


def _is_former_home(new: Path, old: Path) -> bool:
    """Moving back to where the models were before: nothing but the marker is there."""
    return [path.name for path in new.iterdir()] == [MOVED_NAME]


def _copy_all(old: Path, new: Path, mode: links.LinkMode, progress: Callable[[int, int], None]) -> None:
    """Contents first, then the folders that link to them; files with the same inode are copied once.

    Where the new disk has no links, the models come first, and contents that they hold stay out of the store.
    """
    files = [path for path in _walk(old) if not path.name.startswith(("lock", "download.lock"))]
    contents = old / "store"
    files.sort(key=lambda path: ((contents in path.parents) == (mode == "copy"), path))
    sizes = {path: path.stat().st_size for path in files}
    inodes: dict[tuple[int, int], int] = {}
    for path in files:
        status = path.stat()
        inodes[(status.st_dev, status.st_ino)] = allocated_bytes(path)
    arrived = sum(allocated_bytes(path) for path in _walk(new))
    check_space(new, max(0, sum(inodes.values()) - arrived), "Moving the models")
    total, done = sum(sizes.values()), 0
    copied: dict[tuple[int, int], Path] = {}
    for path in files:
        target = new / path.relative_to(old)
        status = path.stat()
        twin = copied.get((status.st_dev, status.st_ino))
        target.parent.mkdir(parents=True, exist_ok=True)
        start = done

        def advance(count: int, start: int = start) -> None:
            nonlocal done
            done += count
            progress(min(done, total), total)

        if path.is_symlink() and old in path.resolve().parents:
            target.unlink(missing_ok=True)
            target.symlink_to(os.readlink(path))
        elif twin is not None and mode == "hard":
            target.unlink(missing_ok=True)
            os.link(twin, target)
        elif twin is not None and mode == "symbolic":
            target.unlink(missing_ok=True)
            target.symlink_to(os.path.relpath(twin, target.parent))
        elif twin is not None and contents in path.parents:
            pass
        else:
            _copy_checked(path, target, advance)
        copied.setdefault((status.st_dev, status.st_ino), target)
        done = start + sizes[path]
        progress(done, total)
    for folder in {new, *(path.parent for path in _walk(new))}:
        sync_folder(folder)


def _copy_checked(source: Path, target: Path, progress: Callable[[int], None]) -> None:
    """Copy, read back, compare; a file that has arrived whole in an earlier try is only read."""
    is_there = target.exists() and target.stat().st_size == source.stat().st_size
    if is_there and hash_file(target)[0] == hash_file(source, progress)[0]:
        return
    sha256 = hashlib.sha256()
    temporary = target.with_name(target.name + _COPYING)
    with open_regular(source, buffering=0) as reader, temporary.open("wb", buffering=0) as writer:
        while block := reader.read(BLOCK):
            sha256.update(block)
            writer.write(block)
            progress(len(block))
        os.fsync(writer.fileno())
        if hasattr(os, "posix_fadvise"):  # so that reading back reads the disk
            os.posix_fadvise(writer.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if hash_file(temporary, lambda count: progress(0))[0] != sha256.hexdigest():
        temporary.unlink()
        raise ModelDamaged(f"{source.name} did not arrive as it was.", "Check the new disk, and try again.")
    os.replace(temporary, target)


def _walk(root: Path) -> list[Path]:
    return [
        Path(folder) / name for folder, _, names in os.walk(root) for name in names if name not in (MOVED_NAME, _BEGUN)
    ]
