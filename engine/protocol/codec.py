"""Frames on a byte stream: two big-endian 32-bit lengths (header, blob), the JSON header, the blob.

The header is a tagged message (``type`` names its class); the blob carries a preview's JPEG or part of a
file.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import msgspec

from engine.protocol.commands import Command
from engine.protocol.errors import ProtocolError
from engine.protocol.events import Event

MAX_HEADER = 8 * 1024 * 1024
MAX_BLOB = 64 * 1024 * 1024
_LENGTHS = struct.Struct(">II")
_encoder = msgspec.json.Encoder()
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(message: Command | Event, blob: bytes = b"") -> bytes:
    header = _encoder.encode(message)
    if len(header) > MAX_HEADER or len(blob) > MAX_BLOB:
        raise ProtocolError(f"A message of {len(header)} + {len(blob)} bytes is too large to send.")
    return b"".join((_LENGTHS.pack(len(header), len(blob)), header, blob))


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes, or fewer where the stream ended."""
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_frame(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next header and blob; None where the stream ended between two frames. Raises ``ProtocolError``."""
    lengths = _read_exactly(stream, _LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise ProtocolError("The stream ended in the middle of a message.")
    header_size, blob_size = _LENGTHS.unpack(lengths)
    if header_size > MAX_HEADER or blob_size > MAX_BLOB:
        raise ProtocolError("What arrived is no message: its length is absurd.")
    header = _read_exactly(stream, header_size)
    blob = _read_exactly(stream, blob_size)
    if len(header) < header_size or len(blob) < blob_size:
        raise ProtocolError("The stream ended in the middle of a message.")
    return header, blob


def decode_command(header: bytes) -> Command:
    try:
        return _commands.decode(header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"A command could not be read: {error}.") from error


def decode_event(header: bytes) -> Event:
    try:
        return _events.decode(header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"An event could not be read: {error}.") from error
