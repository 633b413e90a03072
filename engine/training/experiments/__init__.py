"""Small measured experiments, one for each technique: ``python -m engine.training experiment NAME``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import lora

EXPERIMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "lora": lora.learn_an_object,
}
