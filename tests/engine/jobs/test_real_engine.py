"""The job service over the real engine process and a tiny model: killed in any way, the result is the same."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.paths import EMBEDDED_MODELS
from engine.jobs.notices import EngineStateChanged, JobProgressed, QueueChanged
from engine.jobs.watchdog import Patience
from engine.media import metadata
from engine.models.catalog import MINI_VIDEO
from engine.models.installed import open_folder
from engine.protocol.recipe import Recipe
from tests.fakes import service as fake_service
from tests.fakes.service import Running
from tests.fakes.tiny_models import save_tiny_model

RECIPE = Recipe(
    family="sd35",
    model="tiny",
    prompt="a red apple on the left",
    width=192,
    height=192,
    steps=120,
    sampler="dpmpp_2m_sde",
    max_sequence_length=20,
    seed=11,
)


@pytest.fixture
def real(run: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Running]:
    monkeypatch.setenv("LATERNA_THREADS", "1")
    monkeypatch.setattr(fake_service, "PATIENCE", 120.0)
    command = [sys.executable, "-m", "engine.worker"]
    patience = Patience(silence=4.0, busy_silence=8.0)
    # So short a job may well end before a checkpoint is worth its cost.
    return lambda: run(engine_command=command, patience=patience, checkpoint_share=1.0)


def pixels(running: Running, id: str, recipe: Recipe = RECIPE) -> str:
    ended = running.wait_ended(id).job
    assert ended.state == "done", ended.error
    (file,) = ended.files
    found = metadata.read(Path(file))
    assert found.recipe.replace(model_hashes={}) == recipe
    return found.pixels_sha256


def test_killed_stopped_paused_and_closed_in_the_middle_the_pixels_are_those_of_an_uninterrupted_run(
    real: Callable[[], Running], tmp_path: Path
) -> None:
    model = save_tiny_model(tmp_path / "model", "sd35-medium")
    running = real()
    ids = [running.service.submit(RECIPE, model)[0] for _ in range(4)]
    whole = pixels(running, ids[0])
    for id, number in zip(ids[1:3], (signal.SIGKILL, signal.SIGSTOP), strict=True):
        checkpoint = tmp_path / "checkpoints" / f"{id}.safetensors"
        running.wait(JobProgressed, lambda n, id=id, file=checkpoint: n.job == id and n.step > 5 and file.exists())
        os.kill(running.service.engine_pid, number)
        running.told.clear()
        assert pixels(running, id) == whole
        steps = [n.step for n in running.told if isinstance(n, JobProgressed) and n.job == id and n.step]
        assert min(steps) > 1, "it went on from the checkpoint"
    running.wait(JobProgressed, lambda n: n.job == ids[3] and n.step > 5)
    running.service.pause([ids[3]])
    running.wait(QueueChanged, lambda n: [job.state for job in n.jobs] == ["paused"])
    running.service.resume([ids[3]])
    running.wait(JobProgressed, lambda n: n.job == ids[3] and n.step > 8)
    running.stop()  # the window is closed: the engine leaves a checkpoint at the step it has reached
    again = real()
    assert pixels(again, ids[3]) == whole
    assert min(n.step for n in again.told if isinstance(n, JobProgressed) and n.step) > 1
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_clip_of_49_frames_that_is_killed_while_it_is_decoded_does_not_sample_again(
    real: Callable[[], Running],
) -> None:
    folder = EMBEDDED_MODELS / MINI_VIDEO
    recipe = open_folder(folder).info.recipe("a red ball").replace(frames=49, steps=3, seed=5)
    running = real()
    whole = pixels(running, running.service.submit(recipe, folder)[0], recipe)
    (id,) = running.service.submit(recipe, folder)
    running.wait(JobProgressed, lambda n: n.job == id and n.stage == "decoding")
    os.kill(running.service.engine_pid, signal.SIGKILL)
    running.wait(EngineStateChanged, lambda n: n.state == "restarting")
    running.told.clear()
    assert pixels(running, id, recipe) == whole
    stages = [n.stage for n in running.told if isinstance(n, JobProgressed) and n.job == id]
    assert "decoding" in stages and not {"encoding", "denoising"} & set(stages)
