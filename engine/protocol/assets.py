"""Files that a job needs beyond its model, named by their content: pictures to start from, LoRAs."""

from __future__ import annotations

import re

import msgspec

from engine.protocol.errors import ProtocolError

CHUNK = 4 * 1024 * 1024
"""Bytes of a file that cross in one message at most."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Asset(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file by its SHA-256 and its name. ``path`` is where it lies on the window's machine: an engine that can read
    it, and finds that content there, takes no copy; any other asks for the bytes (``AssetWanted``).

    Without a hash, for a file that the window could not read, ``path`` is all there is.
    """

    name: str
    sha256: str = ""
    path: str = ""


def checked_sha256(text: str) -> str:
    """``text`` if it is a SHA-256 in hexadecimal digits: it becomes the name of a folder. Raises ``ProtocolError``."""
    if not _SHA256.fullmatch(text):
        raise ProtocolError(f"“{text[:80]}” is no SHA-256.")
    return text
