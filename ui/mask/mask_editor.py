"""``MaskEditor``: the tools around a picture whose mask is painted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.protocol.errors import LaternaError
from ui.mask.mask_canvas import LEAST_SIZE, MOST_SIZE, TOOLS, MaskCanvas
from ui.theme import Theme
from ui.widgets.flow import FlowLayout
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, label
from ui.widgets.numbers import IntSpin
from ui.widgets.segments import Segments

if TYPE_CHECKING:
    from engine.media.masks import PaintedMask, Rect

USUAL_BY = 8
TOLERANCE = 32


class MaskEditor(QWidget):
    """Signals: ``used`` the person wants the mask, ``given_up``, ``failed(LaternaError)``."""

    used = Signal()
    given_up = Signal()
    failed = Signal(object)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = Path()
        self.setAccessibleName(self.tr("Change a part"))
        self.canvas = MaskCanvas(theme=theme)
        self.title = ElidedLabel(self.tr("Paint what is to be made anew"), "title")
        names = {
            "brush": self.tr("Brush"),
            "eraser": self.tr("Eraser"),
            "lasso": self.tr("Lasso"),
            "rectangle": self.tr("Rectangle"),
            "fill": self.tr("Fill"),
            "colour": self.tr("Colour"),
        }
        keys = dict(zip(TOOLS, "BELRFC", strict=True))
        self.tools = Segments(self.tr("Tool"), [(tool, names[tool]) for tool in TOOLS])
        for tool in TOOLS:
            self.tools.button(tool).setToolTip(f"{names[tool]} ({keys[tool]})")
        self.tools.set_current("brush")
        self.brush = IntSpin(self.tr("Size of the brush, in pixels"), LEAST_SIZE, MOST_SIZE, " px")
        self.hardness = IntSpin(self.tr("Hardness of the brush"), 0, 100, " %")
        self.by = IntSpin(self.tr("How far to grow, shrink or soften, in pixels"), 1, 500, " px")
        self.by.setValue(USUAL_BY)
        for spin, text in (
            (self.brush, self.tr("Size of the brush: wheel, or [ and ]")),
            (self.hardness, self.tr("Hardness of the brush: { and }")),
            (self.by, self.by.accessibleName()),
        ):
            spin.setToolTip(text)
        self.undo = IconButton("undo", self.tr("Undo (Ctrl+Z)"), theme=theme)
        self.redo = IconButton("refresh", self.tr("Redo (Ctrl+Shift+Z)"), theme=theme)
        self.cancel = QPushButton(self.tr("Cancel"))
        self.use = QPushButton(self.tr("Use this mask"))
        self.use.setProperty("role", "primary")
        self.buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self.tools.chosen.connect(self._choose)
        self.brush.valueChanged.connect(lambda value: self.canvas.set_brush(size=value))
        self.hardness.valueChanged.connect(lambda value: self.canvas.set_brush(hardness=value / 100))
        self.canvas.brush_changed.connect(self._show_brush)
        self.canvas.edited.connect(self._show_state)
        self.canvas.colour_picked.connect(self._from_colour)
        self.undo.clicked.connect(lambda: self._step(back=True))
        self.redo.clicked.connect(lambda: self._step(back=False))
        self.cancel.clicked.connect(self.given_up)
        self.use.clicked.connect(self._use)
        self._keys: dict[str, Callable[[], object]] = {
            **{keys[tool]: partial(self._choose, tool) for tool in TOOLS},
            "Ctrl+Z": partial(self._step, back=True),
            "Ctrl+Shift+Z": partial(self._step, back=False),
            "Ctrl+Y": partial(self._step, back=False),
            "I": partial(self.change, "invert"),
            "Del": partial(self.change, "clear"),
            "Esc": self.given_up.emit,
            "Ctrl+Return": self._use,
            "Ctrl+0": self.canvas.fit,
        }
        self._show_brush()

    def _lay_out(self) -> None:
        head = QFrame()
        head.setProperty("role", "panel")
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        for widget in (self.undo, self.redo, self.cancel, self.use):
            row.addWidget(widget)
        tools = FlowLayout(gap=8)
        for widget in (self.tools, self.brush, self.hardness):
            tools.addWidget(widget)
        for name, text in (
            ("invert", self.tr("Invert")),
            ("everything", self.tr("Everything")),
            ("clear", self.tr("Clear")),
            ("alpha", self.tr("From transparency")),
            ("file", self.tr("From a file…")),
            ("grow", self.tr("Grow")),
            ("shrink", self.tr("Shrink")),
            ("soften", self.tr("Soften")),
        ):
            button = self.buttons[name] = QPushButton(text)
            button.setProperty("role", "quiet")
            button.clicked.connect(lambda _checked=False, name=name: self.change(name))
            tools.addWidget(button)
        tools.addWidget(label(self.tr("by"), "muted"))
        tools.addWidget(self.by)
        inner = QVBoxLayout(head)
        inner.setContentsMargins(16, 6, 12, 8)
        inner.addLayout(row)
        inner.addLayout(tools)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self.canvas, 1)

    # --- keys: here they mean the mask, whatever they mean elsewhere in the window

    def event(self, event: QEvent) -> bool:
        is_asked = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_asked and _name(event) in (*self._keys, "Space", *"[]{}"):  # type: ignore[arg-type]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        call = self._keys.get(_name(event))
        if call is None:
            super().keyPressEvent(event)
        else:
            call()

    # --- what is painted

    @property
    def mask(self) -> PaintedMask | None:
        return self.canvas.mask

    def show_picture(self, path: Path, picture: QImage, mask: PaintedMask) -> None:
        """``path`` is the file of ``picture``, to which ``mask`` belongs."""
        self._path = path
        self.canvas.show_mask(picture, mask)
        self._show_state()
        self.canvas.setFocus()

    def clear(self) -> None:
        self.canvas.clear()

    def change(self, name: str) -> None:
        """Carry out one of the buttons."""
        mask = self.mask
        if mask is None:
            return
        by = self.by.value()
        changes: dict[str, Callable[[], Rect | None]] = {
            "invert": mask.invert,
            "everything": lambda: mask.clear(255),
            "clear": mask.clear,
            "grow": lambda: mask.grow(by),
            "shrink": lambda: mask.grow(-by),
            "soften": lambda: mask.feather(by),
            "alpha": self._from_alpha,
            "file": self._ask_file,
        }
        try:
            rect = changes[name]()
        except LaternaError as error:
            self.failed.emit(error)
            return
        if rect is not None:
            self.canvas.refresh(rect)
            self.canvas.finish()

    def load(self, path: Path) -> None:
        """Take the mask from a file. Signals ``failed`` where it is none of this picture."""
        from engine.files import PICTURE_LIMIT, read_regular
        from engine.media.masks import read_mask
        from engine.protocol.errors import from_os_error

        mask = self.mask
        if mask is None:
            return
        try:
            try:
                content = read_regular(path, PICTURE_LIMIT)
            except OSError as error:
                raise from_os_error(error, "reading the mask", path) from error
            rect = mask.set_pixels(read_mask(content, path, (mask.width, mask.height)))
        except LaternaError as error:
            self.failed.emit(error)
            return
        self.canvas.refresh(rect)
        self.canvas.finish()

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, self.tr("Take the mask from a file"), str(self._path.parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.load(Path(name)))
        dialog.open()

    def _from_alpha(self) -> Rect | None:
        """What is transparent in the picture is made anew."""
        from engine.files import PICTURE_LIMIT, read_regular
        from engine.media.masks import read_alpha
        from engine.protocol.errors import BadFile, from_os_error

        assert self.mask is not None
        try:
            alpha = read_alpha(read_regular(self._path, PICTURE_LIMIT), self._path)
        except OSError as error:
            raise from_os_error(error, "reading the picture", self._path) from error
        if alpha is None:
            raise BadFile(f"{self._path.name} has no transparency.", "Paint the mask, or take it from a file.")
        return self.mask.set_pixels(255 - alpha)

    def _from_colour(self, x: float, y: float) -> None:
        from engine.files import PICTURE_LIMIT, read_regular
        from engine.media import pictures
        from engine.protocol.errors import from_os_error

        assert self.mask is not None
        try:
            try:
                content = read_regular(self._path, PICTURE_LIMIT)
            except OSError as error:
                raise from_os_error(error, "reading the picture", self._path) from error
            import numpy as np

            rect = self.mask.from_colour(np.asarray(pictures.decode(content, self._path)), x, y, TOLERANCE)
        except LaternaError as error:
            self.failed.emit(error)
            return
        self.canvas.refresh(rect)
        self.canvas.finish()

    # --- tools

    def _choose(self, tool: str) -> None:
        self.tools.set_current(tool)
        self.canvas.set_tool(tool)
        self.canvas.setFocus()

    def _step(self, back: bool) -> None:
        if self.mask is not None:
            self.canvas.refresh(self.mask.undo() if back else self.mask.redo())
            self._show_state()

    def _use(self) -> None:
        if self.use.isEnabled():
            self.used.emit()

    def _show_brush(self) -> None:
        values = (self.brush, round(self.canvas.size_of_brush)), (self.hardness, round(self.canvas.hardness * 100))
        for spin, value in values:
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)

    def _show_state(self) -> None:
        mask = self.mask
        self.undo.setEnabled(mask is not None and mask.can_undo)
        self.redo.setEnabled(mask is not None and mask.can_redo)
        self.use.setEnabled(mask is not None and bool(mask.pixels.any()))


def _name(event: QKeyEvent) -> str:
    """As shortcuts are written; one letter for the key that types it."""
    if event.text() in ("[", "]", "{", "}"):
        return event.text()
    return QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
