import pytest
import torch
from PIL import Image
from torch import nn

from engine.training.journal import read_log
from engine.training.muon import Muon, orthogonalise
from engine.training.trainer import ParameterGroup, Schedule, Trainer, split_groups


class LineTask:
    """Fits a small network to a fixed linear map; random only through the step."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.modules = nn.ModuleDict({"block": nn.Linear(8, 8), "end": nn.Linear(8, 4)})
        self.target = torch.randn(4, 8)

    def groups(self) -> list[ParameterGroup]:
        return split_groups(self.modules)

    def loss(self, step, schedule):
        x = torch.randn(32, 8, generator=torch.Generator().manual_seed(step))
        error = (self.modules["end"](self.modules["block"](x)) - x @ self.target.T).square().mean()
        return error, {"error": error.item()}


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(steps=60, batch=32, adam_lr=0.02, warmup=5, ema=0.9)


def test_orthogonalise_evens_out_singular_values():
    matrices = torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(0)) * torch.logspace(-2, 1, 40)
    for given in (matrices, matrices.mT.contiguous()):
        values = torch.linalg.svdvals(orthogonalise(given, steps=8))
        assert values.min() > 0.5
        assert values.max() < 1.3


def test_muon_takes_convolution_kernels():
    kernel = nn.Parameter(torch.randn(6, 4, 3, 3))
    before = kernel.detach().clone()
    kernel.grad = torch.randn(6, 4, 3, 3)
    Muon([kernel], lr=0.1).step()
    step = (before - kernel.detach()).reshape(6, -1) / 0.1
    assert torch.linalg.svdvals(step).max() < 1.3


def test_groups_split_matrices_of_blocks_from_the_rest():
    task = LineTask()
    muon, adam = task.groups()
    assert (muon.kind, adam.kind) == ("muon", "adam")
    assert [p.shape for p in muon.parameters] == [(8, 8)]
    assert len(adam.parameters) == 3


def test_a_training_learns_logs_and_shows_itself(schedule, tmp_path):
    told = []
    Trainer(LineTask(), schedule, tmp_path).run(report=told.append)
    lines = read_log(tmp_path / "log.jsonl")
    assert [line["step"] for line in lines] == list(range(1, 61))
    assert lines[-1]["error"] < 0.3 * lines[0]["error"]
    assert [status.step for status in told] == list(range(1, 61))
    assert told[-1].seconds_left == 0
    with Image.open(tmp_path / "loss.png") as picture:
        assert picture.size == (900, 480)


def test_a_resumed_training_equals_an_uninterrupted_one(schedule, tmp_path):
    whole = Trainer(LineTask(), schedule, tmp_path / "whole")
    for _ in range(30):
        whole.train_step()

    first = Trainer(LineTask(), schedule, tmp_path / "parts")
    for _ in range(17):
        first.train_step()
    first.save()
    second = Trainer(LineTask(), schedule, tmp_path / "parts")
    assert second.resume()
    assert second.step == 17
    for _ in range(13):
        second.train_step()

    for (name, one), two in zip(
        whole.task.modules.state_dict().items(), second.task.modules.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two), name
    assert all(torch.equal(whole._ema[n], second._ema[n]) for n in whole._ema)


def test_a_step_with_a_broken_gradient_changes_nothing(schedule, tmp_path):
    task = LineTask()
    trainer = Trainer(task, schedule, tmp_path)
    before = {n: t.clone() for n, t in task.modules.state_dict().items()}
    task.target = torch.full((4, 8), float("nan"))
    trainer.train_step()
    assert all(torch.equal(before[n], t) for n, t in task.modules.state_dict().items())


def test_the_rate_warms_up_holds_and_falls_to_zero():
    schedule = Schedule(steps=1000, batch=1, warmup=50, decay=0.3)
    assert schedule.rate(0) == pytest.approx(0.02)
    assert schedule.rate(49) == schedule.rate(700) == 1.0
    assert schedule.rate(850) == pytest.approx(0.5)
    assert schedule.rate(1000) == 0.0
