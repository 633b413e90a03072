"""What the window keeps between two starts, as it sees it; ``app.settings.Settings`` is one."""

from __future__ import annotations

from typing import Literal, Protocol

from engine.protocol.family_info import Kind
from ui.draft import Draft, Preset


class Preferences(Protocol):
    """``geometry`` and ``splitter`` are Qt's own states in base64; empty means the first start."""

    theme: Literal["system", "dark", "light"]
    kind: Kind
    drafts: dict[Kind, Draft]
    presets: tuple[Preset, ...]
    geometry: str
    splitter: str
    previews: bool
    preview_interval: float
    suggestions: bool
    notify: bool
    toured: bool
    a1111_parameters: bool
    keep_free: float
    keep_encodings: bool
    advanced_open: bool
    queue_open: bool
    recipe_open: bool
    wait_after_start: bool
    output_folder: str
    file_name: str
    language: str
