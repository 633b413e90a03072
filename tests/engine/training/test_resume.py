"""A training that was killed goes on as if it had not been; two processes are one; what fails says so in a sentence."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from engine.protocol.errors import BadFile, BadRecipe, NoSpace, NotWritable
from engine.training import checkpoint
from engine.training.journal import TrainingJournal, read_log
from engine.training.trainer import Schedule, Trainer

from .killed import DropoutTask

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("killed.py")


def start(folder: Path, steps: int, parts: int = 1, pause: float = 0.0, **environment: str) -> subprocess.Popen:
    command = [sys.executable, str(SCRIPT), str(folder), str(steps), str(parts), str(pause)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, cwd=ROOT)


def losses(folder: Path) -> list[tuple[int, float, float]]:
    return [(line["step"], line["loss"], line["norm"]) for line in read_log(folder / "log.jsonl")]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(folder / "last.safetensors")[0]


def wait_for_step(folder: Path, step: int, process: subprocess.Popen) -> None:
    log = folder / "log.jsonl"
    while process.poll() is None:
        if log.is_file() and log.read_bytes().count(b"\n") >= step:
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail("the training ended before it could be killed")


def test_a_killed_training_has_the_losses_and_weights_of_an_undisturbed_one(tmp_path: Path) -> None:
    assert start(tmp_path / "whole", 24).wait() == 0
    killed = start(tmp_path / "killed", 24, pause=0.1)
    wait_for_step(tmp_path / "killed", 9, killed)
    killed.kill()
    killed.wait()
    reached = len(losses(tmp_path / "killed"))
    assert 9 <= reached < 24
    assert start(tmp_path / "killed", 24).wait() == 0
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    ours, theirs = weights(tmp_path / "killed"), weights(tmp_path / "whole")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not list((tmp_path / "killed").glob("*.part"))


def test_two_processes_get_the_weights_that_one_gets(tmp_path: Path) -> None:
    assert start(tmp_path / "one", 6, parts=2).wait() == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    ranks = [
        start(tmp_path / "two", 6, parts=2, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2",
              MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
        for rank in range(2)
    ]  # fmt: skip
    assert [process.wait() for process in ranks] == [0, 0]
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert [line[0] for line in losses(tmp_path / "two")] == [1, 2, 3, 4, 5, 6]
    for ours, theirs in zip(losses(tmp_path / "two"), losses(tmp_path / "one"), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-6)


def test_parts_differ_and_divide_the_batch() -> None:
    schedule = Schedule(steps=1, batch=32, parts=4)
    parts = [schedule.of_part(part) for part in range(4)]
    assert [part.batch for part in parts] == [8] * 4
    drawn = {tuple(torch.randn(3, generator=part.generator(5)).tolist()) for part in parts}
    assert len(drawn) == 4
    assert len({int(part.rng(5).integers(2**60)) for part in parts}) == 4


def test_a_log_goes_back_to_the_checkpoint_and_loses_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({"step": step, "loss": 1.0}) + "\n" for step in range(1, 8)) + '{"step": 8, "lo')
    journal = TrainingJournal(path, 5)
    journal.write({"step": 6, "loss": 2.0})
    journal.close()
    assert [(line["step"], line["loss"]) for line in read_log(path)][-2:] == [(5, 1.0), (6, 2.0)]
    assert path.read_text().count("\n") == 6


def trainer_in(folder: Path, **changes: object) -> Trainer:
    return Trainer(DropoutTask(0.0), Schedule(**({"steps": 3, "batch": 4, "warmup": 1} | changes)), folder)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotWritable, match=str(tmp_path)):
        trainer_in(tmp_path / "file" / "training").run()


def test_a_full_disk_is_told_and_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch) -> None:
    trainer = trainer_in(tmp_path)
    trainer.train_step()
    trainer.save()
    before = (tmp_path / "last.safetensors").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    trainer.train_step()
    with pytest.raises(NoSpace):
        trainer.save()
    assert (tmp_path / "last.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


@pytest.mark.parametrize("damage", ["cut", "another", "other shape"])
def test_a_checkpoint_that_cannot_be_used_is_refused(tmp_path: Path, damage: str) -> None:
    trainer = trainer_in(tmp_path)
    path = tmp_path / "last.safetensors"
    if damage == "another":
        path.write_bytes(b"no safetensors")
    else:
        trainer.save()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    if damage == "other shape":
        trainer.task.modules["end"] = torch.nn.Linear(8, 5)
    with pytest.raises(BadFile) as caught:
        trainer.resume()
    assert str(path) in caught.value.message


def test_a_training_without_gradients_for_long_is_given_up(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path, steps=100)
    trainer.task.target.fill_(float("nan"))
    with pytest.raises(BadRecipe, match="went astray"):
        trainer.run()
    assert trainer.step < 40


def test_averaged_weights_are_put_back(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path)
    for _ in range(3):
        trainer.train_step()
    before = {n: t.clone() for n, t in trainer.task.modules.state_dict().items()}
    with trainer.averaged():
        assert not all(torch.equal(before[n], t) for n, t in trainer.task.modules.state_dict().items())
        assert not trainer.task.modules.training
    assert all(torch.equal(before[n], t) for n, t in trainer.task.modules.state_dict().items())


def test_adamw_alone_can_train_everything(tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path, optimizer="adamw", steps=2)
    trainer.run()
    tensors, _ = checkpoint.load(tmp_path / "last.safetensors")
    assert {name.rsplit("|", 1)[1] for name in tensors if "|" in name} == {"exp_avg", "exp_avg_sq", "step"}
