"""Files and texts dropped anywhere on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from engine.models.lora_facts import lora_facts
from engine.protocol.errors import BadFile, LaternaError, UnsafeModel
from ui.actions import Actions
from ui.background import Background
from ui.drops import dropped, files_of, is_usable, only_file
from ui.generate.drop_targets import LORA, MODEL, START, uses_of
from ui.generate.panel import GeneratePanel
from ui.messages import of_error
from ui.session import Session
from ui.window.recipe_files import RecipeFiles, takes_pictures


class WindowDrops(QObject):
    """Watches the window's own drag events; fields that take drops themselves come first. Over the form a file that
    could become several things shows a target for each.

    Signals: ``said(Message)``; ``failed(LaternaError)``; ``model_dropped(Path)`` a model's file or folder.
    """

    said = Signal(object)
    failed = Signal(object)
    model_dropped = Signal(object)

    def __init__(
        self,
        window: QWidget,
        session: Session,
        actions: Actions,
        *,
        form: GeneratePanel,
        files: RecipeFiles,
        background: Background,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._actions = actions
        self._form = form
        self._files = files
        self._background = background
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.DragEnter:
                if isinstance(event, QDragMoveEvent) and is_usable(event.mimeData()):
                    self._drag(event)
                    event.accept()  # Qt tells of no move else; each move says whether it can be let go there
            case QEvent.Type.DragMove:
                if isinstance(event, QDragMoveEvent):
                    self._drag(event)
            case QEvent.Type.DragLeave:
                self._show(False, None)
            case QEvent.Type.Drop:
                if isinstance(event, QDropEvent):
                    self._drop(event)
            case _:
                return False
        return True

    def _drag(self, event: QDragMoveEvent) -> None:
        """Accept; what was dragged out of this window only over the form, so that letting go elsewhere does nothing."""
        inside = self._is_inside(event)
        usable = event.source() is None or inside
        self._show(usable, event.mimeData() if inside else None)
        self._use_at(event)
        if usable:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()

    def _is_inside(self, event: QDropEvent) -> bool:
        form = self._form
        return form.rect().contains(form.mapFrom(self._window, event.position().toPoint()))

    def _use_at(self, event: QDropEvent) -> str:
        return self._form.drop_targets.use_at(self._window.mapToGlobal(event.position().toPoint()))

    def _show(self, usable: bool, over_form: QMimeData | None) -> None:
        """Mark where it may be let go; over the form, as what."""
        form = self._form
        form.drop_zone.set_over(usable)
        file = only_file(over_form) if over_form is not None else None
        uses = uses_of(file, takes_pictures(self._session)) if file is not None else ()
        if uses:
            form.drop_targets.offer(uses)
        else:
            form.drop_targets.hide()

    def _drop(self, event: QDropEvent) -> None:
        use = self._use_at(event) if self._is_inside(event) else ""
        self._show(False, None)
        try:
            what = dropped(event.mimeData())
        except LaternaError as error:
            self.said.emit(of_error(error.info(), "action"))
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if len(files := files_of(event.mimeData())) > 1:
            self._use_several(files)
        elif isinstance(what, Path):
            self._use(what, use)
        else:
            self._actions.use_text(what)

    def _use_several(self, files: list[Path]) -> None:
        """Weights each as what they are; the recipes of all others."""
        weights = [path for path in files if {LORA, MODEL} & set(uses_of(path, False))]
        for path in weights:
            self._use(path, "")
        if rest := [path for path in files if path not in weights]:
            self._files.read_files(rest)

    def _use(self, path: Path, use: str) -> None:
        if use == START:
            self._files.start_from(path)
        elif use == LORA:
            self._form.add_lora(path)
        elif use == MODEL:
            self.model_dropped.emit(path)
        elif {LORA, MODEL} & set(uses_of(path, False)):
            self._background.run(lambda: _kind_of(path), lambda kind: self._use(path, kind), self.failed.emit)
        else:
            self._files.read_file(path)


def _kind_of(path: Path) -> str:
    """What a file of weights is, by its header."""
    try:
        lora_facts(path)
    except (BadFile, UnsafeModel):
        return MODEL
    return LORA
