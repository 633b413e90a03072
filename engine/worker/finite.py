"""Numbers that are none (NaN, infinity), noticed where they arise: in encodings, after each step, after decoding.

A precision whose range was left, a broken file or a LoRA makes them; they spread, and a picture of them is black.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.worker.sampling.base import SamplerState

BEHIND = 2
"""Steps that a device of its own may be ahead of the judgement: waiting for the newest would leave it without work."""

Sound = Callable[[SamplerState, int], None]
"""``sound(state, steps)``: ``state`` is whole behind one of ``steps`` steps."""

_ASYNCHRONOUS = ("cuda", "xpu")


class NotFiniteFound(ArithmeticError):
    """``step`` of ``steps`` gave what is no number; 0 where there are no steps."""

    def __init__(self, step: int = 0, steps: int = 0) -> None:
        super().__init__(f"not finite after step {step} of {steps}" if steps else "not finite")
        self.step = step
        self.steps = steps


def is_finite(tensor: Tensor) -> bool:
    """Whether every element is a finite number. Waits for the tensor's device."""
    return not tensor.is_floating_point() or math.isfinite(_sum(tensor)) or bool(tensor.isfinite().all())


def check_finite(tensors: Mapping[str, Tensor] | Tensor) -> None:
    """Raises ``NotFiniteFound``."""
    for tensor in [tensors] if isinstance(tensors, Tensor) else tensors.values():
        if not is_finite(tensor):
            raise NotFiniteFound


def _sum(tensor: Tensor) -> Tensor:
    """One pass. Finite only if every element is; large ones may leave the range together, so that alone says little."""
    return tensor.sum(dtype=torch.float32)


@dataclass
class _Waiting:
    state: SamplerState
    steps: int
    sum: Tensor
    arrived: torch.Event | None


class StepWatch:
    """Judges the latents behind each step; ``sound`` is given each state once it is known to be finite, in order.

    Where the host runs ahead of its device, a judgement is fetched behind the step's own work, and read when it is
    there: the loop waits for nothing that it would not wait for anyway.
    """

    def __init__(self, device: torch.device, sound: Sound) -> None:
        self._is_ahead = device.type in _ASYNCHRONOUS
        self._device = device
        self._sound = sound
        self._waiting: deque[_Waiting] = deque()

    def reached(self, state: SamplerState, steps: int) -> None:
        """``state`` is behind one of ``steps`` steps. Raises ``NotFiniteFound``, for this step or an earlier one."""
        self._waiting.append(self._fetched(state, steps))
        while self._waiting and (len(self._waiting) > BEHIND or self._has_arrived(self._waiting[0])):
            self._judge()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Around the steps: at the end, and whatever ends them, every state is judged."""
        try:
            yield
        except NotFiniteFound:
            raise
        except BaseException:
            with suppress(NotFiniteFound, RuntimeError):
                self._rest()
            raise
        self._rest()

    def _rest(self) -> None:
        while self._waiting:
            self._judge()

    def _fetched(self, state: SamplerState, steps: int) -> _Waiting:
        total = _sum(state.latents)
        if not self._is_ahead:
            return _Waiting(state, steps, total, None)
        host = torch.empty(total.shape, dtype=total.dtype, pin_memory=True)
        host.copy_(total, non_blocking=True)
        arrived = torch.Event(self._device.type)
        arrived.record()
        return _Waiting(state, steps, host, arrived)

    def _has_arrived(self, one: _Waiting) -> bool:
        return one.arrived is None or bool(one.arrived.query())

    def _judge(self) -> None:
        one = self._waiting.popleft()
        if one.arrived is not None:
            one.arrived.synchronize()
        if not math.isfinite(one.sum) and not is_finite(one.state.latents):
            self._waiting.clear()  # what follows is made from it
            raise NotFiniteFound(one.state.step, one.steps)
        self._sound(one.state, one.steps)
