"""``plan``: what it prints, what it exits with, and what stays out of its process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import plan
from app.cli.parser import build_parser
from app.paths import Paths
from engine.memory.remedies import NothingFits
from engine.models.catalog import MODELS
from engine.protocol.errors import BadArguments, BadRecipe, ModelMissing


def run(tmp_path: Path, *arguments: str) -> int:
    return plan.run(build_parser().parse_args(["plan", *arguments]), Paths.find(str(tmp_path)))


def test_a_model_that_ships_runs_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--model", "laterna-mini-image") == 0
    printed = capsys.readouterr().out
    assert "Runs: everything resident (exact)" in printed and "denoising" in printed
    assert "torch" not in plan.__dict__ and "128 × 128" in printed


def test_step_caching_is_told_as_not_exact_and_takes_less_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = []
    for tolerance in ("0", "0.2"):
        run(tmp_path, "--model", "sd3.5-medium", "--vram", "24", "--ram", "32", "--step-caching", tolerance, "--json")
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["computed_steps"] == figures[0]["steps"] > figures[1]["computed_steps"]
    assert figures[0]["chosen"]["seconds"] > 1.2 * figures[1]["chosen"]["seconds"]
    run(tmp_path, "--model", "laterna-mini-image", "--step-caching", "0.2")
    assert "steps are left out: the result differs slightly" in capsys.readouterr().out
    with pytest.raises(BadRecipe):
        run(tmp_path, "--model", "laterna-mini-image", "--step-caching", "2")


def test_weights_in_eight_bits_are_offered_and_marked_where_they_are_not_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--model", "sd3.5-large", "--vram", "12", "--ram", "32"]
    run(tmp_path, *asked)
    printed = capsys.readouterr().out
    assert "8-bit weights (other weights; with --weights int8)" in printed and "not in this Laterna" not in printed
    assert "8-bit" not in printed.partition("\n\n")[2].partition("\n")[0]  # the plan that runs
    run(tmp_path, *asked, "--weights", "int8", "--json")
    found = json.loads(capsys.readouterr().out)
    assert "weights" in found["chosen"]["changes"] and "transformer resident" in found["chosen"]["text"]
    assert all("weights" in entry["changes"] for entry in found["plans"])


def test_an_unknown_model_is_told_what_could_be_planned(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        run(tmp_path, "--model", "sd4")
    assert "laterna-mini-image" in caught.value.remedy
    assert all(id in caught.value.remedy for id in MODELS)


def test_json_holds_every_plan_with_its_stages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--model", "sd3.5-medium", "--vram", "24", "--ram", "32", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"]["fits"] and found["chosen"]["can_run"]
    assert found["chosen"]["device_peak"] <= found["machine"]["device_limit"]
    assert [stage["stage"] for stage in found["chosen"]["stages"]] == ["encoding", "denoising", "decoding"]
    assert found["chosen"]["device_peak"] == max(stage["device"] for stage in found["chosen"]["stages"])
    assert {entry["strategy"] for entry in found["plans"]} == {
        "resident", "stage by stage", "block streaming", "disk streaming",
    }  # fmt: skip


def test_where_nothing_fits_the_exit_code_is_4_and_a_change_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NothingFits) as caught:
        run(tmp_path, "--model", "cogvideox-5b", "--vram", "2", "--ram", "4")
    assert caught.value.exit_code == 4
    assert "graphics memory" in caught.value.message
    assert caught.value.remedy == "It would fit with 17 frames."
    assert "RAM" in capsys.readouterr().out


def test_sizes_change_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peaks = []
    for width in ("512", "1440"):
        run(tmp_path, "--model", "sd3.5-medium", "--width", width, "--height", width, "--vram", "24", "--json")
        peaks.append(json.loads(capsys.readouterr().out)["chosen"]["stages"][1]["device"])
    assert peaks[0] < peaks[1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--model", "no-such-model"], ModelMissing),
        (["--model", "sd3.5-medium", "--vram", "-1"], BadArguments),
        (["--model", "sd3.5-medium", "--width", "1000"], BadRecipe),
    ],
)
def test_bad_arguments_are_named(tmp_path: Path, arguments: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(tmp_path, *arguments)


def test_planning_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom app.__main__ import main\n"
        f"code = main(['--home', {str(tmp_path)!r}, 'plan', '--model', 'sd3.5-large', '--vram', '24', '--json'])\n"
        "print(code, 'torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("0 False")


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45.0 s"), (600, "10.0 min"), (26_600, "7.4 h"), (347_310, "4.0 days")]
)
def test_long_times_are_told_in_hours_and_days(seconds: float, text: str) -> None:
    assert plan._seconds(seconds) == text
