"""``generate --resume``: what is noted, and that it goes on with the recipe whose turn it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import psutil
import pytest

from app.cli import generate
from app.cli.parser import build_parser
from app.cli.unfinished import KEPT, Unfinished, UnfinishedFolder, new_id
from app.paths import Paths
from engine.protocol.errors import BadArguments, BadFile, BadRecipe, Cancelled
from tests.fakes.recipes import picture_recipe


def work(**changes: Any) -> Unfinished:
    values = {"recipes": (picture_recipe(),), "model_folder": "/m", "folder": "/o", "stem": "s", "suffix": ".png"}
    return Unfinished(**({"id": new_id(), "into_library": False} | values | changes))


def test_the_newest_that_nobody_works_on(tmp_path: Path) -> None:
    folder = UnfinishedFolder(tmp_path / "u")
    with pytest.raises(BadArguments, match="nothing to go on with"):
        folder.newest()
    old, new = work(), work()
    folder.save(old)
    folder.save(new)
    assert folder.newest().id == new.id
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        taken = msgspec.structs.replace(
            folder.newest(), process=other.pid, process_started=psutil.Process(other.pid).create_time()
        )
        (tmp_path / "u" / f"{new.id}.json").write_bytes(msgspec.json.encode(taken))
        assert folder.newest().id == old.id
        other.communicate(b"\n")
    assert folder.newest().id == new.id
    (tmp_path / "u" / "damaged.json").write_text("{")
    folder.remove(new)
    with pytest.raises(BadFile, match=r"damaged\.json"):
        folder.newest()
    (tmp_path / "u" / "damaged.json").unlink()
    assert folder.newest().id == old.id


@pytest.mark.parametrize("ending", ["json", "copy"])
def test_damage_to_a_note_does_not_forget_the_job(tmp_path: Path, ending: str) -> None:
    folder, kept = UnfinishedFolder(tmp_path), work()
    folder.save(kept)
    note = tmp_path / f"{kept.id}.{ending}"
    for place in range(0, note.stat().st_size, 7):
        data = bytearray(note.read_bytes())
        data[place] ^= 4
        note.write_bytes(data)
        assert folder.newest().recipes == kept.recipes
    folder.remove(kept)
    assert not list(tmp_path.iterdir())


def test_only_the_newest_are_kept_and_their_checkpoints_go_with_them(tmp_path: Path) -> None:
    folder = UnfinishedFolder(tmp_path)
    for number in range(KEPT + 3):
        one = work(id=f"{number:016x}")
        folder.checkpoint(one).write_bytes(b"x")
        folder.save(one)
    assert len(list(tmp_path.glob("*.json"))) == len(list(tmp_path.glob("*.safetensors"))) == KEPT


class Session:
    """An engine that makes empty files, and is interrupted where ``stop_at`` says."""

    stop_at = -1
    error: BaseException = Cancelled("Cancelled.")
    seeds: list[int] = []
    checkpoints: list[Path] = []
    device = memory = None
    resumed = False

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def wait_ready(self) -> None:
        pass

    def generate(self, recipe: Any, model: Path, folder: Path, stem: str, *rest: Any) -> Any:
        checkpoint = rest[4]
        self.checkpoints.append(checkpoint)
        if len(self.seeds) == self.stop_at:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            checkpoint.write_bytes(b"state")
            raise self.error
        self.seeds.append(recipe.seed)
        path = folder / f"{stem}.png"
        path.write_bytes(b"png")
        return SimpleNamespace(files=[SimpleNamespace(path=str(path), pixels_sha256="x")], seconds={}, peak_memory=0)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(generate, "EngineSession", Session)
    monkeypatch.setattr(Session, "seeds", [])
    monkeypatch.setattr(Session, "checkpoints", [])
    return Paths.find(str(tmp_path / "home"))


def call(paths: Paths, *arguments: str) -> int:
    return generate.run(build_parser().parse_args(["generate", *arguments]), paths)


@pytest.mark.parametrize("error", [Cancelled("Cancelled."), KeyboardInterrupt()])
def test_it_goes_on_with_the_recipe_that_was_stopped(
    paths: Paths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
) -> None:
    monkeypatch.setattr(Session, "stop_at", 1)
    monkeypatch.setattr(Session, "error", error)
    out = tmp_path / "a.png"
    with pytest.raises(type(error)):
        call(paths, "--prompt", "x", "--seed", "5", "--count", "3", "--out", str(out))
    assert "generate --resume" in capsys.readouterr().err
    monkeypatch.setattr(Session, "stop_at", -1)
    assert call(paths, "--resume") == 0
    assert Session.seeds == [5, 6, 7]
    assert Session.checkpoints[1] == Session.checkpoints[2], "from its checkpoint"
    assert len(set(Session.checkpoints)) == 3
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a.png", "a_2.png", "a_3.png"]
    assert not os.listdir(paths.unfinished)
    with pytest.raises(BadArguments):
        call(paths, "--resume")


def test_what_cannot_be_made_leaves_nothing_to_go_on_with(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "stop_at", 0)
    monkeypatch.setattr(Session, "error", BadRecipe("No.", "Yes."))
    with pytest.raises(BadRecipe):
        call(paths, "--prompt", "x", "--out", str(tmp_path / "a.png"))
    assert not os.listdir(paths.unfinished)
