"""Interrupted anywhere, a job goes on in another engine and ends with the very same pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from engine.media import metadata
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadRecipe, Cancelled
from engine.protocol.events import CheckpointSaved, JobResumed, ResumeRefused, StageChanged, StepDone
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from engine.worker import checkpoint as module
from engine.worker.cancel import Cancellation
from engine.worker.checkpoint import Checkpoint
from engine.worker.runner import Runner
from engine.worker.sampling.base import SamplerState

from .conftest import Driver, cogvideox, sd35

STEPS = 4
CASES = [
    *(("sd35-medium", sd35(sampler=name, steps=STEPS)) for name in FAMILIES["sd35"].samplers),
    ("sd35-large", sd35(sampler="euler", latents="model", steps=STEPS)),
    ("sd35-large", sd35(sampler="euler", batch=2, steps=STEPS)),
    ("sd35-medium", sd35(skip_layer_guidance=SkipLayerGuidance(layers=(1, 2), end=0.8), steps=STEPS)),
    *(("cogvideox-2b", cogvideox(sampler=name, steps=STEPS)) for name in FAMILIES["cogvideox"].samplers),
    *(("cogvideox-5b", cogvideox(sampler=name, steps=STEPS, dynamic_guidance=True)) for name in ("ddim", "dpm")),
    ("cogvideox-1.5", cogvideox(sampler="dpm", steps=STEPS)),
]


def fresh() -> Driver:
    """A driver over an engine that has seen nothing yet."""
    return Driver(Runner(device=torch.device("cpu"), precision=torch.float32))


def interrupt(driver: Driver, folder: Path, recipe: Recipe, when: Callable[[Any], bool], **more: Any) -> None:
    """Run until an event for which ``when`` holds, as a person who cancels would end it."""

    def emit(event: Any, blob: bytes) -> None:
        events.append((event, blob))
        if when(event):
            driver.runner.cancellation.request()

    events, driver.emit = driver.events, emit  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        driver.make(folder, recipe, **more)
    driver.runner.cancellation.reset()


def after_step(number: int) -> Callable[[Any], bool]:
    return lambda event: isinstance(event, StepDone) and event.step == number


def decoding(event: Any) -> bool:
    return isinstance(event, StageChanged) and event.stage == "decoding"


def test_every_sampler_of_every_family_is_tried() -> None:
    tried = {(recipe.family, recipe.sampler) for _variant, recipe in CASES}
    assert tried == {(family.id, sampler) for family in FAMILIES.values() for sampler in family.samplers}


@pytest.mark.parametrize(("variant", "recipe"), CASES, ids=lambda case: getattr(case, "sampler", case))
def test_going_on_from_any_step_gives_the_same_pixels(tiny, tmp_path: Path, variant: str, recipe: Recipe) -> None:
    folder, first, second = tiny(variant), fresh(), fresh()
    cache = str(tmp_path / "cache")
    whole = first.make(folder, recipe, cache_folder=cache)
    steps = len(first.of(StepDone))
    for number in range(1, steps + 1):
        file = tmp_path / f"{number}.safetensors"
        interrupt(first, folder, recipe, after_step(number), checkpoint=str(file), cache_folder=cache)
        assert file.exists()
        again = second.make(folder, recipe, checkpoint=str(file), cache_folder=cache)
        assert second.of(JobResumed)[0].step == number
        assert [step.step for step in second.of(StepDone)] == list(range(number + 1, steps + 1))
        assert torch.equal(again.latents, whole.latents), f"step {number}"
        assert torch.equal(again.frames, whole.frames), f"step {number}"


@pytest.mark.parametrize(
    ("variant", "recipe"),
    [
        *(("sd35-medium", sd35(sampler=name, steps=7)) for name in ("lms", "deis", "dpmpp_3m_sde", "res_multistep")),
        *(("cogvideox-2b", cogvideox(sampler=name, steps=7)) for name in ("dpmpp_3m_sde", "uni_pc_log_snr")),
    ],
    ids=lambda case: getattr(case, "sampler", case),
)
def test_a_history_that_is_full_goes_on_too(tiny, tmp_path: Path, variant: str, recipe: Recipe) -> None:
    """Multistep samplers look back four steps at most, and drop what is older."""
    folder, first, second = tiny(variant), fresh(), fresh()
    cache, file = str(tmp_path / "cache"), str(tmp_path / "c.safetensors")
    whole = first.make(folder, recipe, cache_folder=cache)
    interrupt(first, folder, recipe, after_step(6), checkpoint=file, cache_folder=cache)
    assert torch.equal(second.make(folder, recipe, checkpoint=file, cache_folder=cache).latents, whole.latents)


@pytest.mark.parametrize("sampler", ["euler_ancestral", "lcm", "dpmpp_sde", "uni_pc"])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_interrupted_again_and_again(tiny, tmp_path: Path, sampler: str, steps: int) -> None:
    """One step from each engine."""
    folder, recipe = tiny("sd35-medium"), sd35(sampler=sampler, steps=steps, scheduler="sgm_uniform")
    whole, driver = fresh().make(folder, recipe), fresh()
    file, cache = str(tmp_path / "c.safetensors"), str(tmp_path / "cache")
    for number in range(1, steps + 1):
        interrupt(driver, folder, recipe, after_step(number), checkpoint=file, cache_folder=cache)
        assert len(driver.of(StepDone)) == 1
        driver = fresh()
    assert torch.equal(driver.make(folder, recipe, checkpoint=file, cache_folder=cache).frames, whole.frames)


@pytest.mark.parametrize("strength", [0.4, 0.8])
def test_from_a_picture(tiny, tmp_path: Path, strength: float) -> None:
    picture = tmp_path / "start.png"
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(picture)
    start = Input("start", str(picture), hashlib.sha256(picture.read_bytes()).hexdigest(), strength)
    folder, recipe = tiny("sd35-medium"), sd35(sampler="dpmpp_2m", steps=STEPS, inputs=(start,))
    first, file = fresh(), str(tmp_path / "c.safetensors")
    whole = first.make(folder, recipe)
    interrupt(first, folder, recipe, after_step(2), checkpoint=file)
    picture.unlink()  # all that is needed of it is in the checkpoint
    assert torch.equal(fresh().make(folder, recipe, checkpoint=file).frames, whole.frames)


@pytest.mark.parametrize("variant", ["cogvideox-5b-i2v", "cogvideox-1.5-i2v"])
def test_a_clip_that_begins_with_a_picture(tiny, tmp_path: Path, variant: str) -> None:
    """Every step sees the picture, so it is encoded again."""
    picture = tmp_path / "start.png"
    Image.linear_gradient("L").resize((96, 64)).convert("RGB").save(picture)
    start = Input("first_frame", str(picture), hashlib.sha256(picture.read_bytes()).hexdigest())
    folder, recipe = tiny(variant), cogvideox(sampler="dpm", steps=STEPS, inputs=(start,))
    first, file = fresh(), str(tmp_path / "c.safetensors")
    whole = first.make(folder, recipe)
    interrupt(first, folder, recipe, after_step(2), checkpoint=file)
    assert torch.equal(fresh().make(folder, recipe, checkpoint=file).frames, whole.frames)
    interrupt(first, folder, recipe, after_step(2), checkpoint=str(tmp_path / "d.safetensors"))
    picture.unlink()
    with pytest.raises(BadRecipe, match="not there"):
        fresh().make(folder, recipe, checkpoint=str(tmp_path / "d.safetensors"))


class StopsAt(Cancellation):
    """Cancels at the n-th check."""

    at = -1

    def check(self) -> None:
        if self.checks == self.at:
            self.request()
        super().check()


@pytest.mark.parametrize(
    ("variant", "recipe"),
    [("sd35-medium", sd35(sampler="dpmpp_sde", steps=2)), ("cogvideox-5b", cogvideox(sampler="dpm", steps=2))],
)
def test_going_on_from_within_any_block(tiny, tmp_path: Path, variant: str, recipe: Recipe) -> None:
    """Stopped before any block of any network, decoding included, nothing whole is lost and nothing half is used."""
    folder, cancellation = tiny(variant), StopsAt()
    driver = Driver(Runner(cancellation, torch.device("cpu"), torch.float32))
    cache = str(tmp_path / "cache")
    whole = driver.make(folder, recipe, cache_folder=cache)
    cancellation.checks = 0
    driver.make(folder, recipe, cache_folder=cache)
    checks = cancellation.checks
    assert checks > 20
    other = fresh()
    for at in range(0, checks, 3):
        file = tmp_path / f"{at}.safetensors"
        cancellation.checks, cancellation.at = 0, at
        with pytest.raises(Cancelled):
            driver.make(folder, recipe, cache_folder=cache, checkpoint=str(file))
        done = len(driver.of(StepDone))
        cancellation.at = -1
        cancellation.reset()
        again = other.make(folder, recipe, cache_folder=cache, checkpoint=str(file))
        assert torch.equal(again.frames, whole.frames), f"check {at}"
        assert len(other.of(StepDone)) <= recipe.steps - done


@pytest.mark.parametrize(("variant", "recipe"), [("sd35-large", sd35()), ("cogvideox-2b", cogvideox(frames=17))])
def test_an_interrupted_decoding_does_not_sample_again(tiny, tmp_path: Path, variant: str, recipe: Recipe) -> None:
    first, second, file = fresh(), fresh(), str(tmp_path / "c.safetensors")
    whole = first.make(tiny(variant), recipe)
    interrupt(first, tiny(variant), recipe, decoding, checkpoint=file)
    again = second.make(tiny(variant), recipe, checkpoint=file)
    assert torch.equal(again.frames, whole.frames)
    stages = {event.stage for event in second.of(StageChanged)}
    assert not second.of(StepDone) and stages == {"loading", "decoding"}
    assert [event.detail for event in second.of(StageChanged) if event.detail] == ["VAE"]


def test_the_checkpoint_goes_with_the_saved_result(tiny, tmp_path: Path, driver: Driver) -> None:
    file, out = tmp_path / "c.safetensors", tmp_path / "out"
    job = driver.job(tiny("sd35-large"), sd35(), output_folder=str(out), checkpoint=str(file), checkpoint_share=1000.0)
    driver.runner.run(job, driver.emit)
    assert len(driver.of(CheckpointSaved)) == 4
    assert not file.exists() and not list(tmp_path.glob(".laterna-*"))


def test_saving_again_what_is_saved_already_makes_no_second_file(tiny, tmp_path: Path) -> None:
    """The engine may die after saving and before it said so."""
    recipe = sd35(batch=2, steps=1)
    drivers = [fresh(), fresh()]
    finished = [
        driver.runner.run(driver.job(tiny("sd35-large"), recipe, output_folder=str(tmp_path)), driver.emit)
        for driver in drivers
    ]
    assert [file.path for file in finished[0].files] == [file.path for file in finished[1].files]
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_a_result_that_cannot_be_saved_is_not_lost(tiny, tmp_path: Path, driver: Driver) -> None:
    (tmp_path / "file").write_text("")
    file = tmp_path / "c.safetensors"
    job = driver.job(tiny("sd35-large"), sd35(), output_folder=str(tmp_path / "file"), checkpoint=str(file))
    with pytest.raises(Exception, match="file"):
        driver.runner.run(job, driver.emit)
    again = fresh()
    job = again.job(tiny("sd35-large"), sd35(), output_folder=str(tmp_path / "good"), checkpoint=str(file))
    again.runner.run(job, again.emit)
    assert not again.of(StepDone) and (tmp_path / "good" / "out.png").exists()


def test_memory_that_runs_out_leaves_a_checkpoint(tiny, tmp_path: Path, driver: Driver, monkeypatch) -> None:
    """And a lower memory level goes on from it, whatever it changes in the plan."""
    file, folder, recipe = tmp_path / "c.safetensors", tiny("sd35-large"), sd35()

    def emit(event: Any, blob: bytes) -> None:
        if isinstance(event, StepDone) and event.step >= 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    driver.emit = emit  # type: ignore[method-assign]
    with pytest.raises(torch.OutOfMemoryError):
        driver.make(folder, recipe, checkpoint=str(file))
    lower = Driver(Runner(device=torch.device("cpu"), precision=torch.bfloat16))
    lower.make(folder, recipe, checkpoint=str(file), memory_level=1)
    assert [step.step for step in lower.of(StepDone)] == [4]  # 3 was done a second time, with less


# What is refused


@pytest.fixture
def stopped(tiny, tmp_path: Path) -> Iterator[Path]:
    """A checkpoint after step 2 of ``sd35()``."""
    file = tmp_path / "stopped.safetensors"
    interrupt(fresh(), tiny("sd35-large"), sd35(), after_step(2), checkpoint=str(file))
    yield file


def refused(driver: Driver, folder: Path, recipe: Recipe, file: Path) -> str:
    """Why the checkpoint was not used; the job starts over and ends well."""
    driver.make(folder, recipe, checkpoint=str(file))
    assert [step.step for step in driver.of(StepDone)] == [1, 2, 3, 4]
    assert not driver.of(JobResumed)
    [event] = driver.of(ResumeRefused)
    assert event.error.remedy == "The job starts over."
    return event.error.message


def test_another_recipe_is_refused(tiny, driver: Driver, stopped: Path) -> None:
    assert "another recipe" in refused(driver, tiny("sd35-large"), sd35(guidance=5.0), stopped)


def test_another_model_is_refused(tiny, driver: Driver, stopped: Path) -> None:
    assert "model" in refused(driver, tiny("sd35-medium"), sd35(), stopped)


def test_another_version_is_refused(tiny, driver: Driver, stopped: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "VERSION", "99.0")
    assert "version of Laterna" in refused(driver, tiny("sd35-large"), sd35(), stopped)


def test_other_libraries_are_refused(tiny, driver: Driver, stopped: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "versions", lambda: {"torch": "99.0"})
    assert "libraries" in refused(driver, tiny("sd35-large"), sd35(), stopped)


def test_another_number_of_threads_is_another_device(tiny, driver: Driver, stopped: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert "device" in refused(driver, tiny("sd35-large"), sd35(), stopped)


def test_another_precision_is_refused(tiny, stopped: Path) -> None:
    half = Driver(Runner(device=torch.device("cpu"), precision=torch.bfloat16))
    message = refused(half, tiny("sd35-large"), sd35(), stopped)
    assert "memory plan" in message or "prompt is read" in message


@pytest.mark.parametrize("damage", ["empty", "cut", "byte", "noise", "header", "step", "shape", "absurd"])
def test_damage_is_refused(tiny, driver: Driver, stopped: Path, damage: str) -> None:
    good = stopped.read_bytes()
    length = int.from_bytes(good[:8], "little")
    flipped = bytearray(good)
    flipped[-100] ^= 1
    bad = {
        "empty": b"",
        "cut": good[:-10],
        "byte": bytes(flipped),
        "noise": b"\xa5" * len(good),
        "header": good[:8] + b"[" * length + good[8 + length :],
        "step": good.replace(b'\\"step\\": 2', b'\\"step\\": x'),
        "shape": good.replace(b'"shape":[1,16,8,8]', b'"shape":[1,8,16,8]'),
        "absurd": b"\xff" * 8 + good[8:],
    }[damage]
    assert bad != good
    stopped.write_bytes(bad)
    assert "damaged" in refused(driver, tiny("sd35-large"), sd35(), stopped)


def test_no_checkpoint_is_no_refusal(tiny, driver: Driver, tmp_path: Path) -> None:
    driver.make(tiny("sd35-large"), sd35(), checkpoint=str(tmp_path / "none.safetensors"))
    assert not driver.of(ResumeRefused) and len(driver.of(StepDone)) == 4


# What they cost


def test_written_only_when_due(tmp_path: Path, monkeypatch) -> None:
    """Never more than the share of the time, whatever a write costs."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    cost = [0.02]

    def write(path: Path, tensors: dict[str, Any], header: dict[str, Any]) -> int:
        now[0] += cost[0]
        return 1000

    monkeypatch.setattr(module, "_write", write)
    checkpoint = Checkpoint(tmp_path / "c", {}, 0.01)
    state = SamplerState(0, torch.zeros(4), torch.Generator())
    checkpoint.begin()
    written = 0
    for step in range(2000):
        now[0] += 0.1
        cost[0] = 0.02 if step < 1000 else 0.5
        checkpoint.reached(state, 2000)
        written += checkpoint.save_if_due() is not None
        assert checkpoint.spent <= 0.01 * now[0] + 0.5, step
    assert written >= 40
    assert checkpoint.spent <= 0.0125 * now[0]


def test_the_end_of_sampling_is_kept_however_short_ago_the_last_one_was_written(tmp_path: Path, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    written: list[int] = []

    def write(path: Path, tensors: dict[str, Any], header: dict[str, Any]) -> int:
        now[0] += 0.01
        written.append(header["step"])
        return 0

    monkeypatch.setattr(module, "_write", write)
    for steps in range(3, 60):
        written.clear()
        checkpoint = Checkpoint(tmp_path / "c", {}, 0.01)
        checkpoint.begin()
        began = now[0]
        for step in range(1, steps + 1):
            now[0] += 1.0
            checkpoint.reached(SamplerState(step, torch.zeros(4), torch.Generator()), steps)
            checkpoint.save_if_due()
        assert written[-1] == steps
        assert checkpoint.spent <= 0.0101 * (now[0] - began)


def test_a_full_disk_costs_nothing_but_the_checkpoint(tiny, driver: Driver, tmp_path: Path, monkeypatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write", full)
    file = tmp_path / "c.safetensors"
    driver.make(tiny("sd35-large"), sd35(), checkpoint=str(file), checkpoint_share=1000.0)
    assert not driver.of(CheckpointSaved) and not file.exists()


def test_nothing_of_the_prompt_is_in_the_file(stopped: Path) -> None:
    assert b"red apple" not in stopped.read_bytes()
    with safe_open(stopped, "pt") as file:
        header = json.loads(file.metadata()[module.HEADER])
    assert (header["step"], header["steps"]) == (2, 4)


def test_the_file_of_a_resumed_run_says_the_same_pixels(tiny, tmp_path: Path) -> None:
    file, recipe, folder = str(tmp_path / "c.safetensors"), sd35(sampler="dpmpp_2m"), tiny("sd35-medium")
    one, two = fresh(), fresh()
    [whole] = one.runner.run(one.job(folder, recipe, output_folder=str(tmp_path / "a")), one.emit).files
    interrupt(one, folder, recipe, after_step(3), checkpoint=file)
    [again] = two.runner.run(
        two.job(folder, recipe, output_folder=str(tmp_path / "b"), checkpoint=file), two.emit
    ).files
    assert whole.pixels_sha256 == again.pixels_sha256 == metadata.read(Path(again.path)).pixels_sha256
