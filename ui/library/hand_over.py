"""What leaves the window without being dragged: copies on the clipboard, and files shown in their folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl
from PySide6.QtGui import QGuiApplication, QImage

from engine.library.item import Item
from engine.protocol.errors import BadFile, LaternaError
from ui.actions import Actions
from ui.background import Background
from ui.file_manager import show_files
from ui.library.item_actions import ItemActions
from ui.messages import Message, of_error
from ui.session import Session

MOST_FILES = 500


class HandOver(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name."""

    def __init__(self, session: Session, actions: Actions, items: ItemActions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._items = items
        self._background = Background(1, self)
        self.answers: dict[str, Callable[[], object]] = {
            "copy": self.copy,
            "copy_prompt": self.copy_prompt,
            "show_in_folder": self.show_in_folder,
        }

    def close(self) -> None:
        self._background.close()

    def copy(self) -> None:
        """What is chosen: the files and, of a single picture, its pixels."""
        self.copy_items(self._items.items())

    def copy_items(self, items: Sequence[Item], frame: QImage | None = None) -> None:
        """``frame``: of a single clip, the one that is seen."""
        files = [item.file for item in items[:MOST_FILES]]
        if not files:
            return
        single = files[0] if len(items) == 1 and items[0].kind == "image" else None

        def read() -> tuple[list[Path], QImage]:
            there = [file for file in files if file.is_file()]
            if not there:
                raise BadFile(
                    self.tr("{0} is not there any more.").format(files[0].name),
                    self.tr("Look in the system's trash."),
                )
            return there, QImage(str(single)) if single is not None else (frame or QImage())

        def done(found: tuple[list[Path], QImage]) -> None:
            there, image = found
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(path)) for path in there])
            if not image.isNull():
                data.setImageData(image)
            QGuiApplication.clipboard().setMimeData(data)
            count = len(there)
            self._say(self.tr("Copied.") if count == 1 else self.tr("{count} files copied.").format(count=count))

        self._background.run(read, done, self._failed)

    def copy_prompt(self) -> None:
        item = self._session.item
        if item is not None and item.recipe is not None:
            QGuiApplication.clipboard().setText(item.recipe.prompt)
            self._say(self.tr("Prompt copied."))

    def show_in_folder(self) -> None:
        """The files of what is chosen, in the system's file manager."""
        files = [item.file for item in self._items.items()]
        if files:
            show_files(files)

    def _say(self, text: str) -> None:
        self._actions.said.emit(Message(text, topic="action"))

    def _failed(self, error: LaternaError) -> None:
        self._actions.said.emit(of_error(error.info()))
