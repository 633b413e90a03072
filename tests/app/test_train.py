"""``train`` passes its arguments on, whatever they look like, and ends with the training's exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import train
from app.cli.parser import build_parser
from app.paths import Paths

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("given", [["--help"], ["lora", "--json", "--home", "x"], ["--threads", "2", "list"], []])
def test_everything_behind_the_name_is_passed_on(given: list[str]) -> None:
    assert build_parser().parse_args(["--home", "/h", "train", *given]).arguments == given


def test_the_training_runs_in_its_own_process_with_this_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told.json"
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv[1:], os.environ['LATERNA_TRAINING']], open({str(told)!r}, 'w'))\nsys.exit(5)\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.delenv("LATERNA_TRAINING", raising=False)
    home = tmp_path / "home"
    assert train.run(build_parser().parse_args(["train", "list", "--json"]), Paths.find(str(home))) == 5
    assert json.loads(told.read_text()) == [["-m", "engine.training", "list", "--json"], str(home / "data/training")]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"--data": "nowhere"}, "There is no folder .*nowhere"),
        ({"--model": "no-model"}, "There is no folder .*no-model"),
        ({"--out": "lora.pt"}, "lora.pt"),
    ],
)
def test_folders_that_are_not_there_are_told_of_before_the_training_starts(
    tmp_path: Path, given: dict[str, str], problem: str
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "model").mkdir()
    usual = {"--data": "data", "--model": "model", "--out": "lora.safetensors"} | given
    line = ["train", "lora", *(word for name, value in usual.items() for word in (name, str(tmp_path / value)))]
    script = (
        f"import sys; sys.argv = {line!r}; from engine.training.__main__ import main; code = main();"
        " assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, re.search(problem, done.stderr) is not None) == (2, True), done.stderr
