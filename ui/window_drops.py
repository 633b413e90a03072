"""Files and texts dropped anywhere on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent

from engine.protocol.errors import LaternaError
from ui.drops import dropped, is_usable
from ui.messages import of_error

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class WindowDrops(QObject):
    """Watches the window's own drag events; fields that take drops themselves come first."""

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
            case QEvent.Type.DragMove:
                if isinstance(event, QDragMoveEvent):
                    self._drag(event)
            case QEvent.Type.DragLeave:
                self._window.form.drop_zone.set_over(False)
            case QEvent.Type.Drop:
                if isinstance(event, QDropEvent):
                    self._drop(event)
            case _:
                return False
        return True

    def _drag(self, event: QDragMoveEvent) -> None:
        """Accept; what was dragged out of this window only over the form, so that letting go elsewhere does nothing."""
        form = self._window.form
        inside = form.rect().contains(form.mapFrom(self._window, event.position().toPoint()))
        usable = event.source() is None or inside
        form.drop_zone.set_over(usable)
        if usable:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()

    def _drop(self, event: QDropEvent) -> None:
        window = self._window
        window.form.drop_zone.set_over(False)
        try:
            what = dropped(event.mimeData())
        except LaternaError as error:
            window.messages.show_message(of_error(error.info(), "action"))
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if isinstance(what, Path):
            window.files.read_file(what)
        else:
            window.actions_.use_text(what)
