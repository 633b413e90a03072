from __future__ import annotations

from pathlib import Path

import msgspec
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import EngineStateChanged, JobEnded, JobProgressed, QueueChanged
from engine.models.installed import InstalledModel
from engine.protocol.events import DeviceInfo
from engine.protocol.recipe import Recipe
from ui.draft import Draft
from ui.session import Session

RECIPE = Recipe(family="sd35", model="laterna-mini-image", prompt="an owl")


def job(name: str, state: str = "waiting") -> Job:
    return Job(name, RECIPE, "folder", state)  # type: ignore[arg-type]


def test_a_draft_without_a_model_takes_the_first_one(session: Session) -> None:
    recipe = session.draft.recipe
    assert (recipe.model, recipe.width, recipe.steps) == ("laterna-mini-image", 128, 20)


def test_a_saved_draft_is_kept_as_it_is(qtbot: QtBot, models: tuple[InstalledModel, ...]) -> None:
    draft = Draft(RECIPE.replace(width=64, height=208, steps=3), count=2)
    session = Session("image", {"image": draft})
    session.set_models(models)
    assert session.draft == draft


def test_a_saved_draft_of_a_lost_model_goes_to_its_kin(qtbot: QtBot, models: tuple[InstalledModel, ...]) -> None:
    session = Session("image", {"image": Draft(RECIPE.replace(model="gone", steps=3))})
    session.set_models(models)
    assert session.draft.recipe == RECIPE.replace(steps=3)


def test_edit_tells_only_changes(qtbot: QtBot, session: Session) -> None:
    with qtbot.assertNotEmitted(session.draft_edited):
        session.edit(session.draft)
    with qtbot.waitSignal(session.draft_edited):
        session.edit(session.draft.replace(count=2))


def test_an_example_becomes_one_of_the_other_kind(session: Session, models: tuple[InstalledModel, ...]) -> None:
    image, video = models
    falling = msgspec.structs.replace(video.info, examples=("a leaf falling",))
    session.set_models((image, InstalledModel(falling, video.folder)))
    session.edit(session.draft.with_recipe(prompt=image.info.examples[0]))
    session.set_kind("video")
    assert session.draft.recipe.prompt == "a leaf falling"


def test_words_of_ones_own_go_along_to_the_other_kind(session: Session) -> None:
    session.edit(session.draft.with_recipe(prompt="an owl of mine"))
    session.set_kind("video")
    assert session.draft.recipe.prompt == "an owl of mine"


def test_restore_of_an_unknown_family_keeps_the_words(session: Session) -> None:
    session.restore(Recipe(family="flux", model="flux-1", prompt="an owl", negative_prompt="blur", seed=7))
    recipe = session.draft.recipe
    assert (recipe.family, recipe.prompt, recipe.negative_prompt, recipe.seed) == ("sd35", "an owl", "blur", 7)


def test_place_in_the_queue(session: Session) -> None:
    session.set_queue(QueueChanged((job("a", "running"), job("b"), job("c"))))
    assert session.place == (1, 3) and session.waiting == 2
    session.job_ended(JobEnded(job("a", "done")))
    session.set_queue(QueueChanged((job("b", "running"), job("c"))))
    assert session.place == (2, 3)
    session.job_ended(JobEnded(job("b", "done")))
    session.job_ended(JobEnded(job("c", "done")))
    session.set_queue(QueueChanged(()))
    session.set_queue(QueueChanged((job("d", "running"),)))
    assert session.place == (1, 1)


def test_progress_goes_with_its_job(session: Session) -> None:
    session.set_queue(QueueChanged((job("a", "running"),)))
    session.set_progress(JobProgressed("a", "denoising", 1, 10, 0.1))
    assert session.progress is not None
    session.job_ended(JobEnded(job("a", "done")))
    assert session.progress is None and session.running is None


def test_the_device_is_remembered_while_the_engine_restarts(session: Session) -> None:
    session.set_engine(EngineStateChanged("ready", "Ready.", DeviceInfo("cpu", "A CPU", 8), {"torch": "2"}))
    session.set_engine(EngineStateChanged("restarting", "Again."))
    assert session.engine.device is not None and session.engine.versions == {"torch": "2"}


def test_models_of_the_other_kind_are_not_offered(session: Session, tmp_path: Path) -> None:
    assert [model.info.id for model in session.models] == ["laterna-mini-image"]
    session.set_kind("video")
    assert [model.info.id for model in session.models] == ["laterna-mini-video"]
    assert session.has_model("laterna-mini-image")
