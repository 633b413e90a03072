from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.settings import Settings
from ui.settings_page.settings_window import SettingsWindow
from ui.settings_page.table import GROUPS, SETTINGS
from ui.theme import Theme
from ui.window.main_window import MainWindow

NOT_SET_HERE = {"version", "kind", "drafts", "presets", "geometry", "splitter", "toured"} | {
    field.name for field in msgspec.structs.fields(Settings) if field.name.endswith("_open")
}


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, settings: Settings, tmp_path: Path) -> Iterator[SettingsWindow]:
    page = SettingsWindow(settings, lambda field, value: setattr(settings, field, value), tmp_path, theme=theme)
    qtbot.addWidget(page)
    page.show()
    yield page


def shown(page: SettingsWindow) -> list[str]:
    return [field for field, (row, _reset) in page._rows.items() if not row.isHidden()]


def test_every_setting_has_a_row() -> None:
    fields = {field.name for field in msgspec.structs.fields(Settings)} - NOT_SET_HERE
    assert {row.field for row in SETTINGS} == fields
    assert {row.group for row in SETTINGS} == set(GROUPS)


def test_every_default_is_said(page: SettingsWindow) -> None:
    for row in SETTINGS:
        assert bool(page._default_text(row)) == (row.kind in ("switch", "choice", "number"))


def test_changes_take_effect_and_go_back(qtbot: QtBot, page: SettingsWindow, settings: Settings) -> None:
    for row in SETTINGS:
        control = page.controls[row.field]
        before = control.value()
        reset = page._rows[row.field][1]
        assert reset.isHidden()
        if row.kind == "switch":
            control.box.click()
        elif row.kind == "choice":
            control.combo.setCurrentIndex(1)
            control.combo.activated.emit(1)
        elif row.kind == "number":
            control.spin.setValue(row.numbers[1])
        elif row.kind == "folder":
            control.choose(Path("/somewhere/else"))
        else:
            qtbot.keyClicks(control.line, "{seed}")
        assert control.value() != before and getattr(settings, row.field) == control.value()
        reset.click()
        assert getattr(settings, row.field) == getattr(Settings(), row.field) and control.value() == before


def test_search_finds_by_words_of_name_and_note(qtbot: QtBot, page: SettingsWindow) -> None:
    qtbot.keyClicks(page.search, "folder")
    assert shown(page) == ["output_folder"]
    page.search.setText("preview")
    assert "preview_interval" in shown(page) and "theme" not in shown(page)
    page.search.setText("nothing of the kind")
    assert shown(page) == [] and not page.nothing.isHidden()
    page.search.clear()
    assert len(shown(page)) == len(SETTINGS)


def test_a_wrong_word_in_a_name_is_said_and_not_taken(qtbot: QtBot, page: SettingsWindow, settings: Settings) -> None:
    control = page.controls["file_name"]
    qtbot.keyClicks(control.line, "{sed}")
    assert "{sed}" in control.example.text_whole() and "{sed}" not in settings.file_name


def test_in_the_window(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_.action("show_settings").trigger()
    page = window.pages.settings
    assert page is not None and page.isVisible()
    page.controls["theme"].combo.setCurrentIndex(2)
    page.controls["theme"].combo.activated.emit(2)
    assert window.theme.mode == "light" and window.preferences.theme == "light"
    page.controls["previews"].box.click()
    assert not window.feed.show_previews and not window.actions_.action("toggle_previews").isChecked()
    window.actions_.action("toggle_previews").trigger()
    page.refresh()
    assert page.controls["previews"].value() is True
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert page.isHidden()
