"""Models' code, and only what jobs need: the pipelines' package stays out. None is imported before the engine is ready:
a job imports what its own model needs, and the rest comes while there is nothing to do."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial


def pieces() -> Iterator[Callable[[], object]]:
    """What to call, one after the other: each imports one component's class, the last does once what is slow then."""
    from engine.worker import pipelines

    for pipeline in pipelines.every():
        for spec in pipeline.components:
            yield partial(spec.find_class, "")
    yield _save_a_picture


def import_model_code() -> None:
    """All of it at once."""
    for piece in pieces():
        piece()


def _save_a_picture() -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(io.BytesIO(), "JPEG")
