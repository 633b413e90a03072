"""Networks larger than memory: blocks' weights come when they are needed, two blocks are there at a time.

While a block computes, a thread brings the weights of the next one, from the disk or from host memory, into one of two
buffers that are used in turn. With a device of its own memory they go on from there on a stream of copies. The numbers
are those of the files in the dtype that the network is kept in, so results are bit for bit those of a network that is
all there.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from engine.worker.residency.networks import blocks_of
from engine.worker.residency.reads import Reads
from engine.worker.residency.skeleton import placeholder
from engine.worker.residency.stretches import StretchReader

HOST = torch.device("cpu")
SLOTS = 2
ALIGNMENT = 64
"""Bytes. Kernels sum in another order at odd addresses, and give other bits."""


def give(weight: Tensor, value: Tensor) -> None:
    """``weight`` is ``value`` from now on."""
    weight.data = value


class WeightSource(Protocol):
    def read_into(self, name: str, target: Tensor) -> None:
        """The weight ``name`` of the network, into ``target`` on the CPU."""
        ...

    def close(self) -> None: ...


class FromDisk:
    """Weights as they lie in the model's own files."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._reader = StretchReader()

    def read_into(self, name: str, target: Tensor) -> None:
        self._reads[name](self._reader, target)

    def close(self) -> None:
        self._reader.close()


class FromHost:
    """Weights that stay in host memory."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self._weights = weights

    def read_into(self, name: str, target: Tensor) -> None:
        target.copy_(self._weights[name])

    def close(self) -> None:
        """Nothing is open."""


class Streamed:
    """The blocks of ``network`` fed from ``source`` on ``device`` while it is ``open``; without weights otherwise.

    The network's other weights are where the caller put them. Not for two calls at once.
    """

    def __init__(self, network: nn.Module, source: WeightSource) -> None:
        self.network = network
        self._source = source
        names = {id(weight): name for name, weight in network.named_parameters()}
        nothing = _Placeholders()
        self._blocks = [_Block(block, names, nothing) for block in blocks_of(network)]
        if not self._blocks:
            raise ValueError(f"{type(network).__name__} has no blocks")
        self._feed: _Feed | None = None
        for number, block in enumerate(self._blocks):
            block.module.register_forward_pre_hook(self._before(number))
            block.module.register_forward_hook(self._after(block), always_call=True)

    @property
    def block_bytes(self) -> int:
        """Of the largest block."""
        return max(block.bytes for block in self._blocks)

    def open(self, device: torch.device) -> None:
        """Put what is outside of the blocks on ``device`` and begin to bring the first block."""
        self._move_outside(device)
        for block in self._blocks:
            block.empty_on(device)
        self._feed = _Feed(self._blocks, self._source, device)
        self._feed.expect(0)

    def close(self) -> None:
        """Let go of the buffers; what is outside of the blocks goes to the host."""
        if self._feed is not None:
            self._feed.close()
            self._feed = None
        self._source.close()
        for block in self._blocks:
            block.empty_on(torch.device("cpu"))
        self._move_outside(torch.device("cpu"))

    def _move_outside(self, device: torch.device) -> None:
        inside = {id(weight) for block in self._blocks for _, weight, _ in block.weights}
        for tensor in (*self.network.parameters(), *self.network.buffers()):
            if id(tensor) not in inside:
                give(tensor, tensor.data.to(device))

    def _before(self, number: int) -> Callable[..., None]:
        def bring(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            assert self._feed is not None, "a streamed network is used while it is closed"
            self._feed.take(number)

        return bring

    def _after(self, block: _Block) -> Callable[..., None]:
        def let_go(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if self._feed is not None:
                self._feed.done(block)

        return let_go


class _Block:
    """One block's weights and their places in a buffer."""

    def __init__(self, module: nn.Module, names: dict[int, str], placeholders: _Placeholders) -> None:
        self.module = module
        self._placeholders = placeholders
        self.weights: list[tuple[str, nn.Parameter, int]] = []
        self.bytes = 0
        for weight in module.parameters():
            self.weights.append((names[id(weight)], weight, self.bytes))
            self.bytes += -(-weight.numel() * weight.dtype.itemsize // ALIGNMENT) * ALIGNMENT
        self._dtypes = [weight.dtype for _, weight, _ in self.weights]
        self._shapes = [weight.shape for _, weight, _ in self.weights]
        self.empty_on(torch.device("cpu"))

    def views(self, buffer: Tensor) -> list[Tensor]:
        """The weights' tensors within ``buffer``."""
        found = []
        for (_, _, begin), dtype, shape in zip(self.weights, self._dtypes, self._shapes, strict=True):
            piece = buffer[begin : begin + shape.numel() * dtype.itemsize]
            found.append(piece.view(dtype).view(shape))
        return found

    def put(self, buffer: Tensor) -> None:
        for (_, weight, _), view in zip(self.weights, self.views(buffer), strict=True):
            give(weight, view)

    def empty_on(self, device: torch.device) -> None:
        """Let go of the weights; what stands for them says that it is on ``device``."""
        pairs = zip(self._dtypes, self._shapes, strict=True)
        self._nothing = [self._placeholders.find(shape, dtype, device) for dtype, shape in pairs]
        self.empty()

    def empty(self) -> None:
        for (_, weight, _), nothing in zip(self.weights, self._nothing, strict=True):
            give(weight, nothing)


class _Placeholders:
    """What stands for weights that are not there; one for all of a shape, since blocks are alike."""

    def __init__(self) -> None:
        self._found: dict[tuple[torch.Size, torch.dtype, torch.device], Tensor] = {}

    def find(self, shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
        key = (shape, dtype, device)
        if key not in self._found:
            self._found[key] = placeholder(shape, dtype, device)
        return self._found[key]


class _Slot:
    """A buffer on the device, and one on the host that it is filled through where these are two memories."""

    def __init__(self, size: int, device: torch.device) -> None:
        is_cuda = device.type == "cuda"
        self.host = torch.empty(size, dtype=torch.uint8, pin_memory=is_cuda)
        self.device = self.host if device == HOST else torch.empty(size, dtype=torch.uint8, device=device)
        self.holds = -1
        self.filled: Future[None] | None = None
        self.arrived = torch.cuda.Event() if is_cuda else None
        self.used = torch.cuda.Event() if is_cuda else None


class _Feed:
    """Fills slots in a thread, in the order in which blocks come."""

    def __init__(self, blocks: list[_Block], source: WeightSource, device: torch.device) -> None:
        self._blocks = blocks
        self._source = source
        self._device = device
        size = max(block.bytes for block in blocks)
        self._slots = [_Slot(size, device) for _ in range(min(SLOTS, len(blocks)))]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="weights")
        self._copies = torch.cuda.Stream(device) if device.type == "cuda" else None

    def expect(self, number: int, keep: _Slot | None = None) -> _Slot:
        """The slot that holds block ``number`` or will; ``keep`` is not taken for it."""
        for slot in self._slots:
            if slot.holds == number:
                return slot
        slot = next(slot for slot in reversed(self._slots) if slot is not keep)
        if slot.filled is not None:
            slot.filled.exception()  # a block that was left out: its weights came for nothing
        slot.holds = number
        slot.filled = self._thread.submit(self._fill, slot, self._blocks[number])
        return slot

    def take(self, number: int) -> None:
        """Give block ``number`` its weights, and begin to bring the next one."""
        slot = self.expect(number)
        assert slot.filled is not None
        try:
            slot.filled.result()
        except BaseException:
            slot.holds = -1
            raise
        if slot.arrived is not None:
            torch.cuda.current_stream(self._device).wait_event(slot.arrived)
        self._blocks[number].put(slot.device)
        if len(self._slots) > 1:
            self._slots.sort(key=lambda other: other is not slot)  # the one in use first
            self.expect((number + 1) % len(self._blocks), keep=slot)

    def done(self, block: _Block) -> None:
        block.empty()
        used = self._slots[0].used
        if used is not None:
            used.record(torch.cuda.current_stream(self._device))

    def _fill(self, slot: _Slot, block: _Block) -> None:
        for (name, _, _), view in zip(block.weights, block.views(slot.host), strict=True):
            self._source.read_into(name, view)
        if slot.device is slot.host:
            return
        if self._copies is None or slot.arrived is None or slot.used is None:
            slot.device.copy_(slot.host)
            return
        with torch.cuda.stream(self._copies):
            self._copies.wait_event(slot.used)  # the block that lay here may still compute
            slot.device[: block.bytes].copy_(slot.host[: block.bytes], non_blocking=True)
            slot.arrived.record(self._copies)
        slot.arrived.synchronize()  # before the host's buffer is filled anew

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        if self._copies is not None:
            torch.cuda.current_stream(self._device).synchronize()
        self._slots.clear()


def streamed_from_host(network: nn.Module) -> Streamed:
    """``network``, which is whole and on the host, with its blocks' weights taken out and streamed from there."""
    kept = {name: weight.data for name, weight in network.named_parameters()}
    inside = {id(weight) for block in blocks_of(network) for weight in block.parameters()}
    weights = {name: kept[name] for name, weight in network.named_parameters() if id(weight) in inside}
    return Streamed(network, FromHost(weights))
