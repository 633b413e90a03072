"""A small training in a process of its own, with dropout, for tests that kill it or run it twice at once.

`python killed.py FOLDER STEPS PARTS [SECONDS]`: SECONDS are slept at each step, so that a kill finds it busy.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from torch import nn

from engine.training.parallel import Ranks
from engine.training.trainer import ParameterGroup, Schedule, Trainer, split_groups


class DropoutTask:
    """Fits a small network with dropout to a fixed linear map."""

    def __init__(self, pause: float) -> None:
        torch.manual_seed(0)
        self._pause = pause
        self.modules = nn.ModuleDict(
            {"block": nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.2), nn.Linear(16, 8)), "end": nn.Linear(8, 4)}
        )
        self.target = torch.randn(4, 8)

    def groups(self) -> list[ParameterGroup]:
        return split_groups(self.modules)

    def loss(self, step, schedule):
        time.sleep(self._pause)
        x = torch.randn(schedule.batch, 8, generator=schedule.generator(step))
        error = (self.modules["end"](self.modules["block"](x)) - x @ self.target.T).square().mean()
        return error, {"error": error.item()}


def main() -> None:
    folder, steps, parts, *pause = sys.argv[1:]
    torch.set_num_threads(1)
    schedule = Schedule(steps=int(steps), batch=32, warmup=3, parts=int(parts), checkpoint_seconds=0.0)
    ranks = Ranks()
    trainer = Trainer(DropoutTask(*map(float, pause or ["0"])), schedule, Path(folder), ranks)
    trainer.resume()
    trainer.run()
    ranks.close()


if __name__ == "__main__":
    main()
