"""The settings file: typed, only what differs from the defaults is written, a damaged one is set aside. No Qt."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.protocol.commands import CompileWish
from engine.protocol.earlier_recipes import brought_up
from engine.protocol.errors import from_os_error
from engine.protocol.family_info import Kind
from ui.draft import Draft, Preset

VERSION = 1


class Settings(msgspec.Struct, omit_defaults=True):
    """Everything a person set. ``output_folder`` and ``language`` empty mean the usual ones of this machine.

    ``wait_after_start``: jobs that are left in the queue wait until the person goes on with it.
    ``preview_interval`` is the least time between two previews in seconds. ``toured``: the first words were read.
    ``file_name`` is a template (``engine.library.file_names``); empty lets Laterna name files by time and prompt.
    ``geometry`` and ``splitter`` are the window's own states in base64. ``a1111_parameters`` puts that text into PNGs.
    ``keep_encodings``: encoded prompts are kept on the disk. ``keep_free``: GiB that are left to other programs beyond
    the engine's usual reserve.
    """

    version: int = VERSION
    theme: Literal["system", "dark", "light"] = "system"
    kind: Kind = "image"
    drafts: dict[Kind, Draft] = {}
    presets: tuple[Preset, ...] = ()
    geometry: str = ""
    splitter: str = ""
    previews: bool = True
    preview_interval: float = 0.1
    suggestions: bool = True
    notify: bool = True
    toured: bool = False
    a1111_parameters: bool = False
    keep_free: float = 0.0
    compile_models: CompileWish = "never"
    keep_encodings: bool = True
    advanced_open: bool = False
    queue_open: bool = False
    recipe_open: bool = False
    wait_after_start: bool = False
    output_folder: str = ""
    file_name: str = ""
    language: str = ""


class SettingsFile:
    """Reads and writes ``path``. ``notice`` says in a sentence what went wrong while reading, or is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = b""
        self._saving = threading.Lock()
        self.notice = ""

    def load(self) -> Settings:
        """The settings, or the defaults where there are none or they cannot be read."""
        self.notice = ""
        try:
            raw = read_regular(self._path, TEXT_LIMIT)
        except FileNotFoundError:
            return Settings()
        except OSError as error:
            self.notice = f"{from_os_error(error, 'reading the settings', self._path)} The defaults are used."
            return Settings()
        try:
            settings = msgspec.convert(brought_up(msgspec.json.decode(raw)), Settings)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self.notice = self._set_aside(error)
            return Settings()
        self._written = raw
        return settings

    def save(self, settings: Settings) -> None:
        """Write atomically, if anything changed; from any thread. Raises ``NoSpace`` or ``NotWritable``."""
        with self._saving:
            self._save(settings)

    def _save(self, settings: Settings) -> None:
        settings.version = VERSION
        raw = msgspec.json.format(msgspec.json.encode(settings), indent=1)
        if raw == self._written:
            return
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise from_os_error(error, "saving the settings", self._path) from error
        self._written = raw

    def _set_aside(self, error: Exception) -> str:
        aside = self._path.with_name(f"{self._path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}.json")
        try:
            self._path.replace(aside)
        except OSError:
            return f"The settings file could not be read ({error}). The defaults are used."
        return f"The settings file could not be read ({error}). It is kept as {aside.name}; the defaults are used."
