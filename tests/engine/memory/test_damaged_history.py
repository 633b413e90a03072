"""What earlier runs needed may be damaged anywhere: it is learned anew, and stops nothing."""

from __future__ import annotations

from pathlib import Path
from random import Random

from engine.memory.history import History, Run
from engine.memory.machine import imagined
from engine.protocol.errors import LaternaError

RUN = Run("cpu", "sd35", "mini", {"denoising": 1.0}, {"denoising": 2.0}, 5, 6)


def test_damage_anywhere_is_begun_anew(tmp_path: Path) -> None:
    sound = tmp_path / "sound.sqlite3"
    for _ in range(20):
        History(sound).add(RUN)
    content, rng = sound.read_bytes(), Random(1)
    for number in range(60):
        raw = bytearray(content)
        for _ in range(8):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"{number}.sqlite3"
        path.write_bytes(raw)
        history = History(path)
        history.with_kept_rates(imagined(None, 8.0, "cpu", "x"))
        assert all(isinstance(value, float) for value in history.corrections("cpu", "sd35", "mini").values())
        for _ in range(2):
            try:
                History(path).add(RUN)
            except LaternaError as error:
                assert error.remedy
