"""One content in several folders: by hard link, else by symbolic link, else as a copy.

Hard links need no rights and no Developer Mode, work on ext4, XFS, Btrfs, APFS and NTFS, and every program sees plain
files. exFAT and some network disks have none; where they have symbolic links those are used, otherwise files are
copied, which is said, and counted in what a download needs.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Literal

LinkMode = Literal["hard", "symbolic", "copy"]
ALWAYS_COPIED = 1024 * 1024  # below this a file is copied: people edit configurations, and must not edit the shared one


def probe(folder: Path) -> LinkMode:
    """What the disk of ``folder`` (which exists) can do."""
    stem = folder / f".probe-{secrets.token_hex(6)}"
    target, link = stem.with_suffix(".a"), stem.with_suffix(".b")
    try:
        target.touch()
        with suppress(OSError, NotImplementedError):
            os.link(target, link)
            return "hard"
        with suppress(OSError, NotImplementedError):
            link.symlink_to(target.name)
            return "symbolic"
        return "copy"
    finally:
        for path in (link, target):
            path.unlink(missing_ok=True)


def place(content: Path, target: Path, mode: LinkMode, final: Path) -> None:
    """Make ``target`` (which is not there) show ``content`` once renamed to ``final``; raises ``OSError``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode == "copy" or content.stat().st_size < ALWAYS_COPIED:
        shutil.copyfile(content, target)
        with target.open("rb+") as file:
            os.fsync(file.fileno())
    elif mode == "hard":
        os.link(content, target)
    else:
        target.symlink_to(os.path.relpath(content, final.parent))
