"""The families and the published models, gathered from ``engine.families``; and the models that ship."""

from __future__ import annotations

from engine.families.registry import INFOS, MODELS

__all__ = ["FAMILIES", "MINI_IMAGE", "MINI_VIDEO", "MODELS"]

FAMILIES = INFOS
MINI_IMAGE = "laterna-mini-image"
MINI_VIDEO = "laterna-mini-video"
