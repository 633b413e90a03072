"""Data parallel: each process takes its parts of every batch, and gradients are summed (accelerate, gloo or nccl).

`torchrun` or `accelerate launch` starts the processes; `launch` does it for one machine. With as many parts as
processes the sum of two gradients is the same in either order, so two processes get bit for bit what one gets.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence

import torch
from torch import nn


class Ranks:
    """This process among all. `size` 1 needs no process group."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.size > 1:
            from accelerate import PartialState

            self._state = PartialState(cpu=not torch.cuda.is_available())

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def parts(self, count: int) -> range:
        """The parts of a batch that this process takes."""
        return range(self.rank, count, self.size)

    def add_up(self, parameters: Sequence[nn.Parameter], more: torch.Tensor) -> torch.Tensor:
        """Sum the gradients over all processes, in one message; `more` (one row of numbers) travels along and its sum
        is returned. All processes must have gradients for the same parameters."""
        if self.size == 1:
            return more
        from accelerate.utils import reduce

        with_gradient = [p for p in parameters if p.grad is not None]
        packed = torch.cat([*(p.grad.float().flatten() for p in with_gradient), more.to(parameters[0].device)])
        packed = reduce(packed, "sum")
        offset = 0
        for p in with_gradient:
            p.grad.copy_(packed[offset : offset + p.numel()].view_as(p))
            offset += p.numel()
        return packed[offset:]

    def close(self) -> None:
        if self.size > 1:
            self._state.destroy_process_group()


def launch(processes: int, arguments: Sequence[str]) -> int:
    """Run `python -m engine.training ARGUMENTS` in `processes` processes; the worst exit code."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = []
    for rank in range(processes):
        environment = {
            **os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
            "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        }  # fmt: skip
        running.append(subprocess.Popen([sys.executable, "-m", "engine.training", *arguments], env=environment))
    try:
        return max(process.wait() for process in running)
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
