"""Jobs that make something from something go through the same queue as those that generate."""

from pathlib import Path

import pytest
from PIL import Image

from engine.derive.upscale.upscale import upscaled
from engine.jobs import output
from engine.jobs.job import Job
from engine.jobs.queue import JobQueue
from engine.jobs.submission import duplicate
from engine.media import metadata
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadRecipe
from tests.fakes.recipes import picture_recipe


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    Image.new("RGB", (16, 16)).save(path)
    return path


def test_it_becomes_a_file_in_the_library_that_knows_what_it_came_from(run, picture: Path, tmp_path: Path) -> None:
    running = run(known_media=tmp_path / "known.json")
    asked = [(upscaled(str(picture), scale), picture_recipe("an owl")) for scale in (2, 3)]
    ids = running.service.submit_derivations(asked)
    for id, scale in zip(ids, (2, 3), strict=True):
        ended = running.wait_ended(id)
        assert ended.job.state == "done" and ended.job.group
        assert ended.job.derivation is not None and len(ended.job.derivation.source.sha256) == 64
        item = running.library.item(ended.item_ids[0])
        assert item.path.name == f"cat_x{scale}.png" and item.recipe == picture_recipe("an owl")
        said = metadata.read(item.path).derivation
        assert said is not None and said.settings["scale"] == scale and said.source.path == "cat.png"
        assert output.finished_file(ended.job, running.output) == item.path


@pytest.mark.parametrize("harm", ["gone", "damaged", "huge"])
def test_what_cannot_be_made_fails_with_a_sentence_and_the_next_goes_on(run, picture: Path, harm: str) -> None:
    running = run()
    broken = picture.with_name("broken.png")
    if harm == "damaged":
        broken.write_bytes(b"\x89PNG\r\n\x1a\nno more")
    elif harm == "huge":
        Image.new("1", (20_000, 20_000)).save(broken)
    first, second = running.service.submit_derivations(
        [(upscaled(str(broken), 2), None), (upscaled(str(picture), 2), None)]
    )
    failed = running.wait_ended(first)
    assert failed.job.state == "failed" and failed.job.error is not None and failed.job.error.message.endswith(".")
    assert running.wait_ended(second).job.state == "done"


def test_a_kind_that_nobody_knows_is_refused(run) -> None:
    running = run()
    with pytest.raises(BadRecipe):
        running.service.submit_derivations([(Derivation("teleport", Source("a.png")), None)])


def test_it_outlives_the_owner_of_the_queue(tmp_path: Path) -> None:
    job = Job("a", picture_recipe(), "", derivation=upscaled("/a.png", 4, "ab", upscaled("b.png", 2)), state="waiting")
    queue = JobQueue(tmp_path / "queue.sqlite3")
    queue.add([job])
    queue.close()
    queue = JobQueue(tmp_path / "queue.sqlite3")
    (kept,) = queue.active()
    queue.close()
    assert kept.derivation == job.derivation
    again = duplicate(kept)
    assert again.derivation == job.derivation and again.recipe == job.recipe and again.id != "a"
