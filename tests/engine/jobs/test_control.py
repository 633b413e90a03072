"""Pausing, going on, editing and varying, and engines that hang: the service with the scripted engine."""

import os
import signal
from pathlib import Path

import pytest

from engine.jobs import restarts
from engine.jobs.checkpoints import CheckpointFolder
from engine.jobs.notices import EngineStateChanged, JobEnded, JobProgressed, JobsRemoved, QueueChanged, ServiceFailed
from engine.jobs.variations import Axis
from engine.jobs.watchdog import LONGEST_TICK, Patience, Watchdog
from tests.fakes.recipes import picture_recipe
from tests.fakes.service import Running

QUICK = Patience(noticed=0.5, silence=1.5, busy_silence=3.0, idle_stall=1.5, busy_stall=60.0)
SLOW = ("--step-seconds", "0.1")


def denoising(step: int):
    return lambda notice: notice.stage == "denoising" and notice.step >= step


def line(running: Running, *expected: tuple[str, str]) -> QueueChanged:
    """The next notice whose jobs have these ids and states."""
    return running.wait(QueueChanged, lambda notice: [(job.id, job.state) for job in notice.jobs] == list(expected))


def steps_told(running: Running, id: str) -> list[int]:
    return [n.step for n in running.told if isinstance(n, JobProgressed) and n.job == id and n.stage == "denoising"]


def test_a_running_job_is_paused_and_goes_on_from_where_it_was(run) -> None:
    running = run(*SLOW)
    first, second = (running.service.submit(picture_recipe(prompt, steps=12), "/m")[0] for prompt in ("a", "b"))
    running.wait(JobProgressed, denoising(3))
    running.service.pause([first])
    assert line(running, (first, "paused"), (second, "waiting")).jobs[0].saved_step >= 3
    line(running, (second, "running"), (first, "paused"))
    running.service.resume([first])
    assert running.wait_ended(second).job.state == "done"
    running.told.clear()
    assert running.wait_ended(first).job.state == "done"
    assert min(steps_told(running, first)) >= 3, "it did not begin again"
    assert not list((running.folder / "checkpoints").iterdir())


def test_a_paused_queue_stops_the_running_job_and_begins_nothing_until_it_goes_on(run) -> None:
    running = run(*SLOW)
    a, b = (running.service.submit(picture_recipe(prompt, steps=8), "/m")[0] for prompt in ("a", "b"))
    running.wait(JobProgressed, denoising(2))
    running.service.pause_queue()
    paused = line(running, (a, "waiting"), (b, "waiting"))
    assert paused.paused and paused.jobs[0].saved_step >= 2
    running.stop()
    again = run(*SLOW)
    assert again.wait(QueueChanged).paused, "it stays so over a restart"
    again.wait_ready()
    again.service.resume_queue()
    assert again.wait_ended(a).job.state == "done"
    assert min(steps_told(again, a)) >= 2
    assert again.wait_ended(b).job.state == "done"


def test_after_a_start_the_queue_waits_where_that_is_set(run) -> None:
    running = run(*SLOW)
    running.service.pause_queue()
    (id,) = running.service.submit(picture_recipe(), "/m")
    running.wait(QueueChanged, lambda notice: len(notice.jobs) == 1)
    running.service.resume_queue()
    running.wait(QueueChanged, lambda notice: not notice.paused)
    running.stop()
    again = run(wait_after_start=True)
    assert again.wait(QueueChanged).paused
    again.service.resume_queue()
    assert again.wait_ended(id).job.state == "done"
    again.stop()
    empty = run(wait_after_start=True)
    assert not empty.wait(QueueChanged).paused, "there is nothing to wait with"


def test_a_cancelled_job_can_go_on(run) -> None:
    running = run(*SLOW)
    (id,) = running.service.submit(picture_recipe(steps=10), "/m")
    running.wait(JobProgressed, denoising(3))
    running.service.cancel(id)
    ended = running.wait_ended(id).job
    assert ended.state == "cancelled" and ended.saved_step >= 3
    stopped = running.wait(QueueChanged, lambda notice: bool(notice.stopped)).stopped
    assert [job.id for job in stopped] == [id]
    running.told.clear()
    running.service.resume([id])
    assert running.wait_ended(id).job.state == "done"
    assert min(steps_told(running, id)) >= 3


def test_the_owner_is_stopped_and_the_job_goes_on_at_the_next_start(run) -> None:
    running = run(*SLOW)
    (id,) = running.service.submit(picture_recipe(steps=10), "/m")
    running.wait(JobProgressed, denoising(4))
    running.stop()
    again = run(*SLOW)
    assert again.wait_ended(id).job.state == "done"
    assert min(steps_told(again, id)) >= 4


def test_what_is_asked_for_just_before_the_stop_is_not_lost(run) -> None:
    running = run()
    running.wait_ready()
    ids = running.service.submit(picture_recipe("slow"), "/m", count=50)
    running.stop()
    again = run()
    assert [job.id for job in again.wait(QueueChanged).jobs] == ids


def test_a_killed_engine_goes_on_from_the_checkpoint_with_a_hint_at_memory(run) -> None:
    running = run(*SLOW)
    (id,) = running.service.submit(picture_recipe(steps=10), "/m")
    running.wait(JobProgressed, denoising(5))
    os.kill(running.service.engine_pid, signal.SIGKILL)
    running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    running.told.clear()
    ended = running.wait_ended(id).job
    assert (ended.state, ended.memory_level, ended.engine_deaths) == ("done", 1, 1)
    assert min(steps_told(running, id)) >= 5


def test_a_crash_is_no_hint_at_memory(run) -> None:
    running = run(*SLOW)
    (id,) = running.service.submit(picture_recipe(steps=6), "/m")
    running.wait(JobProgressed, denoising(2))
    os.kill(running.service.engine_pid, signal.SIGSEGV)
    notice = running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    assert "SIGSEGV" in notice.error.detail
    ended = running.wait_ended(id).job
    assert (ended.state, ended.memory_level, ended.engine_deaths) == ("done", 0, 1)


@pytest.mark.parametrize("how", ["stopped by the system", "hang-once"])
def test_a_silent_engine_is_noticed_and_ended_and_the_job_goes_on(run, how: str) -> None:
    running = run(*SLOW, patience=QUICK)
    prompt = "hang-once" if how == "hang-once" else "a"
    (id,) = running.service.submit(picture_recipe(prompt, steps=10), "/m")
    running.wait(JobProgressed, denoising(2))
    if how != "hang-once":
        os.kill(running.service.engine_pid, signal.SIGSTOP)
    running.wait(EngineStateChanged, lambda notice: notice.state == "silent")
    notice = running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    assert notice.error.message == "The engine does not answer any more and was ended."
    ended = running.wait_ended(id).job
    assert (ended.state, ended.engine_deaths, ended.memory_level) == ("done", 1, 0)


def test_an_engine_that_answers_and_does_nothing_is_ended(run, monkeypatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_DELAY", 0.01)
    running = run(patience=QUICK)
    bad, good = (running.service.submit(picture_recipe(prompt), "/m")[0] for prompt in ("deadlock", "good"))
    notice = running.wait(EngineStateChanged, lambda notice: notice.state == "restarting")
    assert notice.error.message == "The engine does not answer any more and was ended."
    ended = running.wait_ended(bad).job
    assert (ended.state, ended.engine_deaths) == ("failed", 3)
    assert running.wait_ended(good).job.state == "done"


def test_an_engine_that_was_only_slow_to_answer_goes_on(run) -> None:
    running = run(*SLOW, patience=Patience(noticed=0.4, silence=20.0))
    (id,) = running.service.submit(picture_recipe(steps=6), "/m")
    running.wait(JobProgressed, denoising(2))
    os.kill(running.service.engine_pid, signal.SIGSTOP)
    running.wait(EngineStateChanged, lambda notice: notice.state == "silent")
    os.kill(running.service.engine_pid, signal.SIGCONT)
    running.wait(EngineStateChanged, lambda notice: notice.state == "working")
    assert running.wait_ended(id).job.engine_deaths == 0


def test_a_result_that_is_not_there_is_no_result(run) -> None:
    running = run()
    (id,) = running.service.submit(picture_recipe("lie"), "/m")
    ended = running.wait_ended(id).job
    assert (ended.state, ended.error.kind) == ("failed", "ProtocolError")


def test_editing_duplicating_and_taking_out(run) -> None:
    running = run(*SLOW)
    running.service.pause_queue()
    a, b, c = (running.service.submit(picture_recipe(prompt, seed=3), "/m")[0] for prompt in "abc")
    line(running, (a, "waiting"), (b, "waiting"), (c, "waiting"))
    running.service.edit(b, picture_recipe("changed"), "/m")
    running.wait(QueueChanged, lambda notice: [j.recipe.prompt for j in notice.jobs] == ["a", "changed", "c"])
    running.service.duplicate([a])
    twice = running.wait(QueueChanged, lambda notice: len(notice.jobs) == 4)
    assert [(job.recipe.prompt, job.recipe.seed) for job in twice.jobs[:2]] == [("a", 3), ("a", 4)]
    running.service.clear_waiting()
    removed = running.wait(JobsRemoved)
    running.service.put_back(removed.jobs)
    back = running.wait(QueueChanged, lambda notice: len(notice.jobs) == 4)
    assert back.jobs == removed.jobs == twice.jobs
    running.service.edit("nobody", picture_recipe("new"), "/m")
    assert running.wait(QueueChanged, lambda notice: len(notice.jobs) == 5).jobs[-1].recipe.prompt == "new"
    running.service.remove([job.id for job in back.jobs])
    running.service.resume_queue()
    assert running.wait(JobEnded).job.recipe.prompt == "new"


def test_variations_are_jobs_of_one_group(run) -> None:
    running = run()
    ids = running.service.submit_variations(
        picture_recipe(), "/m", [Axis("steps", (2, 3)), Axis("guidance", (1.0, 2.0))]
    )
    ended = [running.wait_ended(id).job for id in ids]
    assert [(job.recipe.steps, job.recipe.guidance, job.state) for job in ended] == [
        (steps, guidance, "done") for steps in (2, 3) for guidance in (1.0, 2.0)
    ]
    assert len({job.group for job in ended}) == 1


def test_a_checkpoint_that_is_gone_is_not_promised(run) -> None:
    running = run(*SLOW)
    (id,) = running.service.submit(picture_recipe(steps=10), "/m")
    running.wait(JobProgressed, denoising(3))
    running.service.cancel(id)
    running.wait_ended(id)
    running.stop()
    (running.folder / "checkpoints" / "of-nobody.safetensors").write_bytes(b"x")
    (running.folder / "checkpoints" / f"{id}.safetensors").unlink()
    again = run()
    assert again.wait(QueueChanged).stopped == ()
    assert not list((running.folder / "checkpoints").iterdir())


def test_no_failure_is_told_where_all_is_well(run) -> None:
    running = run(*SLOW)
    (id,) = running.service.submit(picture_recipe(), "/m")
    running.wait_ended(id)
    running.stop()
    assert not [notice for notice in running.told if isinstance(notice, ServiceFailed)]


# The folder of checkpoints


def test_checkpoints_are_bounded_the_oldest_of_stopped_jobs_first(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, max_files=4, max_bytes=400)
    for age, name in enumerate("abcdef"):
        folder.path(name).write_bytes(b"x" * 100)
        os.utime(folder.path(name), ns=(age * 10**9, age * 10**9))
    assert folder.bound(keep={"a"}, first={"e"}) == ["e", "b"]
    folder.path("c").write_bytes(b"x" * 350)
    os.utime(folder.path("c"), ns=(0, 0))
    assert folder.bound(keep={"a"}) == ["c"]
    assert sorted(folder.steps()) == ["a", "d", "f"]
    folder.keep_only({"d"})
    assert sorted(folder.steps()) == ["d"]
    with pytest.raises(ValueError, match="no job"):
        folder.path("../evil")


# The watchdog, with a clock of its own


class Dog:
    def __init__(self, patience: Patience = Patience()) -> None:
        self.cpu = 0.0
        self.now = 0.0
        self.dog = Watchdog(lambda: self.cpu, patience)
        self.dog.warming = False
        self.dog.tick(0.0)

    def ticks(self, seconds: float, computes: float = 0.0) -> str:
        verdict = "alive"
        for _ in range(round(seconds / 0.2)):
            self.now += 0.2
            self.cpu += 0.2 * computes
            verdict = self.dog.tick(self.now)
            if verdict == "stuck":
                break
        return verdict


def test_silence_is_noticed_within_a_second_and_ended_after_a_while() -> None:
    dog = Dog()
    assert dog.ticks(0.6) == "alive"
    assert dog.ticks(0.4) == "silent"
    assert dog.ticks(18.0) == "silent"
    assert dog.ticks(2.0) == "stuck" and dog.now < 21


def test_code_that_computes_without_letting_go_gets_more_time() -> None:
    dog = Dog()
    assert dog.ticks(170.0, computes=0.9) == "silent"
    assert dog.ticks(15.0, computes=0.9) == "stuck"


def test_a_long_kernel_is_no_reason_to_end_anything() -> None:
    dog = Dog()
    for _ in range(3000):  # ten minutes in one block, with a pulse
        assert dog.ticks(0.2, computes=1.0) == "alive"
        dog.dog.heard()
        dog.dog.pulse(7, dog.cpu)


def test_a_deadlock_with_a_pulse_is_noticed() -> None:
    dog = Dog()
    verdict = "alive"
    while verdict == "alive" and dog.now < 400:
        verdict = dog.ticks(0.2, computes=0.001)
        dog.dog.heard()
        dog.dog.pulse(7, dog.cpu)
    assert verdict == "stuck" and 299 < dog.now < 302


def test_a_machine_that_slept_blames_nobody() -> None:
    dog = Dog()
    dog.now += 10_000.0
    assert dog.dog.tick(dog.now) == "alive"
    assert LONGEST_TICK < 0.75


def test_importing_takes_the_time_it_takes() -> None:
    dog = Dog()
    dog.dog.started()
    assert dog.ticks(170.0) == "alive"
    assert dog.ticks(15.0) == "stuck"
