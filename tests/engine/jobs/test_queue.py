import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings

from engine.jobs import rows
from engine.jobs.job import Job
from engine.jobs.queue import KEPT_ENDED, JobQueue
from engine.protocol.errors import ErrorInfo, KnownError, LibraryBusy, NoSpace, NotWritable
from tests.fakes.recipes import picture_recipe, recipes

ROOT = Path(__file__).resolve().parents[3]


def job(id: str, **changes: object) -> Job:
    return Job(id=id, recipe=picture_recipe(id), model_folder="/models/m", created=1.0, **changes)


@pytest.fixture
def queue(tmp_path: Path):
    found = JobQueue(tmp_path / "queue.sqlite3")
    yield found
    found.close()


def order(queue: JobQueue) -> list[str]:
    return [found.id for found in queue.active()]


def test_first_in_first_out(queue: JobQueue) -> None:
    queue.add([job("a"), job("b")])
    queue.add([job("c")])
    assert order(queue) == ["a", "b", "c"]
    assert queue.next().id == "a"
    queue.start("a", "stem")
    assert (queue.get("a").state, queue.get("a").file_stem, queue.next().id) == ("running", "stem", "b")
    assert order(queue) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("id", "index", "expected"), [("c", 0, "cab"), ("a", 1, "bac"), ("a", 99, "bca"), ("b", -5, "bac")]
)
def test_moving(queue: JobQueue, id: str, index: int, expected: str) -> None:
    queue.add([job("a"), job("b"), job("c")])
    queue.move([id], index)
    assert order(queue) == list(expected)
    queue.move(["nobody"], 0)
    assert order(queue) == list(expected)


def test_the_running_job_is_not_moved(queue: JobQueue) -> None:
    queue.add([job("a"), job("b"), job("c")])
    queue.start("a", "")
    queue.move(["a"], 2)
    queue.move(["c"], 0)
    assert order(queue) == ["a", "c", "b"]


def test_a_job_keeps_everything(queue: JobQueue) -> None:
    sent = job("a", output_folder="/out", file_stem="x")
    queue.add([sent])
    assert queue.get("a") == Job(
        **{field: getattr(sent, field) for field in sent.__struct_fields__} | {"position": 1.0}
    )
    error = ErrorInfo("OutOfMemory", "It needs 9 GB.", "Choose less.", detail="log")
    ended = queue.end("a", "failed", ("/out/a.png",), error)
    assert (ended.state, ended.recipe, ended.error, ended.files) == ("failed", sent.recipe, error, ("/out/a.png",))
    assert ended.finished > 0
    assert queue.active() == () and queue.next() is None
    assert queue.ended() == [ended]


def test_a_job_whose_engine_died_is_the_next_again(queue: JobQueue) -> None:
    queue.add([job("a"), job("b")])
    queue.start("a", "stem")
    queue.wait_again("a", engine_died=True)
    assert order(queue) == ["a", "b"]
    assert (queue.get("a").engine_deaths, queue.get("a").file_stem) == (1, "stem")


def test_only_the_newest_ended_jobs_are_kept(queue: JobQueue) -> None:
    ids = [f"{number}" for number in range(KEPT_ENDED + 5)]
    queue.add([job(id) for id in ids])
    for id in ids:
        queue.end(id, "cancelled")
    assert [found.id for found in queue.ended(limit=10_000)] == ids[:4:-1]


def test_jobs_are_added_all_or_none(queue: JobQueue) -> None:
    queue.add([job("a")])
    with pytest.raises(Exception, match="UNIQUE"):
        queue.add([job("b"), job("a")])
    assert order(queue) == ["a"]


def test_a_job_that_nobody_knows(queue: JobQueue) -> None:
    assert queue.get("a") is None
    with pytest.raises(KeyError):
        queue.end("a", "done")


@settings(deadline=None, max_examples=25)
@given(recipe=recipes)
def test_any_recipe_survives(tmp_path_factory, recipe) -> None:
    path = tmp_path_factory.mktemp("queue") / "queue.sqlite3"
    queue = JobQueue(path)
    queue.add([Job(id="a", recipe=recipe, model_folder="")])
    queue.close()
    queue = JobQueue(path)
    assert queue.next().recipe == recipe
    queue.close()


def test_a_second_owner_is_told_that_it_is_busy(tmp_path: Path, queue: JobQueue) -> None:
    queue.add([job("a")])
    with pytest.raises(LibraryBusy, match="Another Laterna"):
        JobQueue(tmp_path / "queue.sqlite3")
    script = f"""
from pathlib import Path
from engine.jobs.queue import JobQueue
from engine.protocol.errors import LibraryBusy
try:
    JobQueue(Path({str(tmp_path / "queue.sqlite3")!r}))
except LibraryBusy:
    print("busy")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "busy\n"
    assert order(queue) == ["a"]


def test_the_queue_outlives_a_kill_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    script = f"""
import os, signal
from pathlib import Path
from engine.jobs.job import Job
from engine.jobs.queue import JobQueue
from engine.protocol.recipe import Recipe
queue = JobQueue(Path({str(path)!r}))
queue.add([Job(id=id, recipe=Recipe(family="sd35", model="m", prompt=id), model_folder="") for id in "abc"])
queue.start("a", "stem")
queue.move(["c"], 0)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert done.returncode < 0
    queue = JobQueue(path)
    assert [(found.id, found.state, found.recipe.prompt) for found in queue.active()] == [
        ("a", "waiting", "a"),
        ("c", "waiting", "c"),
        ("b", "waiting", "b"),
    ]
    assert queue.interrupted == ("a",)
    assert queue.get("a").file_stem == "stem"
    queue.close()


def test_a_damaged_queue_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite3").write_bytes(b"nonsense" * 1000)
    queue = JobQueue(tmp_path / "queue.sqlite3")
    assert "damaged" in queue.damage.message
    queue.add([job("a")])
    assert order(queue) == ["a"]
    queue.close()
    assert len(list(tmp_path.glob("queue-damaged-*"))) == 1


def test_an_unwritable_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotWritable):
        JobQueue(tmp_path / "file" / "queue.sqlite3")


# Pausing, editing, taking out


def test_paused_jobs_keep_their_place_and_are_passed_over(queue: JobQueue) -> None:
    queue.add([job("a"), job("b"), job("c")])
    queue.pause(["a"])
    assert (queue.next().id, order(queue)) == ("b", ["a", "b", "c"])
    queue.resume(["a"])
    assert queue.next().id == "a"
    queue.start("a", "stem")
    queue.pause(["a"])
    assert (queue.get("a").state, queue.get("a").file_stem, order(queue)) == ("paused", "stem", ["a", "b", "c"])


def test_ended_jobs_go_on_first(queue: JobQueue) -> None:
    queue.add([job("a"), job("b")])
    queue.start("a", "stem")
    queue.set_saved("a", 3, 8)
    queue.end("a", "cancelled", error=ErrorInfo("X", "why"))
    assert [found.id for found in queue.stopped()] == ["a"]
    queue.resume(["a"])
    again = queue.next()
    assert (again.id, again.state, again.error, again.saved_step, again.file_stem) == ("a", "waiting", None, 3, "stem")
    assert order(queue) == ["a", "b"] and queue.stopped() == ()


def test_what_was_taken_out_comes_back_to_its_place(tmp_path: Path, queue: JobQueue) -> None:
    queue.add([job(id) for id in "abcde"])
    queue.pause(["d"])
    removed = queue.remove(["b", "d", "nobody"])
    assert ([found.id for found in removed], order(queue)) == (["b", "d"], ["a", "c", "e"])
    queue.put_back(removed)
    queue.put_back(removed)
    assert (order(queue), queue.get("d").state) == (list("abcde"), "paused")
    queue.close()
    again = JobQueue(tmp_path / "queue.sqlite3")
    assert (order(again), again.get("d").state) == (list("abcde"), "paused")
    again.close()


def test_a_running_job_is_not_taken_out(queue: JobQueue) -> None:
    queue.add([job("a"), job("b")])
    queue.start("a", "")
    assert [found.id for found in queue.remove(["a", "b"])] == ["b"]
    assert order(queue) == ["a"]


def test_an_edited_job_stays_where_it_is_and_starts_over(queue: JobQueue) -> None:
    queue.add([job("a", label="guidance 3", group="g"), job("b")])
    queue.set_saved("a", 2, 9)
    queue.pause(["a"])
    assert queue.edit("a", picture_recipe("changed"), "/other")
    changed = queue.get("a")
    assert (changed.recipe.prompt, changed.model_folder, changed.state) == ("changed", "/other", "waiting")
    assert (changed.saved_step, changed.label, order(queue)) == (0, "", ["a", "b"])
    assert not queue.edit("nobody", picture_recipe(), "/m")


def test_moving_again_and_again_between_the_same_two_keeps_the_order(tmp_path: Path, queue: JobQueue) -> None:
    """Positions are fractions, and are numbered anew where they come too close."""
    queue.add([job(id) for id in "abcdef"])
    expected = list("abcdef")
    for number in range(120):
        id = "cdef"[number % 4]
        queue.move([id], 1)
        expected.remove(id)
        expected.insert(1, id)
        assert order(queue) == expected
    queue.move(["f", "a"], 2)
    found = order(queue)
    assert found.index("f") in (2, 3) and found.index("a") in (2, 3)
    queue.close()
    again = JobQueue(tmp_path / "queue.sqlite3")
    assert order(again) == found
    again.close()


def test_a_pause_of_the_whole_queue_is_kept(tmp_path: Path, queue: JobQueue) -> None:
    assert not queue.is_paused
    queue.set_paused(True)
    queue.close()
    again = JobQueue(tmp_path / "queue.sqlite3")
    assert again.is_paused
    again.close()


def test_a_queue_of_the_first_version_opens(tmp_path: Path) -> None:
    """As 0.1.0 wrote it: the recipe as JSON, whole positions, no groups, no checkpoints."""
    path = tmp_path / "old.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(rows.MIGRATIONS[0] + "PRAGMA user_version = 1;")
    recipe = picture_recipe("old").to_json()
    for number, (id, state) in enumerate([("w1", "waiting"), ("r", "running"), ("w2", "waiting"), ("d", "done")]):
        connection.execute(
            "INSERT INTO jobs VALUES (?, ?, '/m', ?, ?, 1.5, ?, '', 'stem', '[\"/a.png\"]', NULL, 1)",
            (id, recipe, state, number, 2.5 if state == "done" else 0),
        )
    connection.commit()
    connection.close()
    queue = JobQueue(path)
    assert order(queue) == ["r", "w1", "w2"] and queue.interrupted == ("r",)
    assert [found.id for found in queue.ended()] == ["d"]
    old = queue.get("w1")
    assert (old.recipe.prompt, old.engine_deaths, old.group, old.memory_level, old.saved_step) == ("old", 1, "", 0, 0)
    queue.add([job("new")], behind="w1")
    assert order(queue) == ["r", "w1", "new", "w2"]
    queue.close()


def test_a_write_that_fails_changes_nothing(queue: JobQueue, monkeypatch) -> None:
    queue.add([job("a"), job("b")])
    queue.start("a", "")

    def full(*_: object, **__: object) -> None:
        raise NoSpace("The disk is full.", "Free some space.")

    with monkeypatch.context() as patched:
        patched.setattr(queue, "_write", full)
        for change in (
            lambda: queue.wait_again("a"),
            lambda: queue.pause(["a"]),
            lambda: queue.end("a", "done"),
            lambda: queue.start("b", ""),
            lambda: queue.add([job("c")]),
        ):
            with pytest.raises(NoSpace):
                change()
            assert [(found.id, found.state) for found in queue.active()] == [("a", "running"), ("b", "waiting")]


def test_ten_thousand_jobs_slow_nothing(tmp_path: Path) -> None:
    path = tmp_path / "long.sqlite3"
    queue = JobQueue(path)
    queue.add([job(str(number)) for number in range(10_000)])
    times = []
    for number in range(5):
        began = time.perf_counter()
        queue.move([str(9000 + number)], 0)
        queue.start(str(9000 + number), "stem")
        queue.active()
        queue.stopped()
        queue.end(str(9000 + number), "done")
        times.append(time.perf_counter() - began)
    queue.close()
    assert min(times) < 0.2


def test_a_damaged_row_stops_no_other_job(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    queue = JobQueue(path)
    queue.add([job(id) for id in "abcdef"])
    queue.close()
    with closing(sqlite3.connect(path)) as database:
        for id, change in {
            "a": "recipe = '{'",
            "b": "state = 'odd'",
            "c": "position = 'x'",
            "d": "saved_step = 'x'",
        }.items():
            database.execute(f"UPDATE jobs SET {change} WHERE id = ?", (id,))
        database.commit()
    again = JobQueue(path)
    assert order(again) == ["e", "f"] and again.damage is None
    again.add([job("g")])
    assert order(again) == ["e", "f", "g"]
    again.close()


def test_a_queue_with_a_flipped_bit_anywhere_opens(tmp_path: Path) -> None:
    """Put aside and said where it cannot be read; else with the jobs that can."""
    sound = tmp_path / "sound.sqlite3"
    queue = JobQueue(sound)
    queue.add([job(str(number)) for number in range(30)])
    queue.close()
    content, rng = sound.read_bytes(), random.Random(3)
    put_aside = 0
    for number in range(120):
        raw = bytearray(content)
        for _ in range(rng.choice((1, 2, 8, 40))):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"{number}" / "queue.sqlite3"
        path.parent.mkdir()
        path.write_bytes(raw)
        try:
            found = JobQueue(path)
        except KnownError as error:
            assert "newer Laterna" in str(error)
            continue
        put_aside += found.damage is not None
        assert all(isinstance(one.position, float) for one in found.active())
        found.close()
    assert put_aside
