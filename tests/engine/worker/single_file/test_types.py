"""Every quantised type that is read gives the numbers of ggml's own reference."""

from __future__ import annotations

import gguf
import numpy as np
import pytest
import torch

from engine.models.gguf_header import TYPES, UNREAD
from engine.worker.single_file.tensors import Blocks

QUANTISED = [name for name, numbers, _ in TYPES.values() if numbers > 1]


@pytest.mark.parametrize("type", QUANTISED)
def test_as_the_reference(type: str) -> None:
    """Random blocks: those whose scales are no numbers say nothing and are left out."""
    _, numbers, size = next(row for row in TYPES.values() if row[0] == type)
    raw = np.random.default_rng(5).integers(0, 256, (64, 3 * size), dtype=np.uint8)
    with np.errstate(invalid="ignore", over="ignore"):
        expected = torch.from_numpy(gguf.dequantize(raw, gguf.GGMLQuantizationType[type]).copy())
    made = Blocks(torch.from_numpy(raw), type).widened(torch.float32)
    assert made.shape == expected.shape == (64, 3 * numbers)
    sound = torch.isfinite(expected) & torch.isfinite(made)
    assert sound.float().mean() > 0.7
    assert torch.allclose(made[sound], expected[sound], rtol=1e-5, atol=1e-5)


def test_sizes_are_ggmls() -> None:
    sizes = {kind.name: size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert all(sizes[name] == (numbers, bytes_) for name, numbers, bytes_ in TYPES.values())
    assert UNREAD | {name for name, _, _ in TYPES.values()} == set(sizes)
