import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from engine.jobs import restarts
from engine.jobs.notices import (
    EngineStateChanged,
    JobEnded,
    JobProgressed,
    JobsRemoved,
    LibraryChanged,
    MemoryShown,
    PreviewShown,
    QueueChanged,
    ServiceFailed,
)
from engine.jobs.submission import MAX_COUNT
from engine.media import metadata
from engine.protocol.errors import BadRecipe, LibraryBusy
from engine.protocol.family_info import MAX_SEED
from tests.fakes.processes import still_running
from tests.fakes.recipes import clip_recipe, picture_recipe
from tests.fakes.service import FAKE_ENGINE, PATIENCE, Running

ROOT = FAKE_ENGINE.parents[2]


def states(running: Running) -> list[str]:
    return [notice.state for notice in running.told if isinstance(notice, EngineStateChanged)]


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE}


@pytest.mark.parametrize("recipe", [picture_recipe(), clip_recipe()], ids=["picture", "clip"])
def test_a_job_becomes_a_file_in_the_library(run, recipe) -> None:
    running = run()
    (id,) = running.service.submit(recipe, "/models/m")
    change = running.wait(LibraryChanged)
    ended = running.wait_ended(id)
    (item_id,) = ended.item_ids
    item = running.library.item(item_id)
    assert change.added == ended.item_ids == tuple(running.library.ids("apple"))
    assert (ended.job.state, ended.job.files) == ("done", (str(item.path),))
    assert item.recipe == recipe == metadata.read(item.path).recipe
    assert item.path.parent == running.output
    assert "_a-red-apple" in item.path.name


def test_the_window_is_told_everything_in_order(run) -> None:
    running = run()
    ready = running.wait_ready()
    assert ready.device.name == "Fake CPU" and "torch" in ready.versions
    running.wait(MemoryShown)
    (id,) = running.service.submit(picture_recipe(steps=8), "/models/m")
    running.wait_ended(id)
    running.wait(QueueChanged, lambda notice: notice.jobs == ())
    progress = [notice for notice in running.told if isinstance(notice, JobProgressed)]
    assert all(before.fraction <= after.fraction for before, after in pairwise(progress))
    assert [notice.step for notice in progress if notice.stage == "denoising"] == list(range(9))
    assert list(dict.fromkeys(notice.stage for notice in progress)) == [
        *("waiting", "loading", "encoding", "denoising", "decoding", "saving"),
    ]
    assert 0.0 <= progress[0].fraction < progress[-1].fraction <= 1.0
    previews = [notice for notice in running.told if isinstance(notice, PreviewShown)]
    assert previews and all(preview.jpeg.startswith(b"\xff\xd8") and preview.job == id for preview in previews)
    running.stop()
    assert states(running) == ["starting", "starting", "ready", "working", "ready", "stopped"]


def test_previews_can_be_off(run) -> None:
    running = run(preview_interval=lambda: -1.0)
    (id,) = running.service.submit(picture_recipe(), "/models/m")
    running.wait_ended(id)
    assert not [notice for notice in running.told if isinstance(notice, PreviewShown)]


def test_a_count_means_as_many_seeds(run) -> None:
    running = run()
    ids = running.service.submit(picture_recipe(seed=7), "/models/m", count=3)
    ended = [running.wait_ended(id).job for id in ids]
    assert [job.recipe.seed for job in ended] == [7, 8, 9]
    assert len({file for job in ended for file in job.files}) == 3


def test_a_batch_is_several_items(run) -> None:
    running = run()
    (id,) = running.service.submit(picture_recipe(batch=3), "/models/m")
    ended = running.wait_ended(id)
    assert len(ended.item_ids) == len(ended.job.files) == 3


def test_a_folder_and_a_name_of_ones_own(run, tmp_path: Path) -> None:
    running = run()
    ids = running.service.submit(picture_recipe(), "/m", 2, output_folder=str(tmp_path / "own"), file_stem="mine")
    for id in ids:
        ended = running.wait_ended(id)
        assert ended.item_ids
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == ["mine-2.png", "mine.png"]


@pytest.mark.parametrize(
    ("recipe", "count", "field"),
    [
        (picture_recipe(width=65), 1, "width"),
        (picture_recipe(family="flux"), 1, "family"),
        (picture_recipe(), 0, "count"),
        (picture_recipe(), MAX_COUNT + 1, "count"),
        (picture_recipe(seed=MAX_SEED), 2, "seed"),
        (picture_recipe(prompt="\ud800"), 1, "prompt"),
        (picture_recipe(prompt="x" * 100_000), 1, "prompt"),
    ],
)
def test_a_bad_recipe_is_refused_before_it_is_queued(run, recipe, count: int, field: str) -> None:
    running = run()
    with pytest.raises(BadRecipe) as caught:
        running.service.submit(recipe, "/models/m", count=count)
    assert caught.value.field == field
    (id,) = running.service.submit(picture_recipe(seed=MAX_SEED), "/models/m")
    assert running.wait_ended(id).job.state == "done"


def test_cancelling_the_running_job(run) -> None:
    running = run()
    slow, after = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("slow", "after"))
    running.wait(JobProgressed, lambda notice: notice.stage == "denoising")
    running.service.cancel(slow)
    ended = running.wait_ended(slow)
    assert (ended.job.state, ended.item_ids, ended.job.files) == ("cancelled", (), ())
    assert running.wait_ended(after).job.state == "done"
    assert states(running).count("starting") == 2, "the engine stayed"


def test_cancelling_and_moving_what_waits(run) -> None:
    running = run()
    slow, a, b, c = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("slow", "a", "b", "c"))
    running.wait(JobProgressed)
    running.service.cancel(b)
    assert running.wait_ended(b).job.state == "cancelled"
    running.service.move(c, 0)
    running.wait(QueueChanged, lambda notice: [job.id for job in notice.jobs] == [slow, c, a])
    running.service.clear_waiting()
    running.wait(QueueChanged, lambda notice: [job.id for job in notice.jobs] == [slow])
    running.service.cancel("nobody")
    running.service.move("nobody", 0)
    running.service.cancel(slow)
    assert running.wait_ended(slow).job.state == "cancelled"
    ended = {notice.job.id: notice.job.state for notice in running.told if isinstance(notice, JobEnded)}
    assert ended == dict.fromkeys([slow, b], "cancelled")
    assert {job.id for notice in running.told if isinstance(notice, JobsRemoved) for job in notice.jobs} == {a, c}


def test_a_failed_job_keeps_recipe_and_error_and_the_next_runs(run) -> None:
    running = run()
    bad, good = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("fail", "good"))
    ended = running.wait_ended(bad).job
    assert (ended.state, ended.recipe.prompt, ended.error.kind) == ("failed", "fail", "OutOfMemory")
    assert ended.error.remedy
    assert running.wait_ended(good).job.state == "done"


def test_the_engine_is_killed_and_the_job_goes_on(run) -> None:
    running = run("--step-seconds", "0.1")
    (id,) = running.service.submit(picture_recipe(steps=6), "/m")
    running.wait(JobProgressed, lambda notice: notice.step == 3)
    pid = running.service.engine_pid
    os.kill(pid, signal.SIGKILL)
    notice = running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    assert notice.error.kind == "EngineDied" and "SIGKILL" in notice.error.detail
    running.wait(QueueChanged, lambda notice: [job.state for job in notice.jobs] == ["waiting"])
    ended = running.wait_ended(id)
    assert (ended.job.state, ended.job.engine_deaths) == ("done", 1)
    assert len(list(running.output.iterdir())) == 1, "the second try replaces what the first left"


def test_three_deaths_set_a_job_aside_and_the_next_works(run, monkeypatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_DELAY", 0.01)
    running = run()
    bad, good = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("crash", "good"))
    ended = running.wait_ended(bad).job
    assert (ended.state, ended.engine_deaths, ended.error.kind) == ("failed", 3, "EngineDied")
    assert "about to crash" in ended.error.detail
    assert running.wait_ended(good).job.state == "done"


def test_bytes_that_are_no_message_end_the_engine_not_the_service(run, monkeypatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_DELAY", 0.01)
    running = run()
    bad, good = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("garbage", "good"))
    notice = running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    assert "no message" in notice.error.message
    assert running.wait_ended(bad).job.state == "failed"
    assert running.wait_ended(good).job.state == "done"


def test_a_hanging_engine_is_ended_after_a_cancel(run) -> None:
    running = run(cancel_patience=0.2)
    hang, good = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("hang", "good"))
    running.wait(JobProgressed, lambda notice: notice.step == 2)
    running.service.cancel(hang)
    notice = running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    assert notice.error is None, "it was ended on purpose"
    assert running.wait_ended(hang).job.state == "cancelled"
    assert running.wait_ended(good).job.state == "done"


def test_restarting_by_hand_runs_the_job_again(run) -> None:
    running = run("--step-seconds", "0.1")
    (id,) = running.service.submit(picture_recipe(), "/m")
    running.wait(JobProgressed, lambda notice: notice.step == 2)
    running.service.restart_engine()
    ended = running.wait_ended(id).job
    assert (ended.state, ended.engine_deaths) == ("done", 0)
    assert not [n for n in running.told if isinstance(n, EngineStateChanged) and n.error]


def test_an_engine_that_never_starts_is_given_up_until_asked(run, monkeypatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_DELAY", 0.001)
    running = run("--die-at-start")
    (id,) = running.service.submit(picture_recipe(), "/m")
    stopped = running.wait(EngineStateChanged, lambda notice: notice.state == "stopped")
    assert stopped.error.kind == "EngineDied"
    assert states(running).count("restarting") == restarts.MAX_FAILED_STARTS - 1
    running.service.restart_engine()
    running.wait(EngineStateChanged, lambda notice: notice.state == "starting")
    running.stop()
    assert not [notice for notice in running.told if isinstance(notice, JobEnded)]
    again = run()
    assert again.wait_ended(id).job.state == "done", "the job waited"


def test_a_program_that_is_not_there_is_a_sentence(run, monkeypatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_DELAY", 0.001)
    running = run(engine_command=["/nowhere/python"])
    stopped = running.wait(EngineStateChanged, lambda notice: notice.state == "stopped")
    assert "cannot be started" in stopped.error.message


def test_an_engine_of_another_version_is_not_started_again(run) -> None:
    script = (
        "import sys, time; from engine.protocol import codec, events\n"
        "sys.stdout.buffer.write(codec.encode(events.EngineHello(99, '9.9'))); sys.stdout.flush(); time.sleep(60)"
    )
    running = run(engine_command=[sys.executable, "-c", script])
    stopped = running.wait(EngineStateChanged, lambda notice: notice.state == "stopped")
    assert "Laterna 9.9, with version 99" in stopped.text
    assert "restarting" not in states(running)


def test_stopping_puts_the_running_job_back(run) -> None:
    before = children()
    running = run()
    ids = [running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("slow a", "b")]
    running.wait(JobProgressed, lambda notice: notice.stage == "denoising")
    running.stop()
    assert children() == before
    again = run("--step-seconds", "0")
    again.service.cancel(ids[0])
    assert again.wait_ended(ids[0]).job.recipe.prompt == "slow a"
    assert again.wait_ended(ids[1]).job.state == "done"


def test_stopping_before_it_runs(run) -> None:
    running = run()
    running.service.stop()
    running.thread.join(PATIENCE)
    running.library.close()
    assert running.told[-1].state == "stopped"


def test_the_queue_outlives_a_kill_of_the_owner(run, tmp_path: Path) -> None:
    """SIGKILL in the middle of a job: no engine is left over, and the next start goes on with every job."""
    script = f"""
import sys
from pathlib import Path
from engine.jobs.dispatcher import JobSettings
from engine.jobs.notices import JobProgressed
from engine.jobs.service import JobService
from engine.library.library import Library
from tests.fakes.recipes import picture_recipe
folder = Path({str(tmp_path)!r})
def notify(notice):
    if isinstance(notice, JobProgressed) and notice.step == 1:
        print(service.engine_pid, flush=True)
service = JobService(
    queue_database=folder / "queue.sqlite3", library=Library(folder / "library.sqlite3", folder / "output"),
    settings=JobSettings(folder / "output", lambda: folder / "cache", folder / "loras"),
    engine_log=folder / "engine.log", notify=notify,
    engine_command=[sys.executable, {str(FAKE_ENGINE)!r}, "--step-seconds", "0.3"])
service.submit(picture_recipe("first"), "/m")
service.submit(picture_recipe("second"), "/m")
service.run()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as owner:
        engine = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
    assert not still_running([engine], 2.0)
    running = run()
    ended = [running.wait(JobEnded).job for _ in range(2)]
    assert [(job.recipe.prompt, job.state) for job in ended] == [("first", "done"), ("second", "done")]


def test_a_file_saved_just_before_the_end_is_not_made_twice(run, tmp_path: Path) -> None:
    running = run()
    (id,) = running.service.submit(picture_recipe(), "/m")
    file = Path(running.wait_ended(id).job.files[0])
    running.stop()
    for name in tmp_path.glob("library.sqlite3*"):
        name.unlink()
    saved = file.stat().st_mtime_ns
    from engine.jobs.queue import JobQueue

    queue = JobQueue(tmp_path / "queue.sqlite3")
    queue.resume([id])
    queue.start(id, file.stem)  # as it was when the window was killed
    queue.close()
    again = run()
    ended = again.wait_ended(id)
    assert (ended.job.state, ended.job.files, len(ended.item_ids)) == ("done", (str(file),), 1)
    assert file.stat().st_mtime_ns == saved
    assert len(list(file.parent.iterdir())) == 1


def test_files_without_a_row_come_in_at_the_start(run, tmp_path: Path) -> None:
    running = run()
    (id,) = running.service.submit(picture_recipe(), "/m")
    running.wait_ended(id)
    running.stop()
    for name in tmp_path.glob("library.sqlite3*"):
        name.unlink()
    again = run()
    change = again.wait(LibraryChanged)
    assert len(change.added) == 1 and list(again.library.ids("apple")) == list(change.added)


def test_an_unwritable_folder_fails_before_the_work(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am no folder")
    running = run()
    bad = running.service.submit(picture_recipe(), "/m", output_folder=str(tmp_path / "file" / "below"))[0]
    ended = running.wait_ended(bad).job
    assert (ended.state, ended.error.kind) == ("failed", "NotWritable")
    assert ended.error.remedy and not [n for n in running.told if isinstance(n, JobProgressed)]
    (good,) = running.service.submit(picture_recipe(), "/m")
    assert running.wait_ended(good).job.state == "done"


def test_a_full_disk_at_the_end_is_told(run) -> None:
    running = run()
    (id,) = running.service.submit(picture_recipe("full"), "/m")
    assert running.wait_ended(id).job.error.kind == "NoSpace"


def test_a_second_laterna_is_told_that_it_is_busy(run, tmp_path: Path) -> None:
    running = run()
    running.wait_ready()
    with pytest.raises(LibraryBusy, match="Another Laterna"):
        run()
    (id,) = running.service.submit(picture_recipe(), "/m")
    assert running.wait_ended(id).job.state == "done"


def test_preloading_waits_for_the_engine_and_jobs_go_first(run) -> None:
    running = run()
    running.service.preload("/models/m")
    (id,) = running.service.submit(picture_recipe(), "/models/m")
    assert running.wait_ended(id).job.state == "done"


def test_a_library_that_fails_does_not_lose_the_file(run, monkeypatch) -> None:
    running = run()
    running.wait_ready()

    def busy(path: Path) -> None:
        raise LibraryBusy("Another Laterna is using it.", "Close it.")

    monkeypatch.setattr(running.library, "add", busy)
    (id,) = running.service.submit(picture_recipe(), "/m")
    assert running.wait(ServiceFailed).error.kind == "LibraryBusy"
    ended = running.wait_ended(id)
    assert (ended.job.state, ended.item_ids) == ("done", ())
    assert Path(ended.job.files[0]).exists()
