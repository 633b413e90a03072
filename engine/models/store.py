"""Every file of every model once, by its SHA-256; a model is a folder of links into it, in diffusers layout.

    ROOT/<model>/…                    what the engine opens; ``laterna-files.json`` says what belongs there
    ROOT/store/sha256/ab/abcdef…      the contents
    ROOT/store/parts/                 downloads under way, each with its journal
    ROOT/store/wanted/<model>.json    plans that are not finished: their contents are kept, the next start goes on
    ROOT/store/removing/<model>.json  removals that are not finished
    ROOT/store/staging/               folders being put together or taken away

Every step is one rename; a process killed between two of them leaves something that ``recover`` finishes or undoes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import filelock
import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.models import links
from engine.models.disk import allocated_bytes, sync_folder
from engine.models.manifest import MANIFEST_NAME, Manifest, check_name, check_sha256, read_manifest
from engine.protocol.errors import LaternaError, LibraryBusy, ModelDamaged, ModelMissing, from_os_error

LOCK_SECONDS = 20.0


class Removal(msgspec.Struct, frozen=True):
    """What removing ``name`` would do: ``frees`` bytes; ``shared`` bytes stay, since other models use them."""

    name: str
    frees: int
    shared: int
    contents: tuple[str, ...] = ()


class Store:
    """The models below ``root``. All methods may be called from any thread, and by several processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "store"
        self.contents = self.folder / "sha256"
        self.parts = self.folder / "parts"
        self.wanted = self.folder / "wanted"
        self._removing = self.folder / "removing"
        self._staging = self.folder / "staging"

    def create(self) -> None:
        """Make the folders; raises ``NotWritable`` or ``NoSpace``."""
        try:
            for folder in (self.contents, self.parts, self.wanted, self._removing, self._staging):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, "making the models folder", self.root) from error

    @cached_property
    def link_mode(self) -> links.LinkMode:
        self.create()
        return links.probe(self._staging)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Short exclusive use between processes; the lock goes with the process, however that ends."""
        self.create()
        try:
            with filelock.FileLock(self.folder / "lock", timeout=LOCK_SECONDS):
                yield
        except filelock.Timeout as error:
            raise LibraryBusy(
                f"Another Laterna is changing the models in {self.root}.", "Wait until it is done, and try again."
            ) from error

    # contents

    def content_path(self, sha256: str) -> Path:
        return self.contents / check_sha256(sha256)[:2] / sha256

    def find(self, sha256: str, size: int) -> Path | None:
        """Where this content is, or None."""
        path = self.content_path(sha256)
        if _has_size(path, size):
            return path
        if self.link_mode != "copy":
            return None
        for manifest in self.models():
            for file in manifest.files:
                candidate = self.root / manifest.name / file.path
                if file.sha256 == sha256 and _has_size(candidate, size):
                    return candidate
        return None

    def adopt(self, part: Path, sha256: str) -> Path:
        """Take a finished, verified file into the store by renaming it.

        Large ones are made durable; small ones are when a model is put together of them.
        """
        target = self.content_path(sha256)
        try:
            with part.open("rb+") as file:
                is_large = os.fstat(file.fileno()).st_size >= links.ALWAYS_COPIED
                if is_large:
                    os.fsync(file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
            if is_large:
                sync_folder(target.parent)
        except OSError as error:
            raise from_os_error(error, "keeping the downloaded file", target) from error
        return target

    def forget(self, sha256: str) -> None:
        """Drop a damaged content; models that use it are repaired by ``install``."""
        self.content_path(sha256).unlink(missing_ok=True)

    # models

    def model_folder(self, name: str) -> Path:
        return self.root / check_name(name)

    def models(self) -> list[Manifest]:
        """The manifests of all installed models; those that cannot be read are passed over."""
        return [manifest for _, manifest in self._manifests() if manifest is not None]

    def model(self, name: str) -> Manifest:
        manifest = read_manifest(self.model_folder(name))
        if manifest is None:
            names = ", ".join(found.name for found in self.models()) or "none"
            raise ModelMissing(f"“{name}” was not downloaded by Laterna.", f"Downloaded models: {names}.")
        return manifest

    def hashes(self) -> dict[str, str]:
        """Which model each file of weights belongs to: by SHA-256; those that several share are left out."""
        owners: dict[str, set[str]] = {}
        for manifest in self.models():
            for file in manifest.files:
                if file.path.endswith(".safetensors"):
                    owners.setdefault(file.sha256, set()).add(manifest.name)
        return {sha256: names.pop() for sha256, names in owners.items() if len(names) == 1}

    def install(self, manifest: Manifest) -> Path:
        """Put the model's folder together from contents that are all here; replaces an older one as a whole."""
        target = self.model_folder(manifest.name)
        with self.locked():
            staged = self._staging / f"new-{manifest.name}"
            _delete(staged)
            try:
                staged.mkdir(parents=True)
                stamped = msgspec.structs.replace(manifest, created=manifest.created or time.time())
                atomic.write_bytes(staged / MANIFEST_NAME, msgspec.json.format(msgspec.json.encode(stamped), indent=1))
                for file in manifest.files:
                    self._place(file.sha256, file.size, staged / file.path, target / file.path)
                self._swap_in(staged, target)
                for other in self.models():
                    self._relink(other, {file.sha256 for file in manifest.files})
            except OSError as error:
                raise from_os_error(error, "putting the model together", target) from error
        return target

    def removal(self, name: str) -> Removal:
        """What ``remove`` would free."""
        manifest = self.model(name)
        own = {file.sha256: file.size for file in manifest.files}
        kept = self._referenced(without=name)
        frees = [sha256 for sha256 in own if sha256 not in kept]
        return Removal(
            name,
            frees=sum(own[sha256] for sha256 in frees),
            shared=sum(size for sha256, size in own.items() if sha256 in kept),
            contents=tuple(sorted(frees)),
        )

    def remove(self, name: str) -> Removal:
        """Take the model away, and every content that nothing else uses."""
        with self.locked():
            removal = self.removal(name)
            self._write(self._removing / f"{name}.json", removal)
            self._finish_removal(removal)
        return removal

    def unused(self) -> dict[str, int]:
        """Contents that no model and no unfinished download uses, with their sizes in bytes."""
        kept = self._referenced()
        return {path.name: path.stat().st_size for path in self.contents.glob("??/*") if path.name not in kept}

    def remove_unused(self) -> int:
        """Delete unused contents and abandoned parts; how many bytes that freed."""
        with self.locked():
            freed = 0
            for sha256, size in self.unused().items():
                self.forget(sha256)
                freed += size
            if not any(self.wanted.glob("*.json")):
                for part in self.parts.iterdir():
                    freed += allocated_bytes(part)
                    part.unlink()
            return freed

    # plans that are not finished

    def want(self, name: str, plan: object, durable: bool = True) -> None:
        """Keep ``plan`` until ``unwant``; what is not ``durable`` outlives a kill, but not a power cut."""
        self.create()
        path = self.wanted / f"{check_name(name)}.json"
        if durable:
            self._write(path, plan)
            return
        temporary = path.with_name(f"{atomic.TEMPORARY_PREFIX}{secrets.token_hex(6)}")
        try:
            temporary.write_bytes(msgspec.json.encode(plan))
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise from_os_error(error, "writing in the models folder", path) from error

    def unwant(self, name: str) -> None:
        (self.wanted / f"{check_name(name)}.json").unlink(missing_ok=True)

    # bringing in order

    def recover(self) -> None:
        """Finish or undo whatever a killed process left. Cheap; called at every start."""
        if not self.folder.is_dir():
            return
        with self.locked():
            try:
                for path in self._removing.glob("*.json"):
                    with suppress(msgspec.DecodeError, UnicodeDecodeError):
                        self._finish_removal(msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=Removal))
                    path.unlink(missing_ok=True)
                for staged in list(self._staging.iterdir()):
                    if staged.name.startswith("new-"):
                        self._finish_install(staged)
                    _delete(staged)
                for folder in (self.wanted, self._removing, self.root):
                    for leftover in folder.glob(f"{atomic.TEMPORARY_PREFIX}*"):
                        _delete(leftover)
            except OSError as error:
                raise from_os_error(error, "bringing the models folder in order", self.root) from error

    # steps

    def _manifests(self) -> list[tuple[Path, Manifest | None]]:
        found: list[tuple[Path, Manifest | None]] = []
        if not self.root.is_dir():
            return found
        for folder in sorted(self.root.iterdir()):
            if folder != self.folder and (folder / MANIFEST_NAME).exists():
                try:
                    found.append((folder, read_manifest(folder)))
                except LaternaError:
                    found.append((folder, None))
        return found

    def _referenced(self, without: str = "") -> set[str]:
        """Every content that a model other than ``without`` or an unfinished download uses."""
        kept: set[str] = set()
        for folder, manifest in self._manifests():
            if folder.name == without:
                continue
            if manifest is None:
                raise ModelDamaged(
                    f"{folder / MANIFEST_NAME} cannot be read, so it is not known what {folder.name} uses.",
                    f"Delete the folder {folder} and try again.",
                )
            kept.update(file.sha256 for file in manifest.files)
        for path in self.wanted.glob("*.json"):
            with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                kept.update(msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=_WantedContents).contents())
        return kept

    def _place(self, sha256: str, size: int, target: Path, final: Path) -> None:
        content = self.find(sha256, size)
        if content is None:
            raise ModelDamaged(f"{target.name} is not in the store.", "Download the model again.")
        if self.link_mode == "copy" and content == self.content_path(sha256):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(content, target)
        else:
            links.place(content, target, self.link_mode, final)

    def _swap_in(self, staged: Path, target: Path) -> None:
        if target.exists():
            old = self._staging / f"old-{secrets.token_hex(4)}"
            os.replace(target, old)
            os.replace(staged, target)
            _delete(old)
        else:
            os.replace(staged, target)
        sync_folder(self.root)

    def _relink(self, manifest: Manifest, changed: set[str]) -> None:
        """Give a model the store's copy of contents that were repaired."""
        if self.link_mode != "hard":
            return
        for file in manifest.files:
            content, target = self.content_path(file.sha256), self.root / manifest.name / file.path
            if file.sha256 not in changed or file.size < links.ALWAYS_COPIED or not content.exists():
                continue
            if not target.exists() or not target.samefile(content):
                fresh = self._staging / f"link-{secrets.token_hex(4)}"
                links.place(content, fresh, self.link_mode, target)
                os.replace(fresh, target)

    def _finish_install(self, staged: Path) -> None:
        """A complete staged folder becomes the model; the contents of an incomplete one go back."""
        try:
            manifest = read_manifest(staged)
        except LaternaError:
            return
        if manifest is None:
            return
        whole = [file for file in manifest.files if _is_whole(staged / file.path, file.size)]
        if len(whole) == len(manifest.files):
            self._swap_in(staged, self.model_folder(manifest.name))
        elif self.link_mode == "copy":
            for file in whole:
                content = self.content_path(file.sha256)
                content.parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged / file.path, content)

    def _finish_removal(self, removal: Removal) -> None:
        folder = self.model_folder(removal.name)
        try:
            if folder.exists():
                gone = self._staging / f"old-{secrets.token_hex(4)}"
                os.replace(folder, gone)
                _delete(gone)
            kept = self._referenced()
            for sha256 in removal.contents:
                if sha256 not in kept:
                    self.forget(sha256)
            (self._removing / f"{removal.name}.json").unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, "removing the model", folder) from error

    def _write(self, path: Path, value: object) -> None:
        try:
            atomic.write_bytes(path, msgspec.json.encode(value))
        except OSError as error:
            raise from_os_error(error, "writing in the models folder", path) from error


class _WantedFile(msgspec.Struct):
    sha256: str = ""


class _WantedContents(msgspec.Struct):
    """What of a plan the store has to know: which contents it uses."""

    files: tuple[_WantedFile, ...] = ()

    def contents(self) -> Iterable[str]:
        return (file.sha256 for file in self.files if file.sha256)


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _is_whole(path: Path, size: int) -> bool:
    return path.is_symlink() or _has_size(path, size)  # a staged symbolic link points from where it will be


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
