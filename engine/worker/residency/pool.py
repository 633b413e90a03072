"""What is loaded: networks and tokenizers by their files, shared by all models, the least recently used first out."""

from __future__ import annotations

import gc
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any

import torch

from engine.models.reading.component import Component
from engine.worker.residency.streaming import Streamed

Key = tuple[Hashable, ...]
HOST = torch.device("cpu")


@dataclass
class Held:
    """``part`` is a network or a tokenizer; ``streamed`` feeds its blocks where they come one by one. ``bytes`` of
    memory, ``device``: where the whole of it lies."""

    part: Any
    bytes: int = 0
    streamed: Streamed | None = None
    device: torch.device = HOST

    @property
    def network(self) -> torch.nn.Module | None:
        return self.part if isinstance(self.part, torch.nn.Module) else None

    def move(self, device: torch.device) -> None:
        if self.network is not None and self.streamed is None and self.device != device:
            self.network.to(device)
            self.device = device


def identity(part: Component, class_name: str) -> Hashable:
    """The same for parts that compute the same: of one configuration, from the same weights.

    Weights are the same if they are one file on the disk (the store links equal contents, by their SHA-256) that has
    not changed since.
    """
    files = part.weights or tuple(part.files())
    stats = [file.stat() for file in files]
    contents = tuple((stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)
    return class_name, part.prefix, part.variant, json.dumps(part.config, sort_keys=True), contents


class ComponentPool:
    """``get`` and ``put`` by a key that begins with an ``identity``. What is ``kept`` in use is never let go."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, Held] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def get(self, key: Key) -> Held | None:
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: Key, held: Held) -> None:
        """Another form of the same weights goes: they are never there twice."""
        self.drop([other for other in self._held if other[0] == key[0]])
        self._held[key] = held

    def drop(self, keys: Collection[Key]) -> None:
        found = [self._held.pop(key) for key in keys if key in self._held]
        if found:
            del found
            gc.collect()

    def clear(self) -> None:
        self.drop(list(self._held))

    @property
    def bytes(self) -> int:
        return sum(held.bytes for held in self._held.values())

    def bytes_on(self, device: torch.device) -> int:
        return sum(held.bytes for held in self._held.values() if held.device == device)

    def make_room(self, kept: Collection[Key], is_enough: Callable[[], bool]) -> None:
        """Let go of what is not ``kept``, the least recently used first, until ``is_enough``."""
        for key in [key for key in self._held if key not in kept and self._held[key].bytes]:
            if is_enough():
                return
            self.drop([key])

    def leave(self, device: torch.device, kept: Collection[Key], is_enough: Callable[[], bool]) -> None:
        """Take what is not ``kept`` from ``device`` to the host, the least recently used first, until ``is_enough``."""
        for key, held in self._held.items():
            if key not in kept and held.device == device and held.bytes:
                if is_enough():
                    return
                held.move(HOST)
                empty_cache(device)


def empty_cache(device: torch.device) -> None:
    """Give what the allocator keeps for later back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "xpu":
        torch.xpu.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
