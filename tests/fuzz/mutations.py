"""Files damaged in the ways that disks, transfers, editors and malice damage them; by a generator of numbers, so that a
seed repeats them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

Way = Callable[[bytearray, Random], None]
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**63, 2**70, -(2**63), 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", " ", "0", "-1", "1e999", "nan", "\0", "a\0b", "\ud800", "\udcff", "../../etc/passwd", "/dev/zero", "猫🐱"),
    *(
        "x" * 100_000,
        "{" * 5000,
        "((((" * 2000,
        "[a:b:" * 500,
        "<lora:a:" * 200,
        "__a__{b|c}",
        "C:\\con\\nul",
        "\u202e",
    ),
    *([], {}, [[]], [None], [0] * 5000, {"": ""}, {"a": {"a": {"a": 1}}}, [[0, 0], [1, 1]], ["a", 0]),
)


def damaged(raw: bytes, rng: Random, other: bytes = b"") -> bytes:
    """``raw`` with one to four kinds of damage; ``other`` is spliced in by one of them."""
    if not raw:
        return rng.randbytes(rng.randrange(64))
    ways: list[Callable[[bytearray, Random], None]] = [
        _flip,
        _flip,
        _number,
        _number,
        _cut,
        _zeros,
        _double,
        _remove,
        _noise,
    ]
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if other and rng.random() < 0.05:
            at = rng.randrange(len(changed) + 1)
            changed[at:] = other[rng.randrange(len(other)) :]
        elif changed:
            rng.choice(ways)(changed, rng)
    return bytes(changed)


def _flip(raw: bytearray, rng: Random) -> None:
    head = min(len(raw), 4096) if rng.random() < 0.5 else len(raw)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        raw[rng.randrange(head)] ^= 1 << rng.randrange(8)


def _number(raw: bytearray, rng: Random) -> None:
    """An integer of any width becomes an extreme one, in either byte order; more often near the beginning."""
    form = rng.choice(("B", "<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(form)
    if len(raw) < size:
        return
    head = min(len(raw), rng.choice((64, 512, 4096, len(raw)))) - size + 1
    at = rng.randrange(max(1, head))
    raw[at : at + size] = struct.pack(form, rng.choice(NUMBERS) & (256**size - 1))


def _cut(raw: bytearray, rng: Random) -> None:
    del raw[rng.randrange(len(raw)) :]


def _zeros(raw: bytearray, rng: Random) -> None:
    at, length = rng.randrange(len(raw)), rng.choice((1, 16, 512, 4096))
    raw[at : at + length] = bytes(min(length, len(raw) - at))


def _double(raw: bytearray, rng: Random) -> None:
    at, length = rng.randrange(len(raw)), rng.choice((1, 16, 256, 4096))
    raw[at:at] = raw[at : at + length] * rng.choice((1, 1, 2, 20))


def _remove(raw: bytearray, rng: Random) -> None:
    at = rng.randrange(len(raw))
    del raw[at : at + rng.choice((1, 4, 64, 4096))]


def _noise(raw: bytearray, rng: Random) -> None:
    at, length = rng.randrange(len(raw)), rng.choice((1, 4, 64, 512))
    raw[at : at + length] = rng.randbytes(min(length, len(raw) - at))


def damaged_png(raw: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Damage within one chunk whose length and checksum are right again, so that it gets as far as the decoder."""
    if rng.random() < 0.4:
        return damaged(raw, rng, other)
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at + 12 <= len(raw):
        length = int.from_bytes(raw[at : at + 4], "big")
        chunks.append((raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]))
        at += 12 + length
    which = rng.randrange(len(chunks))
    kind, body = chunks[which]
    how = rng.random()
    if how < 0.1:
        chunks.insert(rng.randrange(len(chunks) + 1), chunks.pop(which))
    elif how < 0.2:
        chunks.insert(which, chunks[which])
    elif kind in (b"zTXt", b"iTXt", b"tEXt") and b"{" in body and how < 0.7:
        name = body[: body.index(b"\0")]
        chunks[which] = kind, name + body[len(name) : body.index(b"{")] + damaged_json(body[body.index(b"{") :], rng)
    else:
        chunks[which] = kind, damaged(body, rng)
    made = raw[:8]
    for kind, body in chunks:
        made += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return made


def damaged_safetensors(raw: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Half of the time the header's values, with its length right."""
    if rng.random() < 0.5:
        return damaged(raw, rng, other)
    (length,) = struct.unpack("<Q", raw[:8])
    header = damaged_json(raw[8 : 8 + length], rng)
    return struct.pack("<Q", len(header)) + header + raw[8 + length :]


def damaged_json(raw: bytes, rng: Random, other: bytes = b"") -> bytes:
    """JSON with values, keys and nesting that nobody expects, in any encoding; or no JSON any more."""
    if rng.random() < 0.15:
        return damaged(raw, rng, other)
    try:
        value = json.loads(raw)
    except ValueError:
        return damaged(raw, rng, other)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        value = _changed(value, rng)
    depth = rng.choice((0,) * 30 + (900, 20_000))
    text = "[" * depth + json.dumps(value, ensure_ascii=rng.random() < 0.5) + "]" * depth
    encoding = rng.choice(("utf-8",) * 8 + ("utf-8-sig", "utf-16", "utf-16-be", "cp1252"))
    return text.encode(encoding, "replace" if encoding == "cp1252" else "surrogatepass")


def _changed(value: Any, rng: Random) -> Any:
    """One place in ``value``, at any depth, is another."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        made, key = dict(value), rng.choice(list(value))
        how = rng.random()
        if how < 0.75:
            made[key] = _changed(made[key], rng)
        elif how < 0.85:
            del made[key]
        elif how < 0.95:
            made[rng.choice(list(value))] = made[key]
        else:
            made[str(rng.choice(ODD_VALUES))[:1000]] = made.pop(key)
        return made
    if isinstance(value, list) and value and rng.random() < 0.9:
        items, at = list(value), rng.randrange(len(value))
        how = rng.random()
        if how < 0.75:
            items[at] = _changed(items[at], rng)
        elif how < 0.85:
            del items[at]
        elif how < 0.95:
            items.insert(at, items[rng.randrange(len(items))])
        else:
            items = items * rng.choice((2, 300 // len(items) + 1))
        return items
    return rng.choice(ODD_VALUES)


def damaged_text(raw: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Lines of JSON: one of them damaged, doubled, cut or gone; or bytes."""
    lines = raw.splitlines(keepends=True)
    if rng.random() < 0.4 or not lines:
        return damaged(raw, rng, other)
    at = rng.randrange(len(lines))
    lines[at] = damaged_json(lines[at].strip(), rng) + b"\n" * rng.randrange(2)
    return b"".join(lines)
