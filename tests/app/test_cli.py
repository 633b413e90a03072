"""The command line as its user calls it: a process, its exit code, its JSON."""

from __future__ import annotations

import ast
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.bench import MODULES
from app.cli.target import named, write_whole
from engine.media import atomic
from engine.media.environment import Environment
from engine.media.save import save_image
from engine.protocol.errors import NoSpace
from engine.protocol.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]


class Laterna:
    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app", "--home", str(self.home), *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
            timeout=120,
        )

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def laterna(tmp_path: Path) -> Laterna:
    return Laterna(tmp_path / "home")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
    recipe = Recipe(family="sd35", model="laterna-mini-image", prompt="a zebra", width=64, height=64, seed=7)
    save_image(pixels, tmp_path / "zebra.png", recipe, Environment.current())
    return tmp_path / "zebra.png"


def test_recipe_prints_what_made_a_file(laterna: Laterna, picture: Path) -> None:
    done = laterna("recipe", picture)
    assert done.returncode == 0
    assert Recipe.from_json(done.stdout).prompt == "a zebra"
    assert laterna.json("recipe", picture)["recipe"]["seed"] == 7


def test_recipe_of_a_file_without_one(laterna: Laterna, tmp_path: Path) -> None:
    (tmp_path / "not.png").write_bytes(b"not a picture")
    error = laterna.json("recipe", tmp_path / "not.png", code=2)["error"]
    assert error["kind"] == "BadFile"
    assert error["remedy"]


def test_recipe_of_a_missing_file(laterna: Laterna, tmp_path: Path) -> None:
    assert laterna("recipe", tmp_path / "nowhere.png").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "field"),
    [
        (["--prompt", "x", "--width", "100", "--out", "{tmp}/x.png"], 2, "BadRecipe", "width"),
        (["--prompt", "x", "--steps", "0", "--out", "{tmp}/x.png"], 2, "BadRecipe", "steps"),
        (["--prompt", "x" * 100_000, "--out", "{tmp}/x.png"], 2, "BadRecipe", "prompt"),
        (["--prompt", "x", "--guidance", "nan", "--out", "{tmp}/x.png"], 2, "BadRecipe", "guidance"),
        (["--prompt", "x", "--frames", "10", "--out", "{tmp}/x.mp4"], 2, "BadRecipe", "frames"),
        (["--prompt", "x", "--out", "{tmp}/x.mp4", "--model", "laterna-mini-image"], 2, "BadArguments", ""),
        (["--out", "{tmp}/x.png"], 2, "BadArguments", ""),
        (["--prompt", "x", "--count", "0", "--out", "{tmp}/x.png"], 2, "BadArguments", ""),
        (["--prompt", "x", "--model", "sd3.5-large", "--out", "{tmp}/x.png"], 3, "ModelMissing", ""),
        (["--prompt", "x", "--model", "no-such-model", "--out", "{tmp}/x.png"], 3, "ModelMissing", ""),
        (["--prompt", "x", "--out", "/proc/nowhere/x.png"], 5, "NotWritable", ""),
        (["--recipe", "{tmp}/none.json", "--out", "{tmp}/x.png"], 2, "BadFile", ""),
    ],
)
def test_bad_input_is_a_sentence_and_an_exit_code(
    laterna: Laterna, tmp_path: Path, arguments: list[str], code: int, kind: str, field: str
) -> None:
    filled = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    error = laterna.json("generate", *filled, code=code)["error"]
    assert error["kind"] == kind
    assert error.get("field", "") == field
    assert error["message"]
    assert error["remedy"]
    assert not list(tmp_path.glob("x*"))


def test_unknown_arguments_exit_2(laterna: Laterna) -> None:
    assert laterna("generate", "--frobnicate").returncode == 2
    assert laterna("frobnicate").returncode == 2


def test_without_a_screen_it_says_so(laterna: Laterna, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    done = laterna()
    assert done.returncode == 2
    assert "screen" in done.stderr


def test_library_on_the_command_line(laterna: Laterna, picture: Path) -> None:
    assert len(laterna.json("library", "add", picture)["added"]) == 1
    assert laterna.json("library", "search", "zebra")["found"] == 1
    assert laterna.json("library", "search", "giraffe")["found"] == 0
    assert laterna.json("library", "search", "--limit", "1", "zebra")["found"] == 1
    assert laterna.json("library", "search", "zebra", "-zebra")["found"] == 0
    assert "“date:foo” is no such term" in laterna("library", "search", "date:foo").stderr
    assert laterna.json("library", "check")["ok"]
    assert laterna("library", "add").returncode == 2


def test_rebuild_finds_the_files_again(laterna: Laterna, picture: Path) -> None:
    output = laterna.home / "output"
    output.mkdir(parents=True)
    (output / picture.name).write_bytes(picture.read_bytes())
    assert laterna.json("library", "rebuild")["items"] == 1
    assert laterna.json("library", "search", "zebra")["found"] == 1


def test_models_lists_what_ships(laterna: Laterna) -> None:
    listed = laterna.json("models")
    assert {model["info"]["id"] for model in listed["installed"]} >= {"laterna-mini-image", "laterna-mini-video"}
    assert {model["id"] for model in listed["known"]} >= {"sd3.5-large", "cogvideox-5b"}


def test_bench_lists_its_names_and_refuses_others(laterna: Laterna) -> None:
    assert "library" in laterna.json("bench")
    assert laterna.json("bench", "no-such-bench", code=2)["error"]["kind"] == "BadArguments"


@pytest.mark.parametrize(("name", "module"), MODULES.items())
def test_every_benchmark_is_where_the_list_says(name: str, module: str) -> None:
    source = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8"))
    tables = [
        node.value for node in source.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "NAMES"
    ]
    assert any(name == ast.literal_eval(key) for table in tables for key in table.keys)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.png").write_bytes(b"the old one")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "_sync_file", full)
    with pytest.raises(NoSpace):
        write_whole(tmp_path / "mine.png", b"the new one")
    assert (tmp_path / "mine.png").read_bytes() == b"the old one"
    assert len(list(tmp_path.iterdir())) == 1


def test_several_files_are_added_past_a_bad_one(laterna: Laterna, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "not.png").write_bytes(b"not a picture")
    done = laterna("library", "add", tmp_path / "not.png", picture, "--json")
    assert done.returncode == 2
    result = json.loads(done.stdout)
    assert (len(result["added"]), len(result["refused"])) == (1, 1)


def test_out_keeps_its_name_as_written(tmp_path: Path) -> None:
    target = named(str(tmp_path / "X.PNG"), ".png", "The model")
    assert target.path() == tmp_path / "X.PNG"
    assert target.path(2) == tmp_path / "X_2.PNG"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_so_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    # A shell's background jobs ignore Ctrl-C, and so would everything that they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--home", str(tmp_path), "generate", "--prompt", "an owl", "--steps", "200"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stderr
    process.stderr.readline()  # the engine has begun
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Cancelled" in errors
    assert "Traceback" not in errors
    assert not list((tmp_path / "output").iterdir())
