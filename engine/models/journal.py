"""Which bytes of a part are there: a small file of fixed lines, overwritten in place, that a kill cannot tear.

The first block names what the part will be; then a line for each segment: how far it is written, and how far it is
known to be on the disk itself. What a killed process wrote, the system keeps. Where the computer itself went down, the
bytes between the two are in doubt: they are used, but if the checksum is wrong in the end, they go first.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from engine.files import TEXT_LIMIT, read_regular

HEADER_BYTES = 4096
LINE_BYTES = 64
MAX_SEGMENTS = 100_000


class PartIdentity(msgspec.Struct, frozen=True):
    """What a part is a part of. Another ``etag`` or ``size`` is another file: the two are never mixed."""

    key: str
    size: int
    etag: str
    segment_bytes: int
    boot: str = ""


@dataclass
class Segment:
    """Bytes ``start`` to ``end`` of the file, of which the first ``done`` are written and ``synced`` durable.

    ``doubtful``: the computer went down since bytes beyond ``synced`` were written.
    """

    index: int
    start: int
    end: int
    done: int = 0
    synced: int = 0
    doubtful: bool = False

    @property
    def position(self) -> int:
        return self.start + self.done

    @property
    def is_whole(self) -> bool:
        return self.position >= self.end


class Journal:
    """The journal of one part, open for writing. Use ``create`` or ``open``."""

    def __init__(self, path: Path, identity: PartIdentity, segments: list[Segment]) -> None:
        self.path = path
        self.identity = identity
        self.segments = segments
        self._lock = threading.Lock()
        self._file = path.open("r+b", buffering=0)

    @classmethod
    def create(cls, path: Path, identity: PartIdentity) -> Journal:
        """A journal in which nothing is done. Raises ``OSError``."""
        identity = msgspec.structs.replace(identity, boot=boot_id())
        segments = _segments(identity)
        with path.open("wb") as file:
            file.write(_header(identity))
            file.write(b"".join(_line(segment) for segment in segments))
        return cls(path, identity, segments)

    @classmethod
    def open(cls, path: Path, key: str, size: int) -> Journal | None:
        """The journal of an earlier run for this content; None where there is none that can be trusted."""
        try:
            raw = read_regular(path, TEXT_LIMIT)
            identity = msgspec.json.decode(raw[:HEADER_BYTES], type=PartIdentity)
            if identity.key != key or identity.size != size or identity.segment_bytes < 1:
                return None
            if size // identity.segment_bytes > MAX_SEGMENTS:
                return None
            segments = _segments(identity)
            if len(raw) != HEADER_BYTES + LINE_BYTES * len(segments):
                return None
            rebooted = identity.boot != boot_id()
            for segment in segments:
                start = HEADER_BYTES + LINE_BYTES * segment.index
                segment.done, segment.synced = (int(number) for number in raw[start : start + LINE_BYTES].split())
                if not 0 <= segment.synced <= segment.done <= segment.end - segment.start:
                    return None
                segment.doubtful = rebooted and segment.done > segment.synced
            return cls(path, identity, segments)
        except (OSError, ValueError, msgspec.DecodeError):
            return None

    def record(self, segment: Segment) -> None:
        self._write(HEADER_BYTES + LINE_BYTES * segment.index, _line(segment))

    def set_etag(self, etag: str) -> None:
        self.identity = msgspec.structs.replace(self.identity, etag=etag)
        self._write(0, _header(self.identity))

    def drop_doubtful(self) -> bool:
        """Go back to what is durable for sure; False where nothing was in doubt."""
        found = [segment for segment in self.segments if segment.doubtful]
        for segment in found:
            segment.done, segment.doubtful = segment.synced, False
            self.record(segment)
        return bool(found)

    def sync(self) -> None:
        """Make what is recorded durable. Raises ``OSError``."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _write(self, position: int, data: bytes) -> None:
        with self._lock:
            self._file.seek(position)
            self._file.write(data)


def boot_id() -> str:
    """The same text for as long as the computer runs."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return str(round(psutil.boot_time() / 60))


def _segments(identity: PartIdentity) -> list[Segment]:
    size, step = identity.size, identity.segment_bytes
    return [Segment(i, start, min(start + step, size)) for i, start in enumerate(range(0, size, step))]


def _header(identity: PartIdentity) -> bytes:
    return json.dumps(msgspec.to_builtins(identity)).encode("ascii").ljust(HEADER_BYTES - 1) + b"\n"


def _line(segment: Segment) -> bytes:
    return (b"%020d %020d" % (segment.done, segment.synced)).ljust(LINE_BYTES - 1) + b"\n"
