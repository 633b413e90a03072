"""The dialogs of files, as the window opens them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from ui.dialogs import ask_file, ask_target


def _dialog(parent: QWidget) -> QFileDialog:
    (dialog,) = parent.findChildren(QFileDialog)
    return dialog


def test_saving_asks_where_and_suggests_a_name(qtbot: QtBot, tmp_path: Path) -> None:
    """Every export goes this way; the function it needs was once missing, and each button did nothing."""
    parent = QWidget()
    qtbot.addWidget(parent)
    chosen: list[Path] = []
    ask_target(parent, "Save a copy", tmp_path / "apple.png", chosen.append)
    dialog = _dialog(parent)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave and dialog.defaultSuffix() == "png"
    assert dialog.selectedFiles() == [str(tmp_path / "apple.png")]
    dialog.fileSelected.emit(str(tmp_path / "mine.png"))
    assert chosen == [tmp_path / "mine.png"]


def test_what_can_be_dropped_can_be_chosen(qtbot: QtBot, tmp_path: Path) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    ask_file(parent, tmp_path, lambda path: None)
    (names,) = _dialog(parent).nameFilters()
    assert all(
        f"*.{suffix}" in names for suffix in ("png", "mp4", "json", "webp", "txt", "heic", "avif", "tiff", "bmp")
    )
