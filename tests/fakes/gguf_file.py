"""GGUF files for tests: real headers, zeros as data."""

from __future__ import annotations

import struct


def gguf(tensors: list[tuple[str, list[int], int, int]], data: int, architecture: str = "sd3") -> bytes:
    """``tensors``: name, shape in the file's order, ggml type, offset. ``data`` zero bytes follow the header."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    raw = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 1) + text("general.architecture") + struct.pack("<I", 8)
    raw += text(architecture)
    for name, shape, kind, offset in tensors:
        raw += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape)
        raw += struct.pack("<IQ", kind, offset)
    return raw + bytes(-len(raw) % 32) + bytes(data)
