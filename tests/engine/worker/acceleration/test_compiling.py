"""Compiled blocks: how they come and go around a stage, and what happens where they cannot be.

PyTorch's backends without a compiler of kernels stand in for the real one: they go the same way and give the same bits.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.media import metadata
from engine.protocol.errors import Cancelled
from engine.protocol.events import JobNoted
from engine.protocol.recipe import Recipe
from engine.worker.acceleration.compiling import Compiler, is_plain, missing_compiler
from engine.worker.acceleration.gains import Gains
from engine.worker.residency.networks import blocks_of
from engine.worker.runner import Made, Runner
from tests.engine.worker.conftest import Driver, cogvideox, sd35

CPU = torch.device("cpu")
STEPS = 4
Backend = Any


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Compilations of one test are none of the next one's."""
    yield
    torch._dynamo.reset()


def driver_with(backend: Backend) -> Driver:
    runner = Runner(device=CPU, precision=torch.float32)
    runner.compiler = Compiler(runner.cancellation, CPU, backend)
    return Driver(runner)


def compiled(driver: Driver, folder: Path, recipe: Recipe, cache: Path, wish: str = "always") -> Made:
    return driver.make(folder, recipe, compile=wish, compile_folder=str(cache))


class Counting:
    """A backend that runs the graph as it is, and counts compilations and calls."""

    def __init__(self) -> None:
        self.graphs = self.calls = 0

    def __call__(self, graph: torch.fx.GraphModule, inputs: list[Any]) -> Callable[..., Any]:
        self.graphs += 1

        def run(*arguments: Any) -> Any:
            self.calls += 1
            return graph(*arguments)

        return run


def transformer(driver: Driver, folder: Path, recipe: Recipe) -> torch.nn.Module:
    model = driver.runner.open(folder, recipe)
    held = driver.runner.memory.pool.get(model.key("transformer"))
    assert held is not None and held.network is not None
    return held.network


@pytest.mark.parametrize(("variant", "recipe"), [("sd35-large", sd35(steps=STEPS)), ("cogvideox-5b", cogvideox())])
def test_equal_blocks_share_one_compilation_and_nothing_stays_behind(
    tiny, tmp_path: Path, variant: str, recipe: Recipe
) -> None:
    backend = Counting()
    driver = driver_with(backend)
    plain = driver.make(tiny(variant), recipe)
    made = compiled(driver, tiny(variant), recipe, tmp_path)
    blocks = blocks_of(transformer(driver, tiny(variant), recipe))
    assert torch.equal(made.frames, plain.frames)
    assert backend.calls == STEPS * len(blocks)
    assert 0 < backend.graphs <= 2 < len(blocks) + 1  # SD3.5's last block is another one
    assert not any("forward" in block.__dict__ for block in blocks)
    graphs = backend.graphs
    compiled(driver, tiny(variant), recipe.replace(seed=8), tmp_path)
    assert backend.graphs == graphs
    driver.make(tiny(variant), recipe)
    assert backend.calls == 2 * STEPS * len(blocks)
    assert not driver.of(JobNoted)


def test_where_there_is_no_compiler_the_model_runs_as_usual_and_one_line_says_so(
    tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, recipe = tiny("sd35-large"), sd35(steps=2)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    driver = driver_with("inductor")
    assert missing_compiler(CPU) == "a C++ compiler"
    plain = driver.make(folder, recipe)
    made = compiled(driver, folder, recipe, tmp_path / "c")
    assert torch.equal(made.frames, plain.frames)
    assert [event.message for event in driver.of(JobNoted)] == [
        "Models are not compiled: a C++ compiler is missing on this computer."
    ]
    compiled(driver, folder, recipe, tmp_path / "c")
    assert not driver.of(JobNoted)


def test_a_compiler_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "my-compiler"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CXX", str(program))
    assert missing_compiler(CPU) == ""
    assert missing_compiler(torch.device("mps"))


def test_compiling_that_fails_costs_one_line_and_nothing_else(tiny, tmp_path: Path) -> None:
    def fails(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no kernel for this")

    driver, recipe = driver_with(fails), sd35(steps=2)
    plain = driver.make(tiny("sd35-large"), recipe)
    made = compiled(driver, tiny("sd35-large"), recipe, tmp_path)
    assert torch.equal(made.frames, plain.frames)
    assert [event.message for event in driver.of(JobNoted)] == ["Compiling the model failed; it runs as usual."]
    assert torch.equal(compiled(driver, tiny("sd35-large"), recipe, tmp_path).frames, plain.frames)
    assert not driver.of(JobNoted)


def test_a_cancel_while_it_is_compiled_ends_the_job(tiny, tmp_path: Path) -> None:
    driver = driver_with("eager")

    def is_cancelled(graph: Any, inputs: Any) -> Any:
        driver.runner.cancellation.request()
        raise Cancelled("The job was cancelled.")

    driver.runner.compiler = Compiler(driver.runner.cancellation, CPU, is_cancelled)
    with pytest.raises(Cancelled):
        compiled(driver, tiny("sd35-large"), sd35(steps=2), tmp_path)
    driver.runner.cancellation.reset()
    blocks = blocks_of(transformer(driver, tiny("sd35-large"), sd35(steps=2)))
    assert not any("forward" in block.__dict__ for block in blocks)


def test_what_hangs_on_layers_keeps_the_plain_forward(tiny, tmp_path: Path) -> None:
    backend = Counting()
    driver, folder, recipe = driver_with(backend), tiny("sd35-large"), sd35(steps=2)
    plain = driver.make(folder, recipe)
    network = transformer(driver, folder, recipe)
    assert is_plain(network)
    seen = []
    layer = blocks_of(network)[0].attn.to_q
    handle = layer.register_forward_hook(lambda *_: seen.append(1))  # as a LoRA's
    assert not is_plain(network)
    assert torch.equal(compiled(driver, folder, recipe, tmp_path).frames, plain.frames)
    handle.remove()
    assert backend.graphs == 0 and len(seen) == 2


def test_it_is_measured_first_and_short_work_is_left_alone(tiny, tmp_path: Path) -> None:
    backend = Counting()
    driver, folder, recipe = driver_with(backend), tiny("sd35-large"), sd35(steps=STEPS)
    for _ in range(2):
        compiled(driver, folder, recipe, tmp_path, "auto")
    assert backend.graphs == 0
    file = tmp_path / "gains.json"
    [key] = Gains(file).known
    gain = Gains(file).of(key)
    assert gain.plain > 0 == gain.compiled and gain.jobs == 2
    Gains(file).add(key, False, 1000.0)  # as if a call took that long
    compiled(driver, folder, recipe, tmp_path, "auto")
    assert backend.graphs > 0
    assert Gains(file).of(key).compiled > 0 and Gains(file).of(key).cost >= 0


def test_memory_that_runs_out_is_not_taken_for_a_failure(tiny, tmp_path: Path) -> None:
    def runs_out(graph: Any, inputs: Any) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            raise torch.OutOfMemoryError("CUDA out of memory")

        return run

    driver = driver_with(runs_out)
    with pytest.raises(torch.OutOfMemoryError):
        driver.runner._within_memory = lambda work, stage, run: run()  # type: ignore[method-assign]
        compiled(driver, tiny("sd35-large"), sd35(steps=2), tmp_path)
    assert not driver.of(JobNoted)


def test_a_file_says_that_it_was_made_compiled(tiny, tmp_path: Path) -> None:
    driver, recipe = driver_with("eager"), sd35(steps=2)
    for wish in ("always", "never"):
        job = driver.job(
            tiny("sd35-large"),
            recipe,
            output_folder=str(tmp_path),
            file_stem=wish,
            compile=wish,
            compile_folder=str(tmp_path / "c"),
        )
        [file] = driver.runner.run(job, driver.emit).files
        environment = metadata.read(Path(file.path)).environment
        assert environment is not None and environment.compiled == (wish == "always")


def test_a_model_that_goes_leaves_its_memory(tiny, tmp_path: Path) -> None:
    driver = driver_with("eager")
    compiled(driver, tiny("sd35-large"), sd35(steps=2), tmp_path)
    weight = weakref.ref(next(iter(blocks_of(transformer(driver, tiny("sd35-large"), sd35(steps=2)))[1].parameters())))
    assert weight() is not None
    driver.runner.release()
    assert weight() is None
