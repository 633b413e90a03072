"""Previews of the running job as pictures: one JPEG holds the frames side by side."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from engine.jobs.notices import PreviewShown


def split(preview: PreviewShown) -> list[QImage]:
    """Every frame of ``preview``, each ``width`` × ``height``; empty where the JPEG is damaged."""
    whole = QImage.fromData(preview.jpeg)
    if whole.isNull():
        return []
    count = max(1, preview.frames)
    if count == 1:
        return [whole]
    width = whole.width() // count
    return [whole.copy(QRect(place * width, 0, width, whole.height())) for place in range(count)]


def middle(pictures: list[QImage]) -> QImage | None:
    """The picture that stands for all of them in a small place."""
    return pictures[len(pictures) // 2] if pictures else None
