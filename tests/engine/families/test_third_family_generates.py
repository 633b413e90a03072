"""A family with two transformers and a distilled guidance value makes pictures, as those that ship do."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from engine.families.base import Family
from engine.jobs import assets
from engine.jobs.transport import LocalProcess
from engine.media import metadata
from engine.models.adapters import adapter_from
from engine.protocol import commands, events
from engine.protocol.errors import Cancelled
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe
from engine.worker.loaded_model import Model
from engine.worker.residency.residency import FreeMemory
from engine.worker.runner import Runner
from tests.engine.jobs.test_border import Window
from tests.engine.worker.conftest import Driver
from tests.fakes.third_family import HIGH, LOW

STEPS = 6
ENGINE = [sys.executable, "-m", "tests.fakes.third_family.engine"]


def recipe(**changes: Any) -> Recipe:
    usual = dict(width=64, height=64, steps=STEPS, guidance=3.5, shift=1.0, max_sequence_length=12, seed=7)
    return Recipe("twofold", "twofold", "a red apple", **(usual | changes))


def fresh() -> Driver:
    return Driver(Runner(device=torch.device("cpu"), precision=torch.float32))


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The components that were opened, in their order."""
    found: list[tuple[str, ...]] = []
    plain = Model.use
    monkeypatch.setattr(Model, "use", lambda model, *names: found.append(names) or plain(model, *names))
    return found


def test_each_transformer_is_asked_in_its_part_of_the_schedule(twofold: Family, twofold_folder: Path, used) -> None:
    driver = fresh()
    made = driver.make(twofold_folder, recipe())
    assert made.frames.shape == (1, 1, 64, 64, 3)
    assert made.frames.float().std() > 1, "a picture, and no plain colour"
    assert [names for names in used if names[0] in (HIGH, LOW)] == [(HIGH,), (LOW,)]
    stages = [event.stage for event in driver.of(events.StageChanged)]
    assert stages.index("decoding") > max(i for i, stage in enumerate(stages) if stage == "denoising")
    assert len(driver.of(events.StepDone)) == STEPS


@pytest.mark.parametrize("sampler", ["euler", "heun"])
@pytest.mark.parametrize("shift, high", [(1.0, 2), (6.0, 4)])
def test_the_noise_level_decides(
    twofold: Family, twofold_folder: Path, monkeypatch: pytest.MonkeyPatch, shift: float, high: int, sampler: str
) -> None:
    """By hand: of six levels 1, 4/5, 3/5 …, two lie above 0.7; with a shift of 6, four do (24/25, 9/10, 4/5). A step
    that asks twice asks the same transformer."""
    from tests.fakes.third_family.network.transformer import TwofoldTransformer

    asked: list[tuple[int, float]] = []
    plain = TwofoldTransformer.forward

    def forward(network: Any, *args: Any, **given: Any) -> Any:
        asked.append((id(network), float(given["guidance"][0])))
        return plain(network, *args, **given)

    monkeypatch.setattr(TwofoldTransformer, "forward", forward)
    fresh().make(twofold_folder, recipe(shift=shift, sampler=sampler))
    calls = 2 if sampler == "heun" else 1
    first = asked[0][0]
    assert [one for one, _ in asked].count(first) == high * calls
    assert len({one for one, _ in asked}) == 2
    assert all(one == first for one, _ in asked[: high * calls])
    assert {guidance for _, guidance in asked} == {3.5}
    assert len(asked) == STEPS * calls - (1 if sampler == "heun" else 0), "one pass a step: guidance is distilled"
    assert twofold.turns(recipe(shift=shift))[HIGH] == pytest.approx(high / STEPS)


def test_guidance_changes_the_picture(twofold: Family, twofold_folder: Path) -> None:
    driver = fresh()
    one, other = (driver.make(twofold_folder, recipe(guidance=value)).frames for value in (1.0, 9.0))
    assert not torch.equal(one, other)


def test_from_a_picture(twofold: Family, twofold_folder: Path, tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    path = tmp_path / "start.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    given = Input("start", str(path), sha, 0.5)
    driver = fresh()
    plain = driver.make(twofold_folder, recipe()).frames
    made = driver.make(twofold_folder, recipe(inputs=(given,)), input_files=assets.of((given,), [path]))
    assert not torch.equal(made.frames, plain)


@pytest.mark.parametrize("caching", [0.0, 0.3])
@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_going_on_from_any_step_gives_the_same_pixels(
    twofold: Family, twofold_folder: Path, tmp_path: Path, sampler: str, caching: float
) -> None:
    wanted = recipe(sampler=sampler, step_caching=caching)
    whole = fresh().make(twofold_folder, wanted)
    for number in range(1, STEPS + 1):
        checkpoint = str(tmp_path / f"{number}.safetensors")
        first, second = fresh(), fresh()
        _interrupt(first, twofold_folder, wanted, number, checkpoint)
        again = second.make(twofold_folder, wanted, checkpoint=checkpoint)
        (step,) = [event.step for event in second.of(events.JobResumed)]
        assert number <= step <= number + (2 if caching else 0), "steps without the network end before a cancel is seen"
        assert torch.equal(again.latents, whole.latents)
        assert torch.equal(again.frames, whole.frames)


def _interrupt(driver: Driver, folder: Path, wanted: Recipe, number: int, checkpoint: str) -> None:
    def emit(event: Any, blob: bytes) -> None:
        driver.events.append((event, blob))
        if isinstance(event, events.StepDone) and event.step == number:
            driver.runner.cancellation.request()

    driver.emit = emit  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        driver.make(folder, wanted, checkpoint=checkpoint)


def test_both_lie_on_the_disk_while_memory_is_short(
    twofold: Family, twofold_folder: Path, twofold_footprints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a plan that keeps nothing, each is read for its part and let go of; the pixels are the same."""
    loaded: list[list[str]] = []
    at_once: list[int] = []
    places: list[str] = []
    plain = Model.load

    def load(model: Model, names: list[str], *more: Any) -> None:
        plain(model, names, *more)
        if names[0] in (HIGH, LOW):
            loaded.append(names)
            places.append(model.residency.parts[names[0]].place)
            at_once.append(sum(model.key(name) in model.pool for name in (HIGH, LOW)))

    plenty = Driver(Runner(device=torch.device("cpu")))
    whole = plenty.make(twofold_folder, recipe(), footprints_folder=str(twofold_footprints))
    monkeypatch.setattr(Model, "load", load)
    scarce = Driver(
        Runner(device=torch.device("cpu"), free=lambda device: FreeMemory(device, host_free=2**20, device_free=0))
    )
    streamed = scarce.make(twofold_folder, recipe(), footprints_folder=str(twofold_footprints))
    assert torch.equal(streamed.frames, whole.frames)
    read = [names[0] for names in loaded if names[0] in (HIGH, LOW)]
    assert read == [HIGH, LOW]
    assert max(at_once) == 1
    assert places == ["disk", "disk"], "block by block, in lists that its class names itself"


@pytest.fixture
def lora(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, layer: str) -> Path:
        torch.manual_seed(4)
        rows = 96 if layer.endswith("qkv") else 32
        path = tmp_path / f"{name}.safetensors"
        tensors = {f"{layer}.lora_A.weight": torch.randn(4, 32), f"{layer}.lora_B.weight": torch.randn(rows, 4)}
        save_file(tensors, path)
        return path

    return write


def test_a_lora_for_one_transformer_or_both(twofold: Family, twofold_folder: Path, lora) -> None:
    """By the names of its layers, else by its file's name; a LoRA of neither name is for both."""
    driver = fresh()

    def make(path: Path, strength: float = 1.0) -> torch.Tensor:
        adapter = Adapter(path.name, "", strength)
        wanted = recipe(adapters=(adapter,))
        return driver.make(twofold_folder, wanted, adapter_files=assets.of((adapter,), [path])).frames

    layer = "stages.0.mixer.to_q"
    plain = driver.make(twofold_folder, recipe()).frames
    high = make(
        lora("a", f"transformer.{layer}").rename(lora("a", f"transformer.{layer}").with_name("high.safetensors"))
    )
    low = make(lora("b", f"transformer_2.{layer}"))
    named_low = make(lora("ink_low_noise", layer))
    both = make(lora("ink", layer))
    assert torch.equal(low, named_low)
    made = [plain, high, low, both]
    assert not any(torch.equal(one, other) for i, one in enumerate(made) for other in made[:i])
    assert torch.equal(make(lora("c", "diffusion_model.blocks.0.mixer.qkv"), 0.0), plain)
    assert not torch.equal(make(lora("d", "diffusion_model.blocks.0.mixer.qkv")), plain)


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    made = Window(LocalProcess(tmp_path / "log", ENGINE, {"LATERNA_THREADS": "1"}))
    yield made
    made.connection.shutdown()


def test_in_the_engines_own_process_with_previews_and_the_recipe_in_the_file(
    twofold: Family, twofold_folder: Path, twofold_footprints: Path, tmp_path: Path, window: Window, lora
) -> None:
    path = lora("ink", "stages.0.mixer.to_q")
    adapter = adapter_from(path, 0.8)
    wanted = recipe(adapters=(adapter,))
    output = tmp_path / "out"
    output.mkdir()
    sent = commands.Generate(
        "job", wanted, str(twofold_folder), str(output), "made", adapter_files=assets.of((adapter,), [path]),
        footprints_folder=str(twofold_footprints), preview_interval=0.0,
    )  # fmt: skip
    window.connection.send(sent)
    told: list[Any] = []
    while not isinstance(event := window.wait(events.Event), (events.JobFinished, events.JobFailed)):
        told.append(event)
    assert isinstance(event, events.JobFinished), event
    (file,) = event.files
    found = metadata.read(Path(file.path))
    assert found.recipe.replace(model_hashes={}) == wanted.replace(model_hashes={})
    assert found.pixels_sha256 == file.pixels_sha256
    assert sum(isinstance(one, events.StepDone) for one in told) == STEPS


def test_previews_are_made_of_its_latents(twofold: Family, twofold_folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("engine.worker.previews.SHARE", 1000.0)
    driver = fresh()
    driver.make(twofold_folder, recipe(), preview_interval=0.0)
    assert len(driver.of(events.PreviewReady)) == STEPS
    assert {(event.width, event.height) for event in driver.of(events.PreviewReady)} == {(64, 64)}
