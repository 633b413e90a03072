from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.settings import Settings, SettingsFile
from engine.protocol.errors import NotWritable
from engine.protocol.recipe import VERSION, Recipe
from ui.draft import Draft


def test_only_what_was_changed_is_written(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "config" / "settings.json")
    draft = Draft(Recipe(family="sd35", model="mini", prompt="an owl", steps=7), count=3)
    file.save(Settings(theme="light", drafts={"image": draft}))
    written = json.loads((tmp_path / "config" / "settings.json").read_text())
    assert written == {
        "theme": "light",
        "drafts": {
            "image": {
                "recipe": {"version": VERSION, "family": "sd35", "model": "mini", "prompt": "an owl", "steps": 7},
                "count": 3,
            }
        },
    }
    assert SettingsFile(tmp_path / "config" / "settings.json").load() == Settings(
        theme="light", drafts={"image": draft}
    )


def test_missing_file_means_defaults(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "settings.json")
    assert file.load() == Settings()
    assert file.notice == ""


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"theme": "pink"}', b'{"drafts": {"image": {"recipe": 3}}}', b"[" * 100_000],
    ids=["empty", "cut", "bytes", "list", "value", "nested", "deep"],
)
def test_damaged_file_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(damage)
    file = SettingsFile(path)
    assert file.load() == Settings()
    aside = list(tmp_path.glob("settings.damaged-*.json"))
    assert [one.read_bytes() for one in aside] == [damage]
    assert aside[0].name in file.notice and "defaults" in file.notice
    file.save(Settings(theme="dark"))
    assert SettingsFile(path).load().theme == "dark"


def test_unknown_settings_of_a_newer_laterna_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "light", "telepathy": true}')
    assert SettingsFile(path).load().theme == "light"


def test_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    file.save(Settings(theme="dark"))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(NotWritable):
        file.save(Settings(theme="light"))
    assert SettingsFile(path).load().theme == "dark"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    file.save(Settings(theme="dark"))
    path.unlink()
    file.save(Settings(theme="dark"))
    assert not path.exists()
