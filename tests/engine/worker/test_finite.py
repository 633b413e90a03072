"""Numbers that are none: noticed where they arise, told with what helps, and never a black picture called done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.protocol.assets import Asset
from engine.protocol.errors import Cancelled, NotFinite
from engine.protocol.events import CheckpointSaved, JobNoted, JobResumed
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe
from engine.worker import finite
from engine.worker.encodings import EncodingCache
from engine.worker.finite import NotFiniteFound, StepWatch, is_finite
from engine.worker.runner import Runner
from engine.worker.sampling.base import SamplerState

from .conftest import Driver, cogvideox, sd35

NAN = float("nan")
FAMILIES = [("sd35-large", sd35), ("cogvideox-2b", cogvideox)]


@pytest.fixture
def copy(tiny, tmp_path: Path) -> Callable[[str], Path]:
    """A model's folder that a test may damage."""
    return lambda variant: shutil.copytree(tiny(variant), tmp_path / "model")


def spoil(folder: Path, part: str, name: str, value: float) -> None:
    """Put ``value`` into one weight whose name ends in ``name``."""
    [file] = (folder / part).glob("*.safetensors")
    weights = load_file(file)
    key = next(key for key in weights if key.endswith(name))
    weights[key].view(-1)[0] = value
    save_file(weights, file, {"format": "pt"})


@contextmanager
def failing_from(driver: Driver, folder: Path, recipe: Recipe, call: int) -> Iterator[None]:
    """Within: the transformer's output is no number from its ``call``-th call on."""
    driver.make(folder, recipe)
    model = driver.runner.open(folder, recipe)
    held = model.pool.get(model.key("transformer"))
    assert held is not None
    calls = 0

    def spoilt(module: Any, inputs: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        return (torch.full_like(output[0], NAN),) if calls >= call else output

    handle = held.part.register_forward_hook(spoilt)
    try:
        yield
    finally:
        handle.remove()


@pytest.mark.parametrize("bad", [NAN, float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_one_number_that_is_none_is_seen(bad: float, dtype: torch.dtype) -> None:
    tensor = torch.randn(2, 16, 9, 7).to(dtype)
    assert is_finite(tensor) and is_finite(tensor[..., :0]) and is_finite(tensor.to(torch.int8))
    assert is_finite(torch.full((100,), torch.finfo(dtype).max, dtype=dtype))  # their sum is not
    tensor[1, 3, 8, 6] = bad
    assert not is_finite(tensor)


@pytest.mark.parametrize(("variant", "make"), FAMILIES)
def test_the_step_is_named_and_the_last_finite_one_is_kept(
    tiny, driver: Driver, tmp_path: Path, variant: str, make: Callable[..., Recipe]
) -> None:
    folder, recipe = tiny(variant), make(steps=5)
    whole = driver.make(folder, recipe).frames
    more = {"checkpoint": str(tmp_path / "c.safetensors"), "output_folder": str(tmp_path / "out")}
    job = driver.job(folder, recipe, **more)
    with failing_from(driver, folder, recipe, 3):  # both sides of guidance in one call
        driver.events.clear()
        with pytest.raises(NotFinite, match=r"Step 3 of 5") as failure:
            driver.runner.run(job, driver.emit)
    assert failure.value.exit_code == 7 and failure.value.remedy
    assert not (tmp_path / "out").exists()
    assert [saved.step for saved in driver.of(CheckpointSaved)] == [2]
    assert is_finite(load_file(tmp_path / "c.safetensors")["latents"])
    again = driver.make(folder, recipe, checkpoint=more["checkpoint"])
    assert [one.step for one in driver.of(JobResumed)] == [2]
    assert torch.equal(again.frames, whole)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "heun", "euler_ancestral", "uni_pc"])
@pytest.mark.parametrize("caching", [0.0, 0.3])
def test_no_sampler_goes_on_with_such_numbers(tiny, driver: Driver, sampler: str, caching: float) -> None:
    folder, recipe = tiny("sd35-large"), sd35(steps=6, sampler=sampler, step_caching=caching)
    with failing_from(driver, folder, recipe, 2), pytest.raises(NotFinite, match=r"Step \d of 6"):
        driver.make(folder, recipe)


def test_a_broken_file_is_named(copy, driver: Driver) -> None:
    folder = copy("sd35-large")
    spoil(folder, "transformer", "proj_out.weight", NAN)
    with pytest.raises(NotFinite, match=r"Step 1 of 4.*files of the .*get the model again"):
        driver.make(folder, sd35())


def test_a_lora_is_what_to_take_off(tiny, driver: Driver, tmp_path: Path) -> None:
    name, file = "transformer.transformer_blocks.0.attn.to_q", tmp_path / "loud.safetensors"
    size = load_file(next((tiny("sd35-large") / "transformer").glob("*.safetensors")))
    width = size["transformer_blocks.0.attn.to_q.weight"].shape[0]
    loud = torch.full((1, width), 1e30)
    save_file({f"{name}.lora_A.weight": loud, f"{name}.lora_B.weight": loud.T.clone()}, file)
    recipe = sd35(adapters=(Adapter("loud.safetensors", ""),))
    with pytest.raises(NotFinite, match=r"Step 1 of 4.*Take loud.safetensors off") as failure:
        driver.make(tiny("sd35-large"), recipe, adapter_files=(Asset(file.name, path=str(file)),))
    assert failure.value.field == "adapters"
    driver.make(tiny("sd35-large"), sd35())  # without it all is well


@pytest.mark.parametrize(
    ("variant", "make", "part"), [(*FAMILIES[0], "text_encoder_2"), (*FAMILIES[1], "text_encoder")]
)
def test_a_prompt_that_is_read_as_no_numbers_is_told_and_not_cached(
    copy, driver: Driver, tmp_path: Path, variant: str, make: Callable[..., Recipe], part: str
) -> None:
    folder, cache = copy(variant), tmp_path / "cache"
    spoil(folder, part, "norm.weight" if "cog" in variant else "final_layer_norm.weight", NAN)
    if "cog" not in variant:  # the hidden states are taken before the last norm
        spoil(folder, part, "token_embedding.weight", NAN)
        [file] = (folder / part).glob("*.safetensors")
        weights = load_file(file)
        weights[next(key for key in weights if key.endswith("position_embedding.weight"))][0] = NAN
        save_file(weights, file, {"format": "pt"})
    with pytest.raises(NotFinite, match=r"Reading the prompt.*files of the"):
        driver.make(folder, make(), cache_folder=str(cache))
    assert not list(cache.glob("*.safetensors"))


def test_an_encoding_that_was_cached_with_such_numbers_is_made_anew(tmp_path: Path) -> None:
    EncodingCache(tmp_path).put("a", {"embeds": torch.tensor([[1.0, NAN]])})
    assert EncodingCache(tmp_path).get("a") is None
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize(("variant", "make"), FAMILIES)
def test_decoding_to_black_is_told_and_nothing_is_saved(
    copy, driver: Driver, tmp_path: Path, variant: str, make: Callable[..., Recipe]
) -> None:
    folder = copy(variant)
    spoil(folder, "vae", "decoder.conv_out.bias" if "cog" not in variant else "decoder.conv_out.conv.bias", NAN)
    checkpoint = tmp_path / "c.safetensors"
    job = driver.job(folder, make(), output_folder=str(tmp_path / "out"), checkpoint=str(checkpoint))
    with pytest.raises(NotFinite, match=r"Decoding.*files of the VAE"):
        driver.runner.run(job, driver.emit)
    assert not (tmp_path / "out").exists()
    assert driver.of(CheckpointSaved)[-1].step == 4  # only decoding is left


def test_a_vae_beyond_half_precision_decodes_in_float32(copy) -> None:
    folder = copy("sd35-large")
    spoil(folder, "vae", "decoder.conv_in.bias", 1e5)  # float16 ends at 65504; the norm behind takes it back
    driver = Driver(Runner(device=torch.device("cpu"), precision=torch.float16))
    made = driver.make(folder, sd35(steps=1))
    assert any("float32" in note.message for note in driver.of(JobNoted))
    exact = Driver(Runner(device=torch.device("cpu"), precision=torch.float32)).make(folder, sd35(steps=1))
    assert (made.frames.float() - exact.frames.float()).abs().mean() < 5
    assert made.frames.any()


def test_a_picture_to_start_from_that_encodes_to_no_numbers_is_told(copy, driver: Driver, tmp_path: Path) -> None:
    from PIL import Image

    folder = copy("sd35-large")
    spoil(folder, "vae", "encoder.conv_in.bias", NAN)
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    recipe = sd35(inputs=(Input("start", str(tmp_path / "red.png"), strength=0.5),))
    with pytest.raises(NotFinite, match=r"Encoding the picture.*files of the VAE"):
        driver.make(folder, recipe)


def test_a_checkpoint_with_such_numbers_is_refused(tiny, driver: Driver, tmp_path: Path, monkeypatch) -> None:
    folder, recipe, file = tiny("sd35-large"), sd35(), str(tmp_path / "c.safetensors")
    whole = driver.make(folder, recipe).frames
    monkeypatch.setattr(finite, "_sum", lambda tensor: torch.zeros(()))  # a Laterna that does not look
    with failing_from(driver, folder, recipe, 3):
        driver.make(folder, recipe, checkpoint=file)
    monkeypatch.undo()
    again = driver.make(folder, recipe, checkpoint=file)
    assert not driver.of(JobResumed) and torch.equal(again.frames, whole)


class Later:
    """An event that a device reaches later than the host."""

    def __init__(self) -> None:
        self.has_arrived = False
        self.waited = False

    def query(self) -> bool:
        return self.has_arrived

    def synchronize(self) -> None:
        self.has_arrived = self.waited = True


class Ahead(StepWatch):
    """As on a device that works on while the host goes ahead."""

    def __init__(self, sound: finite.Sound) -> None:
        super().__init__(torch.device("cpu"), sound)
        self.events: list[Later] = []

    def _fetched(self, state: SamplerState, steps: int) -> finite._Waiting:
        self.events.append(Later())
        return finite._Waiting(state, steps, finite._sum(state.latents), self.events[-1])  # type: ignore[arg-type]


def state(step: int, value: float = 0.0) -> SamplerState:
    return SamplerState(step, torch.full((1, 2), value), torch.Generator())


def test_a_host_that_is_ahead_waits_only_for_what_lies_far_behind() -> None:
    known: list[int] = []
    watch = Ahead(lambda state, steps: known.append(state.step))
    with watch.watching():
        for step in range(1, 4):
            watch.reached(state(step), 5)
        assert known == [1] and [event.waited for event in watch.events] == [True, False, False]
        watch.events[1].has_arrived = True
        watch.reached(state(4), 5)
        assert known == [1, 2] and not watch.events[2].waited
    assert known == [1, 2, 3, 4]


def test_what_was_found_late_is_told_with_its_own_step() -> None:
    known: list[int] = []
    watch = Ahead(lambda state, steps: known.append(state.step))
    with pytest.raises(NotFiniteFound) as found, watch.watching():
        for step in range(1, 6):
            watch.reached(state(step, NAN if step >= 4 else 0.0), 5)
    assert (found.value.step, found.value.steps) == (4, 5) and known == [1, 2, 3]


def test_a_cancel_keeps_what_is_known_to_be_sound() -> None:
    known: list[int] = []
    watch = Ahead(lambda state, steps: known.append(state.step))
    with pytest.raises(Cancelled), watch.watching():
        watch.reached(state(1), 5)
        watch.reached(state(2, NAN), 5)
        raise Cancelled("Cancelled.")
    assert known == [1]
