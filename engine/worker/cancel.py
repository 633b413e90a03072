"""Stopping a job within a fraction of a step.

A job is stopped by an exception, raised in the thread that runs it: before each block of each network (forward
pre-hooks, ``watch``), between any two bytecodes while files are loaded (``interruptible``), and wherever ``check`` is
called. Nothing is left half done: latents and samplers belong to the job and go with it.
"""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from engine.families.registry import NETWORK_CLASSES
from engine.protocol.errors import Cancelled

BLOCK_LISTS = frozenset(
    {"transformer_blocks", "layers", "block", "resnets", "attentions", "upsamplers", "downsamplers"}
)
"""Names of the ``ModuleList``s whose members are blocks, in diffusers' and transformers' models."""

BLOCKS_IN_FLIGHT = 2
"""How many blocks the host may run ahead of a CUDA device, so that a cancel does not wait for a queue of kernels."""


class Cancellation:
    """The stop flag of the running job; ``request`` may come from any thread."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._interruptible = False
        self._installed = False
        self.checks = 0

    @property
    def requested(self) -> bool:
        return self._requested.is_set()

    def reset(self) -> None:
        self._requested.clear()

    def request(self) -> None:
        self._requested.set()
        if self._interruptible and self._installed:
            _thread.interrupt_main(signal.SIGINT)

    def check(self) -> None:
        """Raise ``Cancelled`` if it was requested."""
        self.checks += 1
        if self._requested.is_set():
            raise Cancelled("The job was cancelled.")

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within: a request also interrupts Python code that knows nothing of this class (it needs ``install``)."""
        self._interruptible = True
        try:
            self.check()
            yield
            self.check()
        finally:
            self._interruptible = False

    def install(self) -> None:
        """Take over SIGINT, on the main thread. A terminal's Ctrl-C reaches the engine too and is not meant for it."""

        def on_signal(number: int, frame: Any) -> None:
            if self._interruptible:
                self.check()

        signal.signal(signal.SIGINT, on_signal)
        self._installed = True


def blocks(network: torch.nn.Module) -> list[torch.nn.Module]:
    """The blocks of a network, outermost only, and the network itself."""
    found = [network]
    known = NETWORK_CLASSES.get(type(network).__name__)
    lists = BLOCK_LISTS | {known.blocks.rpartition(".")[2]} if known is not None else BLOCK_LISTS

    def descend(module: torch.nn.Module) -> None:
        for name, child in module.named_children():
            if name in lists and isinstance(child, torch.nn.ModuleList):
                found.extend(block for block in child if block is not None)  # a VAE without mid attention has gaps
            else:
                descend(child)

    descend(network)
    return found


def watch(network: torch.nn.Module, cancellation: Cancellation) -> None:
    """Check before every block of ``network``, for as long as it lives."""
    pace = _Pace()

    def before(module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        cancellation.check()
        pace()

    for block in blocks(network):
        block.register_forward_pre_hook(before)


class _Pace:
    """Keeps the host at most ``BLOCKS_IN_FLIGHT`` blocks ahead of the CUDA device; does nothing without one."""

    def __init__(self) -> None:
        self._events: list[torch.cuda.Event] = []
        self._cuda = torch.cuda.is_available()

    def __call__(self) -> None:
        if not self._cuda:
            return
        event = torch.cuda.Event()
        event.record()
        self._events.append(event)
        if len(self._events) > BLOCKS_IN_FLIGHT:
            self._events.pop(0).synchronize()
