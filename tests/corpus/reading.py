"""What a file of the corpus says, written down by hand from the rules of the program that wrote it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MEASURES = ("seed", "steps", "guidance", "sampler", "scheduler", "shift", "width", "height", "frames", "fps")


@dataclass
class Reading:
    """``refused`` is a part of the sentence for a file that gives no recipe; then nothing else counts. ``lost`` has,
    for every sentence of the report about something that did not come over as it is, a part of it; ``missing`` the
    files that this machine would need. ``loras`` are name, strength, and where it differs that of the text encoders;
    ``start`` is the picture to start from and its strength. ``seed`` is None where it is left to chance."""

    program: str
    prompt: str = ""
    negative: str = ""
    model: str = ""
    seed: int | None = 0
    steps: int = 28
    guidance: float = 4.5
    sampler: str = "euler"
    scheduler: str = "normal"
    shift: float = 3.0
    width: int = 1024
    height: int = 1024
    frames: int = 1
    fps: int = 8
    family: str = "sd35"
    batch: int = 1
    loras: list[list[Any]] = field(default_factory=list)
    start: list[Any] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: str = ""

    def to_json(self) -> str:
        """Only what differs from a plain reading, in one line."""
        plain = asdict(Reading(self.program))
        said = {name: value for name, value in asdict(self).items() if name == "program" or value != plain[name]}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"

    @classmethod
    def beside(cls, file: Path) -> Reading:
        return cls(**json.loads(reading_of(file).read_text("utf-8")))


def reading_of(file: Path) -> Path:
    return file.with_name(file.name + ".reading.json")


Case = tuple[str, bytes, Reading]  # file name, content, what it says


def write(folder: Path, cases: list[Case]) -> None:
    """Put the cases into ``folder`` in place of what was there."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content, reading in cases:
        path = folder / name
        if path.exists():
            raise ValueError(f"two cases are called {name}")
        path.write_bytes(content)
        reading_of(path).write_text(reading.to_json(), "utf-8")
