"""Changing a part of a picture: its mask is painted in the place of the view, and goes into the form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from engine.files import PICTURE_LIMIT, read_regular
from engine.protocol.errors import LaternaError
from engine.protocol.inpainting import Inpainting
from engine.protocol.inputs import STARTING, Input
from engine.protocol.working_size import working_size
from ui.actions import Actions
from ui.background import Background
from ui.messages import Message
from ui.session import Session
from ui.theme import Theme

if TYPE_CHECKING:
    from ui.mask.mask_editor import MaskEditor
    from ui.player.view_panel import ViewPanel

CLOSE_UP_FROM = 1.5
"""So many times the pixels that the model works at, the masked part is worked on alone."""

_Opened = tuple[Path, QImage, Any, bool]
"""The picture's path and pixels, its ``PaintedMask``, and whether the mask it had could not be read."""


class Masking(QObject):
    """``answers`` as in ``Comparing``. Masks are kept in the folder ``inputs``, each by its content.

    Signals: ``began`` the editor is in the place of the view; ``mask_set`` the form has a mask; ``said(Message)``;
    ``failed(LaternaError)``.
    """

    began = Signal()
    mask_set = Signal()
    said = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session, actions: Actions, inputs: Path, *, theme: Theme, parent: QWidget) -> None:
        """The editor is laid out in ``parent``, where the view is too."""
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._inputs = inputs
        self._theme = theme
        self._place = parent
        self._background = Background(1, self)
        self._instead: ViewPanel | None = None
        self._editor: MaskEditor | None = None
        self._path = Path()
        self.answers: dict[str, Callable[[], object]] = {"change_part": self.change_shown}

    def attach_view(self, view: ViewPanel) -> None:
        """What the editor takes the place of."""
        self._instead = view

    @property
    def shown(self) -> MaskEditor | None:
        """The editor, while it is shown."""
        return self._editor if self._editor is not None and not self._editor.isHidden() else None

    def close(self) -> None:
        self._background.close()

    def change_shown(self) -> None:
        """Of the picture that is looked at; again, back to the view."""
        item = self._session.item
        if self.shown is not None:
            self.end()
        elif item is not None and item.kind == "image":
            self.paint(item.file)
        else:
            self.said.emit(Message(self.tr("Choose a picture, of which a part is to be changed."), topic="action"))

    def paint_for_form(self) -> None:
        """Of the picture that the form starts from."""
        start = self._session.draft.recipe.input_of("start")
        if start is not None:
            self.paint(Path(start.path))

    def paint(self, path: Path) -> None:
        """Show the editor with the picture in ``path``, and with its mask, where the form has it."""
        recipe = self._session.draft.recipe
        start, mask = recipe.input_of("start"), recipe.input_of("mask")
        is_this = start is not None and mask is not None and Path(start.path) == path
        before = Path(mask.path) if is_this and mask is not None else None
        self._background.run(lambda: _opened(path, before), self._show, self.failed.emit)

    def _show(self, opened: _Opened) -> None:
        view = self._instead
        if view is None:
            return
        if self._editor is None:
            from ui.mask.mask_editor import MaskEditor

            self._editor = MaskEditor(theme=self._theme)
            self._editor.used.connect(self._use)
            self._editor.given_up.connect(self.end)
            self._editor.failed.connect(self.failed)
            self._place.layout().addWidget(self._editor)
        self._path, picture, mask, is_lost = opened
        if is_lost:
            text = self.tr("The mask that the form has cannot be read; here is an empty one.")
            self.said.emit(Message(text, "warning", seconds=0.0, topic="action"))
        view.playback.pause()
        view.hide()
        self._editor.show()
        self._editor.show_picture(self._path, picture, mask)
        self.began.emit()

    def end(self) -> None:
        if self._editor is not None and self._instead is not None:
            self._editor.hide()
            self._editor.clear()
            self._instead.show()
            self._instead.canvas.setFocus()

    def _use(self) -> None:
        if self._editor is None or self._editor.mask is None:
            return
        mask, path, folder = self._editor.mask, self._path, self._inputs
        size = mask.width, mask.height
        pixels = mask.pixels.copy()
        self.end()
        self._background.run(
            lambda: _kept(pixels, folder), lambda kept: self._into_form(path, kept, size), self.failed.emit
        )

    def _into_form(self, path: Path, mask: Path, size: tuple[int, int]) -> None:
        """The picture and its mask, the size to work at, and no making larger: the result has the picture's size."""
        actions, session = self._actions, self._session
        back = actions.keep_draft()
        if not _takes_masks(session):
            session.set_kind("image")
        model = session.model
        if model is None or not _takes_masks(session):
            back()
            text = self.tr("No model on this machine changes a part of a picture.")
            self.said.emit(Message(text, "warning", seconds=0.0, topic="action"))
            return
        recipe = session.draft.recipe
        before = recipe.input_of(*STARTING)
        is_same = before is not None and Path(before.path) == path and recipe.input_of("mask") is not None
        strength = before.strength if is_same and before is not None else 1.0
        usual = model.info.defaults.width, model.info.defaults.height
        how = recipe.inpainting or Inpainting()
        if not is_same:
            is_large = size[0] * size[1] > CLOSE_UP_FROM * usual[0] * usual[1]
            how = msgspec.structs.replace(how, only_masked=is_large)
        width, height = working_size(how, size, usual, model.family)
        inputs = Input("start", str(path), strength=strength), Input("mask", str(mask))
        others = tuple(one for one in recipe.inputs if one.role not in (*STARTING, "mask"))
        recipe = recipe.replace(inputs=(*inputs, *others), inpainting=how, width=width, height=height, upscaling=None)
        session.replace(session.draft.replace(recipe=recipe))
        self.mask_set.emit()
        text = self.tr("The masked part of {file} is made anew. Say what should be there, and generate.")
        actions.offer_undo(text.format(file=path.name), self.tr("the mask"), back)


def _takes_masks(session: Session) -> bool:
    return session.model is not None and any(rule.role == "mask" for rule in session.model.inputs)


def _opened(path: Path, before: Path | None) -> _Opened:
    """The picture, as the engine reads it, with its mask. Raises ``BadFile``."""
    from engine.media import pictures
    from engine.media.masks import PaintedMask, read_mask

    picture = pictures.read(path)
    width, height = picture.size
    image = QImage(picture.tobytes(), width, height, width * 3, QImage.Format.Format_RGB888)
    mask, is_lost = PaintedMask(width, height), False
    if before is not None:
        try:
            mask.set_pixels(read_mask(read_regular(before, PICTURE_LIMIT), before, (width, height)))
            mask.finish()
        except (OSError, LaternaError):
            is_lost = True
    return path, image.convertToFormat(QImage.Format.Format_RGB32), mask, is_lost


def _kept(pixels: Any, folder: Path) -> Path:
    from engine.media.masks import keep_mask

    return keep_mask(pixels, folder)
