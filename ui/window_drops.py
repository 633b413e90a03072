"""Files and texts dropped anywhere on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent

from engine.models.lora_facts import lora_facts
from engine.protocol.errors import BadFile, LaternaError, UnsafeModel
from ui.drops import dropped, files_of, is_usable, only_file
from ui.generate.drop_targets import LORA, MODEL, START, uses_of
from ui.messages import of_error
from ui.recipe_files import takes_pictures

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class WindowDrops(QObject):
    """Watches the window's own drag events; fields that take drops themselves come first. Over the form a file that
    could become several things shows a target for each."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
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
        form = self._window.form
        return form.rect().contains(form.mapFrom(self._window, event.position().toPoint()))

    def _use_at(self, event: QDropEvent) -> str:
        return self._window.form.drop_targets.use_at(self._window.mapToGlobal(event.position().toPoint()))

    def _show(self, usable: bool, over_form: QMimeData | None) -> None:
        """Mark where it may be let go; over the form, as what."""
        form = self._window.form
        form.drop_zone.set_over(usable)
        file = only_file(over_form) if over_form is not None else None
        uses = uses_of(file, takes_pictures(self._window.session)) if file is not None else ()
        if uses:
            form.drop_targets.offer(uses)
        else:
            form.drop_targets.hide()

    def _drop(self, event: QDropEvent) -> None:
        window = self._window
        use = self._use_at(event) if self._is_inside(event) else ""
        self._show(False, None)
        try:
            what = dropped(event.mimeData())
        except LaternaError as error:
            window.messages.show_message(of_error(error.info(), "action"))
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if len(files := files_of(event.mimeData())) > 1:
            self._use_several(files)
        elif isinstance(what, Path):
            self._use(what, use)
        else:
            window.actions_.use_text(what)

    def _use_several(self, files: list[Path]) -> None:
        """Weights each as what they are; the recipes of all others."""
        weights = [path for path in files if {LORA, MODEL} & set(uses_of(path, False))]
        for path in weights:
            self._use(path, "")
        if rest := [path for path in files if path not in weights]:
            self._window.files.read_files(rest)

    def _use(self, path: Path, use: str) -> None:
        window = self._window
        if use == START:
            window.files.start_from(path)
        elif use == LORA:
            window.form.add_lora(path)
        elif use == MODEL:
            window.import_model(path)
        elif {LORA, MODEL} & set(uses_of(path, False)):
            window.background.run(lambda: _kind_of(path), lambda kind: self._use(path, kind), window.failed)
        else:
            window.files.read_file(path)


def _kind_of(path: Path) -> str:
    """What a file of weights is, by its header."""
    try:
        lora_facts(path)
    except (BadFile, UnsafeModel):
        return MODEL
    return LORA
