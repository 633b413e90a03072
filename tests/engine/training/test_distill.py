"""Distillation on a tiny untrained teacher."""

import numpy as np
import pytest
import torch

from engine.training.distill import Distillation, TurboTask
from engine.training.flow import sample_euler
from engine.training.image import ImageShape, ImageTask, latent_noise
from engine.training.pretrain import fit_image_pca
from engine.training.scenes import Domain
from engine.training.text import LayoutHead, TextStack
from engine.training.trainer import Schedule, Trainer

SMALL = Domain((0, 1, 2), (0, 12, 13))
SHAPE = ImageShape(1, 2, 32, 64)
SCHEDULE = Schedule(steps=12, batch=4, muon_lr=0.01, adam_lr=2e-3, warmup=1, ema=0.5)


@pytest.fixture(scope="module")
def pca():
    return fit_image_pca(SMALL, scenes=12)


@pytest.fixture
def teacher(pca) -> ImageTask:
    torch.manual_seed(0)
    task = ImageTask(SMALL, SHAPE, pca, TextStack(32, 64), LayoutHead(64, 64))
    for name, p in task.modules["transformer"].named_parameters():
        if not p.any() and name.endswith("weight"):  # random instead of zero ends, else every velocity is 0
            torch.nn.init.normal_(p, std=0.05)
    return task


def test_a_copy_is_perfect_where_there_is_nothing_to_distil(teacher):
    task = TurboTask(teacher, SHAPE, Distillation(substeps=1, guidance=1.0))
    loss, _ = task.loss(3, SCHEDULE)
    assert loss.item() < 1e-9


def test_the_student_learns_guidance_and_the_teacher_stays(teacher, tmp_path):
    before = {k: v.clone() for k, v in teacher.modules.state_dict().items()}
    task = TurboTask(teacher, SHAPE, Distillation(steps=2, substeps=2, guidance=4.0))
    first = np.mean([task.loss(step, SCHEDULE)[0].item() for step in range(100, 104)])
    trainer = Trainer(task, SCHEDULE, tmp_path)
    for _ in range(12):
        trainer.train_step()
    last = np.mean([task.loss(step, SCHEDULE)[0].item() for step in range(100, 104)])
    assert last < 0.6 * first
    assert all(torch.equal(before[k], v) for k, v in teacher.modules.state_dict().items())
    assert task.sample(["an owl", "a red apple"], seed=1).shape == (2, 128, 128, 3)


def test_a_resumed_distillation_equals_an_uninterrupted_one(teacher, tmp_path):
    def trainer() -> Trainer:
        return Trainer(TurboTask(teacher, SHAPE, Distillation(steps=2, substeps=1)), SCHEDULE, tmp_path)

    whole = trainer()
    for _ in range(4):
        whole.train_step()
    first = trainer()
    for _ in range(2):
        first.train_step()
    first.save()
    second = trainer()
    assert second.resume()
    for _ in range(2):
        second.train_step()
    for one, two in zip(whole.task.modules.parameters(), second.task.modules.parameters(), strict=True):
        assert torch.equal(one, two)


def test_segments_joined_are_the_teachers_own_path(teacher):
    """What the student is taught on its teacher's states ends where the teacher's sampler ends."""
    guided = teacher.guided(["an owl"], 3.0)
    noise = latent_noise(1, 5)
    x = noise
    for start in (1.0, 0.75, 0.5, 0.25):
        x = sample_euler(guided, x, 3, start, start - 0.25)
    assert torch.allclose(x, sample_euler(guided, noise, 12), atol=1e-5)
