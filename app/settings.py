"""The settings file: typed, only what differs from the defaults is written. What is damaged in it is left out and said,
and the file as it was is kept. No Qt."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from engine import lenient
from engine.files import TEXT_LIMIT, read_regular
from engine.library.naming import numbered
from engine.media import atomic
from engine.protocol.commands import CompileWish
from engine.protocol.earlier_recipes import brought_up
from engine.protocol.errors import BadFile, ErrorInfo, from_os_error
from engine.protocol.family_info import Kind
from ui.draft import Draft, Preset

VERSION = 1
_NAMED = 5


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
    """Reads and writes ``path``. ``notice`` says what went wrong while reading."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = b""
        self._saving = threading.Lock()
        self.notice: ErrorInfo | None = None

    def load(self) -> Settings:
        """The settings; the defaults where there are none, and for each that cannot be read."""
        self.notice = None
        try:
            raw = read_regular(self._path, TEXT_LIMIT)
        except FileNotFoundError:
            return Settings()
        except OSError as error:
            self.notice = from_os_error(error, "reading the settings", self._path).info()
            return Settings()
        try:
            value = brought_up(lenient.decode(raw))
            if not isinstance(value, dict):
                raise ValueError("it holds no settings")
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
            self.notice = self._set_aside(error)
            return Settings()
        settings, left_out = lenient.convert(value, Settings, Settings())
        if left_out:
            self.notice = self._kept_aside(left_out)
        else:
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

    def _set_aside(self, error: Exception) -> ErrorInfo:
        """The whole file cannot be read: it is moved out of the way, so that the next save replaces nothing."""
        why = str(error)[:200]
        try:
            aside = atomic.move_new(self._path, numbered(self._aside()))
        except OSError:
            return BadFile(f"The settings file could not be read: {why}.", "The defaults are used.").info()
        return BadFile(
            f"The settings file could not be read: {why}.", f"It is kept as {aside.name}; the defaults are used."
        ).info()

    def _kept_aside(self, left_out: list[str]) -> ErrorInfo:
        """Some of it cannot be read: the rest counts, and a copy of the file is kept, once."""
        named = ", ".join(left_out[:_NAMED]) + (f" … ({len(left_out)})" if len(left_out) > _NAMED else "")
        error = BadFile(f"Settings that could not be read are as at the beginning: {named}.")
        with suppress(OSError):
            raw = read_regular(self._path, TEXT_LIMIT)
            if not any(read_regular(path, TEXT_LIMIT) == raw for path in self._path.parent.glob(self._aside("*").name)):
                aside = next(path for path in numbered(self._aside()) if not path.exists())
                atomic.write_bytes(aside, raw)
                return BadFile(error.message, f"The file as it was is kept as {aside.name}.").info()
        return error.info()

    def _aside(self, when: str = "") -> Path:
        return self._path.with_name(f"{self._path.stem}.damaged-{when or time.strftime('%Y%m%d-%H%M%S')}.json")
