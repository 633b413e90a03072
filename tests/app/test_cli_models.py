"""``models`` on the command line, against a loopback hub: results, exit codes, what is shown and what is not."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.hub import NO_ACCESS_TOKEN, TOKEN, FakeHub
from tests.fakes.hub_repositories import small_repository

ROOT = Path(__file__).resolve().parents[2]
REPO = "zai-org/CogVideoX-2b"
GATED = "stabilityai/stable-diffusion-3.5-medium"


class Models:
    def __init__(self, home: Path, hub: FakeHub) -> None:
        self.home, self.hub = home, hub

    def __call__(self, *arguments: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
        return subprocess.run(
            [sys.executable, "-m", "app", "--home", str(self.home), "models", *map(str, arguments)],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=ROOT,
            env=inherited | {"PYTHONPATH": str(ROOT), "HF_ENDPOINT": self.hub.url} | environment,
            check=False,
            timeout=120,
        )

    def json(self, *arguments: str | Path, code: int = 0, stdin: str = "", **environment: str) -> Any:
        done = self(*arguments, "--json", stdin=stdin, **environment)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    with FakeHub() as hub:
        hub.add(REPO, small_repository(REPO))
        hub.add(GATED, small_repository(GATED), gated=True)
        yield Models(tmp_path / "home", hub)


def test_from_licence_to_removal(models: Models, tmp_path: Path) -> None:
    refused = models.json("download", "cogvideox-2b", code=6)["error"]
    assert "Apache" in refused["message"]
    assert not models.hub.asked, "nothing is asked before the licence is accepted"
    assert models.json("licence", "cogvideox-2b", "--accept")["licences"][0]["accepted"]

    dry = models.json("download", "cogvideox-2b", "--dry-run")
    assert dry["need"]["to_fetch"] == sum(file["size"] for file in dry["plans"][0]["files"])
    assert models.hub.sent() == 0
    done = models("download", "cogvideox-2b")
    assert done.returncode == 0, done.stderr
    assert "Downloading cogvideox-2b" in done.stderr
    folder = Path(done.stdout.strip())
    assert (folder / "model_index.json").is_file()

    listed = models.json("list")
    assert "cogvideox-2b" in {model["info"]["id"] for model in listed["installed"]}
    card = next(card for card in listed["cards"] if card["id"] == "cogvideox-2b")
    assert card["installed"][0]["state"] == "ready"
    assert models.json("verify")["ok"]

    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(b"damaged")
    assert not models.json("verify", "cogvideox-2b", code=3)["ok"]
    assert models.json("verify", "cogvideox-2b", "--repair")["ok"]

    moved = models.json("move", tmp_path / "disk two")["folder"]
    assert moved == str(tmp_path / "disk two")
    assert models.json("verify")["ok"]
    assert not (models.home / "data" / "models" / "cogvideox-2b").exists()

    would = models.json("remove", "cogvideox-2b", "--dry-run")
    assert models.json("list")["cards"][3]["installed"]
    gone = models("remove", "cogvideox-2b", "--json")
    assert "frees" in gone.stderr, "it says how much before it does"
    assert json.loads(gone.stdout)["freed"] == would["freed"] > 0
    assert "cogvideox-2b" not in {model["info"]["id"] for model in models.json("list")["installed"]}


def test_gated_models(models: Models) -> None:
    models("licence", "sd3.5-medium", "--accept")
    error = models.json("download", "sd3.5-medium", code=6)["error"]
    assert error["kind"] == "AccessDenied"
    assert "signed in" in error["message"]
    models("token", "set", stdin=NO_ACCESS_TOKEN + "\n")
    assert "not accepted on the site" in models.json("download", "sd3.5-medium", code=6)["error"]["message"]
    saved = models.json("token", "set", stdin=TOKEN + "\n")
    assert saved["place"] == "file"
    file = models.home / "config" / "hub-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert models.json("token", "check")["user"] == "ada"
    assert models("download", "sd3.5-medium").returncode == 0
    assert models.json("token", "delete")["place"] == "none"
    assert not file.exists()
    assert models.json("token", HF_TOKEN=TOKEN)["place"] == "environment"


def test_the_token_is_written_nowhere_else(models: Models) -> None:
    models("licence", "sd3.5-medium", "--accept")
    models("token", "set", stdin=TOKEN + "\n")
    outputs = [models("token", "show"), models("token", "check"), models("download", "sd3.5-medium")]
    models.hub.repos.pop(GATED)
    outputs.append(models("download", "sd3.5-medium"))
    assert outputs[-1].returncode == 3
    assert not any(TOKEN in done.stdout + done.stderr for done in outputs)
    for path in models.home.rglob("*"):
        if path.is_file() and path.name != "hub-token":
            assert TOKEN.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["download", "no-such-model"], 3),
        (["download"], 2),
        (["download", "cogvideox-2b", "--precision", "fp8", "--accept-licence"], 2),
        (["import", "/nowhere"], 2),
        (["remove"], 2),
        (["remove", "no-such-model"], 3),
        (["remove", "../../etc"], 3),
        (["verify", "no-such-model"], 3),
        (["licence", "no-such-licence"], 2),
        (["token", "set"], 2),
        (["move", "."], 2),
    ],
)
def test_bad_arguments_are_sentences(models: Models, arguments: list[str], code: int) -> None:
    done = models(*arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_no_network_is_exit_6(models: Models) -> None:
    models("licence", "cogvideox-2b", "--accept")
    done = models("download", "cogvideox-2b", HF_ENDPOINT="nonsense")
    assert done.returncode == 6, done.stderr
    assert "HF_ENDPOINT" in done.stderr


def test_importing(models: Models, tmp_path: Path) -> None:
    (tmp_path / "x.ckpt").write_bytes(b"PK")
    assert models.json("import", tmp_path / "x.ckpt", code=3)["error"]["kind"] == "UnsafeModel"
