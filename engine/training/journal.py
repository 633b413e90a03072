"""A training's log: `log.jsonl`, one line a step. It never tells more steps than the checkpoint it goes on from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TextIO

from engine.media import atomic

Line = dict[str, Any]


def read_log(path: Path) -> list[Line]:
    """All whole lines; a line that a kill cut off is left out."""
    if not path.is_file():
        return []
    found = []
    for text in path.read_text().splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


class TrainingJournal:
    """Written line by line from step `step` on; later lines of an earlier run are taken out first."""

    def __init__(self, path: Path, step: int) -> None:
        lines = read_log(path)
        kept = [line for line in lines if line["step"] <= step]
        if len(kept) < len(lines) or (lines and not path.read_bytes().endswith(b"\n")):
            atomic.write_bytes(path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._file: TextIO = path.open("a")

    def write(self, line: Line) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def smoothed(lines: list[Line], key: str, points: int = 200) -> list[tuple[int, float]]:
    """`(step, mean)` of at most `points` stretches of the log; lines without `key` are passed over."""
    found = [(line["step"], line[key]) for line in lines if isinstance(line.get(key), int | float)]
    width = max(1, -(-len(found) // points))
    stretches = [found[i : i + width] for i in range(0, len(found), width)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in stretches]
