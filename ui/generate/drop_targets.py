"""What a file that is dragged over the form could become, as targets to let it go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from engine.media.pictures import ENDINGS
from ui.widgets.labels import label
from ui.widgets.style import set_state

RECIPE, START, LORA, MODEL = "recipe", "start", "lora", "model"
LORA_ENDINGS = (".safetensors",)
MODEL_ENDINGS = (".safetensors", ".gguf")


def uses_of(path: Path, takes_pictures: bool) -> tuple[str, ...]:
    """What the form can do with ``path``, by its name: the first is what happens anywhere else in the window. None of
    these means that its content decides."""
    ending = path.suffix.lower()
    if ending in ENDINGS:
        return (RECIPE, START) if takes_pictures else (RECIPE,)
    return tuple(use for use, endings in ((LORA, LORA_ENDINGS), (MODEL, MODEL_ENDINGS)) if ending in endings)


class DropTargets(QWidget):
    """Covers ``host`` while something is dragged over it. It takes no drop itself: the window asks ``use_at``."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._frames: dict[str, QFrame] = {}
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Window)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 16, 16, 16)
        self._column.setSpacing(12)
        self.hide()

    def offer(self, uses: Sequence[str]) -> None:
        """Show a target for each of ``uses``."""
        if tuple(self._frames) != tuple(uses):
            for frame in self._frames.values():
                self._column.removeWidget(frame)
                frame.hide()
                frame.deleteLater()
            self._frames = {use: self._target(self._text(use)) for use in uses}
        self.setGeometry(self._host.rect())
        self.show()
        self.raise_()

    def use_at(self, place: QPoint) -> str:
        """The use whose target is nearest to ``place`` (global), which is marked; "" while none is offered."""
        if self.isHidden() or not self._frames:
            return ""
        y = self.mapFromGlobal(place).y()
        use = min(self._frames, key=lambda name: abs(self._frames[name].geometry().center().y() - y))
        for name, frame in self._frames.items():
            set_state(frame, "over", name == use)
        return use

    def _target(self, texts: tuple[str, str]) -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "dropzone")
        column = QVBoxLayout(frame)
        column.setContentsMargins(16, 16, 16, 16)
        column.addStretch(1)
        for text, role in zip(texts, ("title", "muted"), strict=True):
            line = label(text, role)
            line.setWordWrap(True)
            line.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(line)
        column.addStretch(1)
        self._column.addWidget(frame, 1)
        return frame

    def _text(self, use: str) -> tuple[str, str]:
        return {
            RECIPE: (self.tr("Reuse its recipe"), self.tr("Every setting that made it comes into the form.")),
            START: (self.tr("Start from this picture"), self.tr("What you make next starts from it.")),
            LORA: (self.tr("Use as a LoRA"), self.tr("It changes what the chosen model draws.")),
            MODEL: (self.tr("Import as a model"), self.tr("It stays where it is; nothing is copied.")),
        }[use]
