"""Counts what a piece of torch code holds, computes and moves: live storage bytes, floating point operations, ops.

Works on real tensors and under ``FakeTensorMode`` alike; the two agree, which the tests hold.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

from engine.memory.footprint import CallCost

_CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # not in the registry


class LiveStorages:
    """Bytes of the storages that are followed and still in use. Sizes are rounded up to ``granularity`` bytes."""

    def __init__(self, granularity: int = 1) -> None:
        self._granularity = granularity
        self._known: dict[int, weakref.ref[Any]] = {}
        self.live = self.peak = 0

    def follow(self, tensor: Tensor) -> None:
        """Count ``tensor``'s storage from now on until nothing uses it any more."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        size = -(-storage.nbytes() // self._granularity) * self._granularity

        def gone(_: Any, key: int = key, size: int = size) -> None:
            self._known.pop(key, None)
            self.live -= size

        self._known[key] = weakref.ref(storage, gone)
        self.live += size
        self.peak = max(self.peak, self.live)


class LiveBytes(TorchDispatchMode):
    """Follows every storage that an operator returns, from its birth to its end. ``held`` count from the start."""

    def __init__(self, held: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self._storages = LiveStorages()
        self.flops = self.moved = self.ops = 0
        for tensor in held:
            self._storages.follow(tensor)

    @property
    def live(self) -> int:
        return self._storages.live

    @property
    def peak(self) -> int:
        return self._storages.peak

    def cost(self) -> CallCost:
        """What has been computed so far, as of one call."""
        return CallCost(self.peak, self.flops, self.moved, self.ops)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        outputs = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        for tensor in outputs:
            self._storages.follow(tensor)
        if not outputs or func.is_view:
            return output
        self.ops += 1
        formula = flop_registry.get(func._overloadpacket)
        if func._overloadpacket is _CPU_ATTENTION:
            self.flops += sdpa_flop_count(args[0].shape, args[1].shape, args[2].shape)
        elif formula is not None:
            self.flops += int(formula(*args, **(kwargs or {}), out_val=output))
        else:
            inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
            self.moved += sum(tensor.numel() * tensor.itemsize for tensor in (*inputs, *outputs))
        return output
