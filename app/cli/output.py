"""Results on stdout, progress on stderr, in whatever encoding those have."""

from __future__ import annotations

import codecs
import shutil
import sys
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import msgspec

_HANDLER = "laterna"


def take_any_text() -> None:
    """Have stdout and stderr take what their encoding cannot write: bytes of file names as those bytes, other signs as
    their number (``\\u732b``). A redirected console of Windows is one."""
    codecs.register_error(_HANDLER, _written_otherwise)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _written_otherwise(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeEncodeError:
        return codecs.lookup_error("backslashreplace")(error)


def print_json(value: Any) -> None:
    """In JSON's own escapes where stdout's encoding cannot write it."""
    print(in_encoding(msgspec.json.format(msgspec.json.encode(value, enc_hook=_encode), indent=2).decode()), flush=True)


def in_encoding(text: str) -> str:
    """JSON as stdout's encoding can write it."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return _ascii(text)
    return text


def _ascii(text: str) -> str:
    units = text.encode("utf-16-be")
    numbers = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join(chr(number) if number < 128 else f"\\u{number:04x}" for number in numbers)


def _encode(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # JSON has no other bytes
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


class ProgressLine:
    """One line that is redrawn on a terminal; elsewhere a line for each new phase."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._phase = ""
        self._drawn = 0.0

    def show(self, phase: str, fraction: float = -1.0, seconds_left: float = -1.0, detail: str = "") -> None:
        """``fraction`` in 0 … 1, or negative where it is not known; ``detail`` is for terminals only."""
        if not self._terminal:
            if phase != self._phase:
                print(phase, file=self._stream, flush=True)
            self._phase = phase
            return
        now = time.monotonic()
        if phase == self._phase and now - self._drawn < 0.05 and fraction < 1:
            return
        self._phase, self._drawn = phase, now
        left = f"  {seconds_left:.0f} s left" if seconds_left >= 0 else ""
        bar = ""
        if fraction >= 0:
            done = round(24 * min(fraction, 1.0))
            bar = "  [" + "█" * done + "·" * (24 - done) + "]"
        line = f"{phase} {detail}{bar}{left}"[: shutil.get_terminal_size().columns - 1]
        print(f"\r\x1b[K{line}", end="", file=self._stream, flush=True)

    def end(self) -> None:
        if self._terminal and self._phase:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
        self._phase = ""
