"""Compiled blocks: the equal blocks of a transformer as fused kernels (torch.compile), for as long as a stage runs.

Only the blocks' own forward is compiled, "regionally": all equal blocks share one compilation, and what hangs on them
(cancelling, the pace) stays outside. Kernels are kept in a folder between starts. Fused kernels round in another order,
so the result differs in the last bits.

Left as they are: blocks whose weights are streamed, widened or quantised, and those with LoRAs on them, because what
does that are hooks within the block, which a compiled forward would not see. Where there is no compiler, or compiling
fails, the plain forward runs and one line says so.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from engine.families.registry import FAMILIES
from engine.protocol.commands import CompileWish
from engine.protocol.recipe import Recipe
from engine.worker.acceleration.gains import Gains
from engine.worker.cancel import Cancellation
from engine.worker.device import describe
from engine.worker.failures import is_out_of_memory
from engine.worker.residency.networks import blocks_of

if TYPE_CHECKING:
    from engine.worker.loaded_model import Model

CACHE_LIMIT = 2 * 2**30
"""Bytes of kept kernels above which all of them go."""
MOST_SHAPES = 64
"""Compilations of one block's code before PyTorch would give up on it."""
_COMPILED = "_laterna_compiled"

log = logging.getLogger(__name__)


@dataclass
class Region:
    """``is_used``: blocks run compiled. ``seconds`` of each call of the network, ``cost`` that compiling took of the
    first; ``note`` is a line for the person."""

    is_used: bool = False
    note: str = ""
    seconds: list[float] = field(default_factory=list)

    @property
    def usual(self) -> float:
        """Seconds of a call; 0 where there were too few to tell."""
        return statistics.median(self.seconds[1:]) if len(self.seconds) > 2 else 0.0

    @property
    def cost(self) -> float:
        return max(0.0, self.seconds[0] - self.usual) if self.is_used and self.usual else 0.0


class Compiler:
    """``backend`` is one of torch.compile's. What could not be compiled is not tried again by this engine."""

    def __init__(self, cancellation: Cancellation, device: torch.device, backend: str = "inductor") -> None:
        self._cancellation = cancellation
        self._device = device
        self._backend = backend
        self._gave_up = False

    @contextmanager
    def around(self, network: nn.Module, wish: CompileWish, folder: str, key: str, calls: int) -> Iterator[Region]:
        """Within: the blocks of ``network`` run compiled, if ``wish`` and ``Gain.pays`` say so for a job of ``calls``.

        ``folder`` keeps kernels and what was measured; ``key`` names what speed depends on.
        """
        region = Region()
        if wish == "never" or not folder:
            yield region
            return
        gains = Gains(Path(folder) / "gains.json")
        if not self._gave_up and is_plain(network) and (wish == "always" or gains.of(key).pays(calls)):
            missing = missing_compiler(self._device) if self._backend == "inductor" else ""
            if missing:
                self._give_up(region, _sentence_without_compiler(missing))
            else:
                region.is_used = True
        if region.is_used:
            _prepare(Path(folder))
        with _timed(network, region.seconds), self._installed(network, region) if region.is_used else nullcontext():
            yield region
        if region.usual:
            gains.add(key, region.is_used, region.usual, region.cost)

    @contextmanager
    def _installed(self, network: nn.Module, region: Region) -> Iterator[None]:
        blocks = blocks_of(network)
        for block in blocks:
            block.forward = self._forward(block, region)  # type: ignore[method-assign]
        try:
            yield
        finally:
            for block in blocks:
                block.__dict__.pop("forward", None)

    def _forward(self, block: nn.Module, region: Region) -> Callable[..., Any]:
        plain = block.forward
        compiled = block.__dict__.get(_COMPILED)
        if compiled is None:
            compiled = block.__dict__[_COMPILED] = torch.compile(plain, backend=self._backend)
        is_first = True

        def forward(*arguments: Any, **more: Any) -> Any:
            nonlocal is_first
            if self._gave_up:
                return plain(*arguments, **more)
            may_compile, is_first = is_first, False
            try:
                with self._cancellation.interruptible() if may_compile else nullcontext():
                    return compiled(*arguments, **more)
            except Exception as error:
                self._cancellation.check()  # PyTorch may have wrapped the interruption
                if is_out_of_memory(error):
                    raise
                log.warning("compiling %s", type(block).__name__, exc_info=True)
                region.is_used = False
                self._give_up(region, _sentence_of_failure())
            return plain(*arguments, **more)

        return forward

    def _give_up(self, region: Region, note: str) -> None:
        self._gave_up = True
        region.note = note


def speed_key(model: Model, recipe: Recipe, name: str) -> str:
    """What the speed of a call of the denoiser ``name`` depends on, in words."""
    part, residency = model.folder.parts[name], model.residency
    config = hashlib.sha256(json.dumps(part.config, sort_keys=True).encode()).hexdigest()[:16]
    size = f"{recipe.width}x{recipe.height}x{recipe.frames}x{recipe.batch}"
    guided = f"guided {residency.batched}" if FAMILIES[recipe.family].is_guided(recipe) else "unguided"
    device = describe(residency.device).name
    return f"{device}, torch {torch.__version__}, {config}, {residency.parts[name].compute}, {size}, {guided}"


def is_plain(network: nn.Module) -> bool:
    """Whether nothing hangs on the layers within the blocks of ``network``, and there are such blocks."""
    blocks = blocks_of(network)
    layers = (layer for block in blocks for layer in block.modules() if layer is not block)
    return bool(blocks) and not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)


def missing_compiler(device: torch.device) -> str:
    """What is not on this machine of what compiling needs: "" for nothing."""
    if device.type not in ("cpu", "cuda"):
        return "support for this device"
    if device.type == "cuda":
        import importlib.util

        has_triton = importlib.util.find_spec("triton") is not None
        return "" if has_triton and _find("cc", "gcc", "clang") else "Triton or a C compiler"
    usual = {"win32": ("cl",), "darwin": ("clang++",)}.get(sys.platform, ("g++",))
    return "" if _find(os.environ.get("CXX", ""), *usual) else "a C++ compiler"


def _find(*names: str) -> str | None:
    return next((found for name in names if name and (found := shutil.which(name))), None)


def _sentence_without_compiler(missing: str) -> str:
    return f"Models are not compiled: {missing} is missing on this computer."


def _sentence_of_failure() -> str:
    return "Compiling the model failed; it runs as usual."


def _prepare(folder: Path) -> None:
    """Keep kernels in ``folder``, and compile in this process: helpers of its own would outlive it.

    PyTorch runs what lies there, so nobody else may write into it.
    """
    with suppress(OSError):  # where it cannot be written, compiling says so
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    kernels = folder / "kernels"
    if kernels.is_dir() and sum(file.stat().st_size for file in kernels.rglob("*") if file.is_file()) > CACHE_LIMIT:
        shutil.rmtree(kernels, ignore_errors=True)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(kernels)
    import torch._dynamo.config
    import torch._inductor.config

    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.recompile_limit = MOST_SHAPES


@contextmanager
def _timed(network: nn.Module, seconds: list[float]) -> Iterator[None]:
    """Adds the seconds of each whole call of ``network``."""
    began = 0.0

    def before(module: nn.Module, inputs: Any) -> None:
        nonlocal began
        began = time.perf_counter()

    def after(module: nn.Module, inputs: Any, output: Any) -> None:
        seconds.append(time.perf_counter() - began)

    handles = [network.register_forward_pre_hook(before), network.register_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
