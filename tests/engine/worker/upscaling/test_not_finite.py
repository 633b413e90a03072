"""An upscaler that gives numbers that are none leaves no black tiles: it ends in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.media.known import digest_of
from engine.protocol.assets import Asset
from engine.protocol.errors import NotFinite
from engine.protocol.upscaling import Upscaling
from engine.worker.upscaling.networks import UpscalerNetworks
from tests.fakes.upscalers import compact


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_broken_upscaler_is_named(tmp_path: Path, bad: float) -> None:
    weights = compact(scale=2)
    next(value for name, value in weights.items() if name.endswith("bias"))[0] = bad
    save_file(weights, tmp_path / "broken.safetensors")
    file = Asset("broken", digest_of(tmp_path / "broken.safetensors", 2**30), str(tmp_path / "broken.safetensors"))
    networks = UpscalerNetworks(torch.device("cpu"), lambda: None)
    frame = np.full((40, 40, 3), 100, np.uint8)
    with pytest.raises(NotFinite, match=r"broken\.safetensors.*black.*another upscaler") as failure:
        networks.enlarged(frame, Upscaling(2, file.sha256, "broken.safetensors", 32, 8), file, lambda: None)
    assert failure.value.field == "upscaling"
