"""What an installed model's folder holds, by content; and the rule that keeps remote file names inside that folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.protocol.errors import ModelDamaged, UnsafeModel

MANIFEST_NAME = "laterna-files.json"
Precision = Literal["native", "fp16", "fp8"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # names that Windows keeps
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class StoredFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """``path`` is relative to the model's folder, with forward slashes; ``size`` in bytes; ``source`` the path in the
    repository where that is another.
    """

    path: str
    size: int
    sha256: str
    source: str = ""


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """``name`` is the folder, ``model`` the catalogued id, ``revision`` the commit, ``created`` seconds since 1970."""

    name: str
    model: str
    files: tuple[StoredFile, ...]
    repository: str = ""
    revision: str = ""
    precision: Precision = "native"
    created: float = 0.0
    format: int = 1


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in ``folder``, or None where there is none. Raises ``ModelDamaged`` or ``UnsafeModel``."""
    path = folder / MANIFEST_NAME
    try:
        manifest = msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}.", "Remove the model and download it again.") from error
    for file in manifest.files:
        check_path(file.path)
        check_sha256(file.sha256)
    return manifest


def check_path(path: str) -> PurePosixPath:
    """``path`` from a file list as a path that stays inside its folder on every system; raises ``UnsafeModel``."""
    parts = path.split("/")
    sound = (
        0 < len(path) <= 500
        and not _FORBIDDEN.search(path)
        and all(part not in ("", ".", "..") and part == part.rstrip(". ") for part in parts)
        and not any(_RESERVED.fullmatch(part) for part in parts)
    )
    if not sound:
        raise UnsafeModel(
            f"The file list holds {path[:120]!r}, which could leave the model's folder.",
            "Nothing of it was fetched. Choose another source.",
        )
    return PurePosixPath(path)


def check_name(name: str) -> str:
    """``name`` as the name of a model's folder; raises ``UnsafeModel``."""
    if not _NAME.fullmatch(name) or name == "store" or name.endswith(".") or _RESERVED.fullmatch(name):
        raise UnsafeModel(
            f"{name[:100]!r} cannot be a model's name.", "Use letters, digits, points, underscores and hyphens."
        )
    return name


def check_sha256(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ModelDamaged(f"{sha256[:80]!r} is no SHA-256.", "Get the model again.")
    return sha256
