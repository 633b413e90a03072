"""Small measured experiments, one for each technique: ``python -m engine.training experiment NAME``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import flow, lora, packing, terminal_snr, vae

EXPERIMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "logit-normal": flow.logit_normal,
    "qk-norm": flow.qk_norm,
    "muon": flow.muon,
    "progressive": flow.progressive,
    "gradient-checkpointing": flow.checkpointing,
    "uniform-ranks": flow.loss_variance,
    "zero-snr": terminal_snr.zero_terminal_snr,
    "packing": packing.mixed_durations,
    "vae-warm-start": vae.warm_start,
    "lora": lora.learn_an_object,
}
