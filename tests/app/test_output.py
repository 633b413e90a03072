"""What commands print, where the stream's encoding is not the text's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.paths import Paths
from engine.media.environment import Environment
from engine.media.save import save_image
from tests.fakes.recipes import picture_recipe

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "一只红色的猫 🐱 Löwe"


def laterna(home: Path, *arguments: object, encoding: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "app", "--home", str(home), *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "output" / "猫🐱.png"
    save_image(np.zeros((8, 8, 3), np.uint8), path, picture_recipe(prompt=PROMPT), Environment())
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "utf-8"])
def test_no_command_fails_at_a_sign_that_cannot_be_written(tmp_path: Path, picture: Path, encoding: str) -> None:
    for command in (["recipe", picture], ["recipe", picture, "--json"], ["workflow", "export", picture]):
        done = laterna(tmp_path, *command, encoding=encoding)
        assert done.returncode == 0, done.stderr
        said = done.stdout.decode(encoding)
        assert PROMPT in json.dumps(json.loads(said[said.index("{") :]), ensure_ascii=False)
    for command in (["library", "check"], ["library", "search"], ["library", "search", "猫", "--json"]):
        done = laterna(tmp_path, *command, encoding=encoding)
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    refused = laterna(tmp_path, "recipe", tmp_path / "没有.png", encoding=encoding)
    assert refused.returncode == 2 and b"Traceback" not in refused.stderr
    assert laterna(tmp_path, "recipe", "--猫", encoding=encoding).returncode == 2


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes there")
def test_a_file_s_name_that_is_no_text_is_printed_as_its_bytes(tmp_path: Path, picture: Path) -> None:
    odd = os.fsencode(picture.parent) + b"/\xff\xfe.png"
    os.rename(picture, odd)
    done = laterna(tmp_path, "library", "search", encoding="utf-8")
    assert done.returncode == 0 and odd in done.stdout, done.stderr
    told = laterna(tmp_path, "library", "search", "--json", encoding="utf-8")
    assert told.returncode == 0 and json.loads(told.stdout)["found"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["recipe", "x" * 100_000],
        ["generate", "--steps", "x" * 100_000],
        ["generate", "--vary", "x" * 100_000, "--prompt", "a"],
    ],
)
def test_no_error_repeats_more_than_can_be_read(tmp_path: Path, arguments: list[str]) -> None:
    done = laterna(tmp_path, *arguments, "x" * 100_000, encoding="utf-8")
    assert done.returncode == 2 and len(done.stderr) < 10_000, done.stderr[:500]


def test_a_name_as_long_as_a_disk_takes_is_written_and_a_longer_one_refused_at_once(
    tmp_path: Path, picture: Path
) -> None:
    for length, code in ((255, 0), (256, 2), (5000, 2)):
        out = tmp_path / ("a" * (length - 5) + ".json")
        done = laterna(tmp_path, "workflow", "export", picture, "--out", out, encoding="utf-8")
        assert done.returncode == code and b"Traceback" not in done.stderr, done.stderr
    too_long = tmp_path / ("猫" * 84 + ".png")
    done = laterna(tmp_path, "generate", "--prompt", "a cat", "--out", too_long, encoding="utf-8")
    assert done.returncode == 2 and b"Loading" not in done.stderr
    several = tmp_path / ("a" * 251 + ".png")
    done = laterna(tmp_path, "generate", "--prompt", "a cat", "--count", "2", "--out", several, encoding="utf-8")
    assert done.returncode == 2 and b"Loading" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no folders")
def test_a_home_that_cannot_be_written_stops_nothing_that_goes_elsewhere(tmp_path: Path, picture: Path) -> None:
    home = Path("/proc/laterna")
    for command in (["recipe", picture], ["workflow", "export", picture, "--out", tmp_path / "a.json"], ["models"]):
        assert laterna(home, *command, encoding="utf-8").returncode == 0
    arguments = ["--prompt", "a red apple", "--steps", "1", "--out", tmp_path / "a.png"]
    done = laterna(home, "generate", *arguments, encoding="utf-8")
    assert done.returncode == 0 and (tmp_path / "a.png").exists(), done.stderr
    refused = laterna(home, "generate", *arguments[:-2], encoding="utf-8")
    assert refused.returncode == 5 and b"Loading" not in refused.stderr, refused.stderr


def test_a_setting_that_cannot_be_read_is_said_by_commands_too(tmp_path: Path) -> None:
    file = Paths.find(str(tmp_path)).settings_file
    file.parent.mkdir(parents=True)
    file.write_text('{"theme": "Dark"}')
    arguments = ["--prompt", "a red apple", "--steps", "1", "--out", tmp_path / "a.png"]
    done = laterna(tmp_path, "generate", *arguments, encoding="utf-8")
    assert done.returncode == 0 and b": theme. The file as it was is kept" in done.stderr
