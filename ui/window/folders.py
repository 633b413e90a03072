"""Files and folders that a person chooses or opens: a recipe's file, the folder of new files, that of wildcards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from ui.dialogs import ask_file, ask_folder
from ui.messages import Message
from ui.preference_store import PreferenceStore


class Folders(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name.

    Signals: ``said(Message)``; ``file_chosen(Path)`` one whose recipe is wanted.
    """

    said = Signal(object)
    file_chosen = Signal(object)

    def __init__(self, store: PreferenceStore, usual_output: Path, wildcards: Path, parent: QWidget) -> None:
        """``usual_output`` is where new files go until another folder is chosen. Dialogs open over ``parent``."""
        super().__init__(parent)
        self._store = store
        self._usual_output = usual_output
        self._wildcards = wildcards
        self._over = parent
        self.answers: dict[str, Callable[[], object]] = {
            "open_file": self.open_file,
            "open_wildcards": self.open_wildcards,
            "choose_output_folder": self.choose_output,
            "open_output_folder": self.open_output,
        }

    @property
    def output(self) -> Path:
        """Where new files go."""
        chosen = self._store.values.output_folder
        return Path(chosen) if chosen else self._usual_output

    def open_file(self) -> None:
        ask_file(self._over, self.output, self.file_chosen.emit)

    def open_wildcards(self) -> None:
        """The folder, made now, with a word on what goes into it."""
        self._wildcards.mkdir(parents=True, exist_ok=True)
        _show(self._wildcards)
        text = self.tr("Each text file there is a wildcard: __name__ in a prompt draws one of its lines.")
        self.said.emit(Message(text))

    def choose_output(self) -> None:
        ask_folder(self._over, self.output, self.set_output)

    def set_output(self, folder: Path) -> None:
        self._store.set("output_folder", "" if folder == self._usual_output else str(folder))
        self.said.emit(Message(self.tr("New files go to {folder}.").format(folder=folder)))

    def open_output(self) -> None:
        _show(self.output)


def _show(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
