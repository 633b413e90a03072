"""A graphics card that is not there: fake tensors on a device of a given capacity, which runs out as CUDA does.

Real-size models are placed, moved and called on it by the engine's own code, without memory. The card is the device
``cpu:1``: a fake tensor keeps its number, and kernels are chosen as for a processor, with fused attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.worker.residency import streaming
from engine.worker.residency.live_bytes import LiveStorages
from engine.worker.residency.networks import replace_tensors

CARD = torch.device("cpu", 1)
GRANULARITY = 512
"""CUDA's caching allocator hands out multiples of this."""


class SimulatedCard(TorchDispatchMode):
    """Counts what lies on ``CARD`` and raises ``torch.OutOfMemoryError`` where more than ``capacity`` bytes would."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.storages = LiveStorages(GRANULARITY)

    @property
    def live(self) -> int:
        return self.storages.live

    @property
    def peak(self) -> int:
        return self.storages.peak

    def reset_peak(self) -> None:
        self.storages.peak = self.storages.live

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor) and tensor.device == CARD:
                before = self.storages.live
                self.storages.follow(tensor)
                if self.storages.live > self.capacity:
                    raise torch.OutOfMemoryError(
                        f"CUDA out of memory. Tried to allocate {(self.storages.live - before) / 2**20:.2f} MiB."
                        f" GPU 0 has a total capacity of {self.capacity / 2**30:.2f} GiB."
                    )
        return output


@contextmanager
def simulated_card(capacity: int) -> Iterator[SimulatedCard]:
    """For as long as the block runs, tensors are fake and ``CARD`` has ``capacity`` bytes."""
    card = SimulatedCard(capacity)
    with (
        FakeTensorMode(),
        card,
        torch.no_grad(),
        # Module.to swaps fake weights, which their mode's references forbid: give each module new ones.
        mock.patch.object(nn.Module, "to", _to),
        # A fake tensor keeps its device for itself, and its mode is that of one thread.
        mock.patch.object(streaming, "give", _give),
        mock.patch.object(streaming, "ThreadPoolExecutor", _AtOnce),
    ):
        yield card


def _give(weight: Any, value: Any) -> None:
    weight.data = value
    weight.fake_device = value.fake_device


class _AtOnce:
    """An executor whose calls are done when they are submitted."""

    def __init__(self, workers: int, thread_name_prefix: str) -> None:
        """As ``ThreadPoolExecutor``."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(call(*arguments))
        return done

    def shutdown(self, cancel_futures: bool) -> None:
        """Nothing runs."""


def _to(module: nn.Module, *args: Any, **kwargs: Any) -> nn.Module:
    device, dtype, _, _ = torch._C._nn._parse_to(*args, **kwargs)

    def moved(tensor: Tensor) -> Tensor:
        return tensor.to(device, dtype if tensor.is_floating_point() else None)

    replace_tensors(module, moved)
    return module
