"""A model as the engine opens it: what ``engine.models.reading`` finds on the disk."""

from __future__ import annotations

from engine.models.reading.component import GET_AGAIN, ModelFolder, Part, read_json

__all__ = ["GET_AGAIN", "ModelFolder", "Part", "read_json"]
