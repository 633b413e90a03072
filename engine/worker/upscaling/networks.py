"""The network that the engine used last, kept for the next job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from engine.derive.upscale.lanczos import enlarge
from engine.media.pixels import Pixels
from engine.models.upscalers import Upscalers
from engine.protocol.assets import Asset
from engine.protocol.commands import Generate
from engine.protocol.errors import BadRecipe, NotFinite
from engine.protocol.upscaling import Upscaling
from engine.worker.failures import is_out_of_memory
from engine.worker.finite import NotFiniteFound
from engine.worker.progress import Progress
from engine.worker.upscaling.loading import Network, read_network
from engine.worker.upscaling.tiles import enlarged


class UpscalerNetworks:
    """``release`` lets go of what else the device holds, where its memory runs out."""

    def __init__(self, device: torch.device, release: Callable[[], None]) -> None:
        self._device = device
        self._release = release
        self._kept: tuple[str, Network] | None = None

    def enlarged(self, frame: Pixels, how: Upscaling, file: Asset | None, check: Callable[[], None]) -> Pixels:
        """``frame`` ([H, W, 3] uint8) made larger by the network in ``file``, or by resampling where ``how`` names
        none."""
        if not how.network:
            return enlarge(frame, how.scale, check)
        network = self._network(how, file)
        try:
            return self._enlarged(frame, network, how, check)
        except NotFiniteFound as found:
            raise NotFinite(
                f"The upscaler {how.by} gave numbers that are not finite: parts of the result would be black.",
                "Choose another upscaler, or get its file again.",
                field="upscaling",
            ) from found

    def enlarge_all(self, frames: Tensor, job: Generate, progress: Progress, check: Callable[[], None]) -> Tensor:
        """``frames`` ([B, T, H, W, 3] uint8) of ``job`` as its recipe's upscaling makes them."""
        how = job.recipe.upscaling
        assert how is not None
        made: list[Tensor] = []
        with progress.stage("enlarging"):
            flat = frames.flatten(0, 1).numpy()
            for number, frame in enumerate(flat, start=1):
                made.append(torch.from_numpy(self.enlarged(frame, how, job.network_file, check)))
                progress.at("enlarging", number / len(flat))
        return torch.stack(made).unflatten(0, frames.shape[:2])

    def _enlarged(self, frame: Pixels, network: Network, how: Upscaling, check: Callable[[], None]) -> Pixels:
        try:
            return enlarged(frame, network, how, check)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        self._release()
        return enlarged(frame, network, how, check)

    def forget(self) -> None:
        self._kept = None

    def _network(self, how: Upscaling, file: Asset | None) -> Network:
        if self._kept is None or self._kept[0] != how.network:
            self._kept = how.network, read_network(_place(how, file), self._device)
        return self._kept[1]


def _place(how: Upscaling, file: Asset | None) -> Path:
    """Where the job says, or where those lie that ship with this engine."""
    if file is not None and file.sha256 == how.network:
        return Path(file.path)
    shipped = Upscalers().find(how.network)
    if shipped is None:
        raise BadRecipe(f"The job does not bring the upscaler {how.by}.", "Run it again.", field="upscaling")
    return shipped.path
