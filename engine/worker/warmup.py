"""Imports that every job needs, done before the first one, and only those: the pipelines' package stays out."""

from __future__ import annotations

import io


def import_model_code() -> None:
    """Import every family's component classes, and run once what is slow the first time."""
    from PIL import Image

    from engine.worker import pipelines

    for pipeline in pipelines.every():
        for spec in pipeline.components:
            spec.find_class("")
    Image.new("RGB", (8, 8)).save(io.BytesIO(), "JPEG")
