"""Weights out of ncnn's format, of networks that are one line of convolutions and PReLUs. The upscaler that ships came
so: ``python -m engine.training.ncnn NAME.param NAME.bin OUT.safetensors``.

``.param`` is text, a layer a line: type, name, counts, blobs, then ``number=value``. ``.bin`` holds for each
convolution a tag (0x01306B47: float16), the weights, padded to 4 bytes, and its bias in float32; for each PReLU
its slopes in float32. Source: ncnn's wiki, "param and model file structure" and "model quantization and precision".
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

FLOAT16 = 0x01306B47


def read_ncnn(param: str, weights: bytes) -> dict[str, Tensor]:
    """Weights by Real-ESRGAN's names (``body.0.weight`` …): convolutions [out, in, 3, 3] in float16, the rest float32.
    Raises ``ValueError`` where the file is not as the text says."""
    found: dict[str, Tensor] = {}
    at = 0

    def take(dtype: type[np.generic], count: int) -> Tensor:
        nonlocal at
        size = count * np.dtype(dtype).itemsize
        if at + size > len(weights):
            raise ValueError("the weights end too early")
        values = torch.from_numpy(np.frombuffer(weights, dtype, count, at).copy())
        at += -(-size // 4) * 4
        return values

    number = 0
    for line in param.splitlines()[2:]:
        kind, *rest = line.split() or [""]
        settings = dict(part.split("=") for part in rest if "=" in part)
        if kind == "Convolution":
            if weights[at : at + 4] != struct.pack("<I", FLOAT16):
                raise ValueError(f"{rest[0]} is not in float16")
            at += 4
            outputs = int(settings["0"])
            found[f"body.{number}.weight"] = take(np.float16, int(settings["6"])).reshape(outputs, -1, 3, 3)
            found[f"body.{number}.bias"] = take(np.float32, outputs)
        elif kind == "PReLU":
            found[f"body.{number}.weight"] = take(np.float32, int(settings["0"]))
        else:
            continue
        number += 1
    if at != len(weights):
        raise ValueError(f"{len(weights) - at} bytes are left over")
    return found


if __name__ == "__main__":
    param, weights, out = map(Path, sys.argv[1:])
    save_file(read_ncnn(param.read_text("utf-8"), weights.read_bytes()), out, {"format": "pt"})
