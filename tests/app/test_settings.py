from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from app.settings import Settings, SettingsFile
from engine.protocol.errors import NotWritable
from engine.protocol.recipe import VERSION, Recipe
from ui.draft import Draft, Preset


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
    assert file.notice is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000],
    ids=["empty", "cut", "bytes", "list", "deep"],
)
def test_a_file_that_is_no_json_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(damage)
    file = SettingsFile(path)
    assert file.load() == Settings()
    aside = list(tmp_path.glob("settings.damaged-*.json"))
    assert [one.read_bytes() for one in aside] == [damage]
    assert file.notice is not None and aside[0].name in file.notice.remedy and "defaults" in file.notice.remedy
    file.save(Settings(theme="dark"))
    assert SettingsFile(path).load().theme == "dark"


PLAIN = '{"theme": "dark", "output_folder": "/bücher/猫", "notify": false}'


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.replace("}", ",\r\n}").encode(),
    ],
    ids=["mark", "utf-16", "utf-16-be", "comma and ends of Windows"],
)
def test_what_editors_add_loses_nothing(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(raw)
    file = SettingsFile(path)
    assert file.load() == Settings(theme="dark", output_folder="/bücher/猫", notify=False)
    assert file.notice is None and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("damage", "left_out", "kept"),
    [
        ('"theme": "pink"', "theme", Settings()),
        ('"keep_free": NaN', "keep_free", Settings()),
        ('"keep_free": 1e999', "keep_free", Settings()),
        (
            '"drafts": {"image": {"recipe": 3, "count": 4}}',
            "drafts.image.recipe",
            Settings(drafts={"image": Draft(count=4)}),
        ),
        ('"drafts": {"video": 1}', "drafts.video", Settings()),
        (
            '"drafts": {"image": {"recipe": {"family": "sd35", "model": "m", "steps": "many", "prompt": "a, b,"}}}',
            "drafts.image.recipe.steps",
            Settings(drafts={"image": Draft(Recipe("sd35", "m", prompt="a, b,"))}),
        ),
        (
            '"presets": [{"name": "a"}, {"name": "b", "recipe": {"family": "sd35", "model": "m"}}]',
            "presets.0",
            Settings(presets=(Preset("b", Recipe("sd35", "m")),)),
        ),
        ('"output_folder": "\\ud800"', "output_folder", Settings()),
    ],
)
def test_one_bad_value_is_left_out_and_named_and_the_others_count(
    tmp_path: Path, damage: str, left_out: str, kept: Settings
) -> None:
    path = tmp_path / "settings.json"
    raw = f'{{"language": "pt_BR", {damage}, "toured": true}}'.encode()
    path.write_bytes(raw)
    file = SettingsFile(path)
    assert file.load() == msgspec.structs.replace(kept, language="pt_BR", toured=True)
    assert file.notice is not None and file.notice.message.endswith(f": {left_out}.")
    (aside,) = tmp_path.glob("settings.damaged-*.json")
    assert aside.read_bytes() == raw and aside.name in file.notice.remedy
    SettingsFile(path).load()
    assert list(tmp_path.glob("settings.damaged-*.json")) == [aside], "one copy, however often it is read"


def test_bytes_that_are_no_text_lose_their_own_value_only(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b'{"theme": "dark", "language": "\xff", "output_folder": "' + "/bücher".encode() + b'"}')
    file = SettingsFile(path)
    assert file.load() == Settings(theme="dark", output_folder="/bücher")
    assert file.notice is not None and file.notice.message.endswith(": language.")


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
