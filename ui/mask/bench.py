"""``bench mask``: what one step of a stroke costs in the editor, painting of the widget included."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

SIDE = 4096
SHOWN = (1400, 1000)
STEPS = 120


def mask() -> dict[str, Any]:
    """Milliseconds for each step on a picture of ``SIDE`` × ``SIDE``, by the size of the brush."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    from engine.media.masks import PaintedMask
    from ui.mask.mask_canvas import MaskCanvas
    from ui.theme import Theme

    app = QApplication.instance() or QApplication([])
    picture = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    picture.fill(0x335577)
    canvas = MaskCanvas(theme=Theme("dark"))
    canvas.resize(*SHOWN)
    canvas.show()
    canvas.show_mask(picture, PaintedMask(SIDE, SIDE))
    app.processEvents()
    found: dict[str, Any] = {"picture": SIDE, "shown": SHOWN, "steps": STEPS}
    for size in (20, 200, 1000, 2000):
        canvas.set_brush(size=size, hardness=0.5)
        canvas.begin(QPointF(400, SIDE / 2))
        app.processEvents()
        taken: list[float] = []
        for number in range(STEPS):
            began = time.perf_counter()
            canvas.move(QPointF(400 + number * 26, SIDE / 2 + number % 40))
            canvas.repaint()
            taken.append((time.perf_counter() - began) * 1000)
        canvas.end()
        taken.sort()
        found[f"brush {size}"] = {
            "median_ms": round(statistics.median(taken), 2),
            "p95_ms": round(taken[int(STEPS * 0.95)], 2),
        }
    return found


NAMES: dict[str, Callable[[], dict[str, Any]]] = {"mask": mask}
