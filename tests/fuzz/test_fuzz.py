"""Damaged files of every kind through every command that reads them: no traceback, no hang, no flood of memory.

Each case damages a PNG, JPEG, WebP, AVIF, HEIC, TIFF, MP4, WebM, safetensors or GGUF file, a graph, a recipe, or a file
of Laterna's own (settings, database, marks, notes, checkpoint …) and runs the commands that read it. 300 cases; with
``LATERNA_LONG_TESTS=1`` (``start.py test --long``) 2,000. ``LATERNA_FUZZ_SEED`` repeats a run, ``LATERNA_FUZZ_CASES``
says how many.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from random import Random
from typing import IO

import pytest

from tests.fuzz import mutations

ROOT = Path(__file__).resolve().parents[2]
CASES = int(os.environ.get("LATERNA_FUZZ_CASES", "2000" if os.environ.get("LATERNA_LONG_TESTS") else "300"))
SEED = int(os.environ.get("LATERNA_FUZZ_SEED", "1"))
ROBOTS = 2
SILENT_SECONDS = 120.0  # a robot judges by processor time; this is for what never comes back, on a machine under load


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_no_damaged_file_gets_through(tmp_path: Path) -> None:
    found: list[dict[str, object]] = []
    threads = [
        threading.Thread(target=lambda first=first: found.extend(watched(tmp_path / str(first), first)))
        for first in range(ROBOTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("case" in one for one in found) == CASES
    bad = [one for one in found if "wrong" in one]
    assert not bad, "\n\n".join(f"{one['failed']} {one['name']} {one['command']}\n{one['wrong']}" for one in bad)
    assert sum("done" in one for one in found) == ROBOTS


def watched(folder: Path, first: int) -> list[dict[str, object]]:
    """What a robot tells, to its end or to where it is silent for too long."""
    command = [sys.executable, "-m", "tests.fuzz.robot", folder, SEED, first, CASES, ROBOTS]
    errors = folder.with_suffix(".err")
    with (
        errors.open("wb") as err,
        subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=err) as robot,
    ):
        assert robot.stdout is not None
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_read, args=(robot.stdout, lines), daemon=True).start()
        told: list[dict[str, object]] = []
        last: dict[str, object] = {"case": -1, "name": "the sound files"}
        try:
            while line := lines.get(timeout=SILENT_SECONDS):
                told.append(json.loads(line))
                last = told[-1] if "case" in told[-1] else last
            is_done = bool(told) and "done" in told[-1]
            wrong = "" if is_done else f"the process ended: {errors.read_text('utf-8', 'replace')[-2000:]}"
        except queue.Empty:
            robot.kill()
            wrong = f"nothing more in {SILENT_SECONDS:.0f} s"
    if wrong:
        told.append({"failed": last["case"], "name": last["name"], "command": "", "wrong": wrong})
    return told


def _read(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")


@pytest.mark.parametrize("damage", ["damaged", "damaged_png", "damaged_safetensors", "damaged_json", "damaged_text"])
def test_a_seed_repeats_the_damage(damage: str) -> None:
    content = {
        "damaged_json": b'{"a": [1, {"b": "c"}], "d": null}',
        "damaged_text": b'{"a": 1}\n{"b": 2}\n',
        "damaged_safetensors": b"\x1a\0\0\0\0\0\0\0" + b'{"__metadata__":{"a":"b"}}',
        "damaged_png": b"\x89PNG\r\n\x1a\n\0\0\0\x01IDATx\0\0\0\0\0\0\0\0IEND\0\0\0\0",
    }.get(damage, bytes(range(200)))
    made = [[getattr(mutations, damage)(content, Random(seed), b"other") for seed in range(50)] for _ in range(2)]
    assert made[0] == made[1] and len(set(made[0])) > 25
