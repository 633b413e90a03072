"""Installed from its wheel, away from the clone: the command, the engine and the window, from a folder that stays as it
was."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

import start
from engine.media import metadata
from engine.protocol.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "ui", "engine", "resources")
NEEDED = (*PACKAGES, "requirements", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as ``pip wheel .`` does it, from a copy that holds nothing of an earlier build, and without a network."""
    source = tmp_path_factory.mktemp("source")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    out = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(out), str(source))
    (built,) = out.iterdir()
    return built


class Installed:
    """``run`` calls ``laterna`` in a folder that has nothing to do with it."""

    def __init__(self, place: Path, elsewhere: Path) -> None:
        self.place = place
        self.elsewhere = elsewhere
        self.home = elsewhere / "home"

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("LATERNA_")}
        own |= {"PYTHONPATH": str(self.place), "HOME": str(self.elsewhere), "LATERNA_HOME": str(self.home)}
        command = [str(self.place / "bin" / "laterna"), *arguments]
        done = subprocess.run(
            command,
            env=own | (environment or {}),
            cwd=self.elsewhere,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done

    def contents(self) -> dict[str, str]:
        files = (path for path in self.place.rglob("*") if path.is_file())
        return {str(path.relative_to(self.place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """In a folder that is not to be written; root may write all the same, so it is looked at afterwards too."""
    place = tmp_path_factory.mktemp("installed")
    _pip("install", "--no-deps", "--no-index", "--target", str(place), str(wheel))
    laterna = Installed(place, tmp_path_factory.mktemp("elsewhere"))
    before = laterna.contents()
    folders = [place, *(path for path in place.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        yield laterna
        assert laterna.contents() == before
    finally:
        for folder in folders:
            folder.chmod(0o755)


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_in_the_wheel(wheel: Path) -> None:
    """Every module and every resource of the clone, and no test, nor what only translators need."""
    packed = {name for name in ZipFile(wheel).namelist() if not name.startswith("laterna-")}
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    needed = {
        name
        for name in tracked.stdout.splitlines()
        if not re.fullmatch(r"resources/translations/.*\.(py|ts)", name) and (ROOT / name).exists()
    }
    assert needed - packed == set()
    assert {name for name in packed - needed if name.split("/")[0] not in PACKAGES} == set()


def test_it_asks_for_the_torch_that_a_clone_gets() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    files = project["tool"]["setuptools"]["dynamic"]["dependencies"]["file"]
    asked = "".join((ROOT / file).read_text("utf-8") for file in files)
    assert f"torch=={start.TORCH_VERSION}\n" in asked


def test_the_command_runs_what_is_installed(installed: Installed) -> None:
    assert installed.run("--version").stdout.strip() == f"Laterna {VERSION}"
    assert "start.py generate" not in installed.run("generate", "--help").stdout
    assert "usage: laterna train" in installed.run("train", "--help").stdout


def test_a_picture_is_made_planned_and_made_again(installed: Installed) -> None:
    file = installed.elsewhere / "apple.png"
    recipe = ("--model", "laterna-mini-image", "--width", "64", "--height", "64", "--steps", "2", "--seed", "5")
    installed.run("generate", "--prompt", "a red apple", *recipe, "--out", "apple.png")
    with Image.open(file) as picture:
        assert picture.size == (256, 256)
    made = metadata.read(file).recipe
    assert made is not None and (made.prompt, made.seed) == ("a red apple", 5)
    installed.run("reproduce", "apple.png")
    for model in ("laterna-mini-image", "laterna-mini-image-turbo"):
        assert json.loads(installed.run("plan", "--model", model, "--json").stdout)


def test_a_model_that_shares_components_draws(installed: Installed) -> None:
    recipe = ("--model", "laterna-mini-image-turbo", "--width", "64", "--height", "64", "--steps", "1", "--seed", "5")
    installed.run("generate", "--prompt", "a red apple", *recipe, "--out", "turbo.png")
    with Image.open(installed.elsewhere / "turbo.png") as picture:
        assert picture.size == (256, 256)


def test_the_window_opens(installed: Installed) -> None:
    told = {"QT_QPA_PLATFORM": "offscreen", "LATERNA_BENCH_FIRST_PAINT": repr(time.time())}
    done = installed.run(environment=told)
    assert "first paint" in done.stdout
    assert (installed.home / "logs").is_dir()
