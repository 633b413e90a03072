"""Whether encoded prompts are kept on the disk, as the person set it."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.paths import Paths
from app.settings import Settings


def encodings_folder(paths: Paths, settings: Settings) -> Path | None:
    """Where they are kept; None where they are not, and then those from before are deleted."""
    if settings.keep_encodings:
        return paths.encodings
    if paths.encodings.exists():
        shutil.rmtree(paths.encodings, ignore_errors=True)
    return None
