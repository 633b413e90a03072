"""Windows of their own are never larger than the one that they belong to."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from ui.widgets.placing import place_over


@pytest.mark.parametrize("size", [(500, 400), (700, 300)])
def test_a_dialog_fits_over_its_parent(qtbot: QtBot, size: tuple[int, int]) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.setGeometry(20, 20, *size)
    parent.show()
    dialog = QDialog(QWidget(parent))
    place_over(dialog, (2000, 2000))
    assert parent.geometry().contains(dialog.geometry())
    place_over(dialog, (200, 100))
    assert (dialog.width(), dialog.height()) == (200, 100)
    assert (dialog.geometry().center() - parent.geometry().center()).manhattanLength() <= 2


def test_without_a_parent_it_fits_the_screen(qtbot: QtBot) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    place_over(dialog, (100_000, 100_000))
    assert dialog.width() <= dialog.screen().availableGeometry().width()
    assert dialog.height() <= dialog.screen().availableGeometry().height()
