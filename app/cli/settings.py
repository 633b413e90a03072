"""The window's settings, as far as commands heed them."""

from __future__ import annotations

import sys

from app.paths import Paths
from app.settings import Settings, SettingsFile


def read_settings(paths: Paths) -> Settings:
    """What could not be read of them is said on stderr."""
    file = SettingsFile(paths.settings_file)
    settings = file.load()
    if file.notice is not None:
        print(f"laterna: {file.notice.sentence()}", file=sys.stderr)
    return settings
