"""The border to an engine that shares no files with the window, over a connection and a real engine."""

from __future__ import annotations

import hashlib
import queue
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from engine.jobs import assets
from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LocalProcess
from engine.media import metadata
from engine.models.adapters import adapter_from
from engine.models.catalog import MINI_IMAGE
from engine.models.installed import open_folder
from engine.models.lora_facts import transformer_width
from engine.protocol import commands, events
from engine.protocol.assets import CHUNK, Asset
from engine.protocol.errors import EngineDied, LaternaError
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from resources import MODELS
from tests.fakes.elsewhere import Elsewhere
from tests.fakes.loras import NAMES

PATIENCE = 120.0
MODEL = MODELS / MINI_IMAGE


class Window:
    """The window's side: a connection and what came over it, in order."""

    def __init__(self, transport: Any) -> None:
        self.told: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self.exits: queue.SimpleQueue[LaternaError | None] = queue.SimpleQueue()
        self.transport = transport
        self.connection = EngineConnection(lambda event, blob: self.told.put(event), self.exits.put, transport)
        self.connection.start()

    def wait(self, *kinds: type) -> Any:
        until = time.monotonic() + PATIENCE
        while not isinstance(event := self.told.get(timeout=max(0.01, until - time.monotonic())), kinds):
            pass
        return event

    def generate(self, job: str, recipe: Recipe, output: Path, *loras: Path, **more: Any) -> Any:
        """How the job ended."""
        self.send(job, recipe, output, *loras, **more)
        return self.wait(events.JobFinished, events.JobFailed, events.JobCancelled)

    def send(self, job: str, recipe: Recipe, output: Path, *loras: Path, **more: Any) -> None:
        output.mkdir(exist_ok=True)
        adapters = assets.of(recipe.adapters, loras)
        inputs = assets.of(recipe.inputs, [Path(one.path) for one in recipe.inputs])
        files = {"adapter_files": adapters, "input_files": inputs} | more
        self.connection.send(commands.Generate(job, recipe, str(MODEL), str(output), "made", **files))


@pytest.fixture
def reach() -> Iterator[Callable[[Any], Window]]:
    reached: list[Window] = []

    def begin(transport: Any) -> Window:
        reached.append(Window(transport))
        return reached[-1]

    yield begin
    for window in reached:
        window.connection.shutdown()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "person" / "start.png"
    path.parent.mkdir()
    noise = np.random.default_rng(7).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((192, 192)).save(path)
    return path


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    """Of more than one chunk, for the fetch to have a middle."""
    width = transformer_width(open_folder(MODEL))
    rank = CHUNK // (8 * width) + 10
    random, name = np.random.default_rng(3), NAMES["sd35"]
    path = tmp_path / "ink.safetensors"
    down, up = (random.normal(0, 0.02, shape).astype(np.float32) for shape in ((rank, width), (width, rank)))
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)
    assert CHUNK < path.stat().st_size < 2 * CHUNK
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recipe_of(picture: Path, lora: Path) -> Recipe:
    recipe = open_folder(MODEL).info.recipe("a red apple").replace(steps=3, seed=5)
    return recipe.replace(
        inputs=(Input("start", str(picture), sha256_of(picture), 0.6),), adapters=(adapter_from(lora, 0.8),)
    )


def test_a_picture_and_a_lora_by_hash_and_the_result_by_bytes(reach, tmp_path: Path, picture: Path, lora: Path) -> None:
    recipe = recipe_of(picture, lora)
    here = reach(LocalProcess(tmp_path / "log", environment={"LATERNA_THREADS": "1"}))
    expected = here.generate("here", recipe, tmp_path / "here", lora)
    assert isinstance(expected, events.JobFinished), expected
    here.connection.shutdown()
    far = reach(Elsewhere(tmp_path / "far"))
    checkpoint = str(tmp_path / "checkpoints" / "far.safetensors")
    done = far.generate(
        "far", recipe, tmp_path / "there", lora, checkpoint=checkpoint, cache_folder=str(tmp_path / "cache")
    )
    assert isinstance(done, events.JobFinished), done
    assert [file.pixels_sha256 for file in done.files] == [file.pixels_sha256 for file in expected.files]
    (file,) = done.files
    assert Path(file.path) == tmp_path / "there" / "made.png"
    assert metadata.read(Path(file.path)).pixels_sha256 == file.pixels_sha256
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["made.png"]
    assert not (tmp_path / "cache").exists(), "what is kept is kept in the engine's home"
    assert list((far.transport.home / "encodings").iterdir())

    # Once more with both gone from this machine: the engine has them, and the name is not taken twice.
    picture.unlink()
    lora.unlink()
    again = far.generate("again", recipe, tmp_path / "there", lora)
    assert isinstance(again, events.JobFinished), again
    assert again.files[0].pixels_sha256 == file.pixels_sha256
    assert Path(again.files[0].path).name == "made_2.png"

    # What nobody has ends in a sentence, and the engine goes on.
    other = recipe.replace(inputs=(Input("start", str(picture), "ab" * 32, 0.6),))
    failed = far.generate("gone", other, tmp_path / "there", lora)
    assert isinstance(failed, events.JobFailed) and str(picture) in failed.error.message
    far.connection.send(commands.Preload(str(MODEL)))
    assert far.wait(events.Preloaded).error is None


def test_a_fetch_that_is_cut_goes_on_and_a_wrong_content_is_refused(
    reach, tmp_path: Path, picture: Path, lora: Path
) -> None:
    recipe, output, folder = recipe_of(picture, lora), tmp_path / "out", tmp_path / "far"
    digest = sha256_of(lora)
    part = folder / "engine home" / "assets" / f"{digest}.part"

    first = reach(Elsewhere(folder))
    answer = first.connection._offered.answer

    def once(wanted: events.AssetWanted) -> Any:
        """After the first chunk of the LoRA the line is cut."""
        if wanted.sha256 == digest and wanted.offset:
            first.transport.kill()
        return answer(wanted)

    first.connection._offered.answer = once
    first.send("cut", recipe, output, lora)
    assert isinstance(first.exits.get(timeout=PATIENCE), EngineDied)
    assert part.stat().st_size == CHUNK
    assert not list(output.iterdir())

    # Other bytes arrived before the cut than the file has: the end of it tells, and all of it is fetched anew.
    part.write_bytes(b"x" * 1000)
    second = reach(Elsewhere(folder))
    assert isinstance(second.generate("whole", recipe, output, lora), events.JobFinished)
    assert not part.exists()
    assert (part.with_suffix("") / lora.name).read_bytes() == lora.read_bytes()

    # Exchanged after it was named: what arrives is not believed, nor kept.
    wrong = "cd" * 32
    adapters = (Asset(lora.name, wrong, str(lora)),)
    refused = second.generate("wrong", recipe, output, lora, adapter_files=adapters)
    assert isinstance(refused, events.JobFailed) and "did not arrive" in refused.error.message
    assert not list(part.parent.glob(f"{wrong}*"))
    assert len(list(output.iterdir())) == 1


def test_a_cancel_while_a_file_is_fetched(reach, tmp_path: Path, picture: Path, lora: Path) -> None:
    window = reach(Elsewhere(tmp_path / "far"))
    window.wait(events.EngineReady)
    window.connection._offered.answer = lambda wanted: (commands.Ping(1), b"")  # the file never comes
    window.send("slow", recipe_of(picture, lora), tmp_path / "out", lora)
    window.wait(events.JobStarted)
    window.connection.send(commands.Cancel("slow"))
    began = time.monotonic()
    window.wait(events.JobCancelled)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("says", ['EngineHello(PROTOCOL + 1, "9.9")', 'EngineWarming("Loading")'])
def test_an_engine_of_another_version_ends_in_a_sentence(reach, tmp_path: Path, says: str) -> None:
    script = (
        "import sys, time\n"
        "from engine.protocol import codec\n"
        "from engine.protocol.events import EngineHello, EngineWarming\n"
        "from engine.protocol.version import PROTOCOL\n"
        f"sys.stdout.buffer.write(codec.encode({says})); sys.stdout.flush(); time.sleep(60)\n"
    )
    window = reach(LocalProcess(tmp_path / "log", [sys.executable, "-c", script]))
    error = window.exits.get(timeout=PATIENCE)
    assert isinstance(error, EngineDied) and error.is_final
    assert "version" in error.message and "both sides" in error.remedy
    assert window.told.empty()


def test_a_window_of_another_version_is_refused(reach, tmp_path: Path, picture: Path, lora: Path, monkeypatch) -> None:
    monkeypatch.setattr("engine.jobs.connection.Hello", lambda protocol, version: commands.Hello(99, "9.9"))
    window = reach(LocalProcess(tmp_path / "log", environment={"LATERNA_THREADS": "1"}))
    window.connection.send(commands.Ping(1))
    refused = window.wait(events.CommandRefused, events.Pong)
    assert isinstance(refused, events.CommandRefused) and "9.9, with version 99" in refused.error.message


def test_an_engine_asks_for_nothing_that_no_job_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    offered = assets.Offered()
    command, blob = offered.answer(events.AssetWanted(hashlib.sha256(b"x").hexdigest(), 0))
    assert isinstance(command, commands.AssetRefused) and not blob
