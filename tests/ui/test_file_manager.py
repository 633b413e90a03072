from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ui import file_manager


@pytest.mark.parametrize("is_there", [True, False], ids=["a file manager", "none"])
def test_files_are_shown_or_else_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool, qapp: object
) -> None:
    asked: list[object] = []
    opened: list[QUrl] = []
    monkeypatch.setattr(file_manager.sys, "platform", "linux")
    monkeypatch.setattr(file_manager.dbus, "call", lambda *arguments: asked.append(arguments) or is_there)
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    files = [tmp_path / "a b.png", tmp_path / "c.png", tmp_path / "gone.png"]
    for path in files[:2]:
        path.touch()
    file_manager.show_files(files)
    ((service, _path, _interface, member, (urls, startup)),) = asked
    assert (service, member, startup) == ("org.freedesktop.FileManager1", "ShowItems", "")
    assert [QUrl(url).toLocalFile() for url in urls] == [str(path) for path in files[:2]]
    assert [url.toLocalFile() for url in opened] == ([] if is_there else [str(tmp_path)])


def test_of_a_file_that_is_gone_the_folder_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(file_manager.dbus, "call", lambda *_arguments: pytest.fail("there is nothing to show"))
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    file_manager.show_files([tmp_path / "gone.png"])
    assert [url.toLocalFile() for url in opened] == [str(tmp_path)]
