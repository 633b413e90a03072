"""Previews that learn: after one result they are as good as a linear map can be, whatever becomes of the file."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.media import atomic
from engine.models.installed import open_folder
from engine.models.reading.model_folder import read_model
from engine.protocol.errors import Cancelled
from engine.protocol.events import StageChanged
from engine.protocol.family_info import LatentRGB
from engine.protocol.recipe import Recipe
from engine.worker import learned_previews, pipelines
from engine.worker.cancel import Cancellation
from engine.worker.learned_previews import KEPT, RESULTS, LearnedPreviews, digest_of
from engine.worker.preview_fit import Moments, added, cells_of, fitted, moments_of
from engine.worker.runner import Runner
from resources import MODELS

from .conftest import Driver, cogvideox, sd35

FAMILIES = [("sd35-large", sd35), ("cogvideox-2b", cogvideox), ("cogvideox-1.5", cogvideox)]
EVERYTHING = 10**9


def residual(rgb: LatentRGB, latents: Tensor, frames: Tensor) -> float:
    """What ``rgb`` leaves of every cell's colour."""
    seen, colours = cells_of(latents, frames, EVERYTHING)
    return float(np.sqrt(np.square(seen @ np.array(rgb.factors) + np.array(rgb.bias) - colours).mean()))


def least(latents: Tensor, frames: Tensor) -> float:
    """The least that any linear map leaves."""
    seen, colours = cells_of(latents, frames, EVERYTHING)
    joined = np.concatenate([seen, np.ones_like(seen[:, :1])], axis=1)
    found = np.linalg.lstsq(joined, colours, rcond=None)[0]
    return float(np.sqrt(np.square(joined @ found - colours).mean()))


def sound(results: int = 1) -> Moments:
    return moments_of(torch.randn(1, 2, 16, 8, 8), torch.randint(0, 255, (1, 5, 64, 64, 3), dtype=torch.uint8))


def test_a_map_that_is_linear_is_found() -> None:
    factors, bias = torch.randn(16, 3) * 0.02, torch.tensor([0.5, 0.4, 0.6])
    latents = torch.randn(2, 1, 16, 24, 16)
    colours = latents[:, 0].permute(0, 2, 3, 1) @ factors + bias
    frames = (colours * 255).round().to(torch.uint8).repeat_interleave(8, 1).repeat_interleave(8, 2)[:, None]
    found = fitted(moments_of(latents, frames))
    assert torch.tensor(found.rgb.factors).allclose(factors, atol=2e-3)
    assert torch.tensor(found.rgb.bias).allclose(bias, atol=2e-3)
    assert found.residual < 0.003 and not found.rgb.stretched


def test_latent_frames_are_paired_with_their_own_frames() -> None:
    latents = torch.randn(1, 3, 16, 4, 4)
    frames = torch.zeros(1, 9, 32, 32, 3, dtype=torch.uint8)
    for number, own in enumerate((slice(0, 1), slice(1, 5), slice(5, 9))):  # a causal VAE, four frames each
        frames[:, own] = 50 * number
    _, colours = cells_of(latents, frames)
    assert (colours.reshape(3, 16, 3) * 255).mean((1, 2)).tolist() == pytest.approx([0, 50, 100])


def test_two_results_are_as_one_of_both() -> None:
    latents, frames = torch.randn(2, 1, 16, 8, 8), torch.randint(0, 255, (2, 1, 64, 64, 3), dtype=torch.uint8)
    one, other = (moments_of(latents[i : i + 1], frames[i : i + 1]) for i in range(2))
    both, whole = added(one, other), moments_of(latents, frames)
    assert (both.results, both.cells) == (whole.results, whole.cells) == (2, 128)
    assert torch.tensor(fitted(both).rgb.factors).allclose(torch.tensor(fitted(whole).rgb.factors), atol=1e-6)


@pytest.mark.parametrize("model", ["laterna-mini-image", "laterna-mini-video"])
def test_after_one_result_the_embedded_models_previews_are_as_good_as_the_fit(model: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODELS / model, folder, copy_function=os.link)
    told = json.loads((folder / "laterna.json").read_text())
    own = msgspec.convert(told.pop("latent_rgb"), LatentRGB)
    (folder / "laterna.json").unlink()
    (folder / "laterna.json").write_text(json.dumps(told))
    info = open_folder(folder).info
    steps = {"steps": 8} if info.kind == "video" else {}
    first, second = (info.recipe(prompt, seed=3, **steps) for prompt in info.examples[:2])
    driver, kept = Driver(Runner(device=torch.device("cpu"))), {"previews_folder": str(tmp_path / "previews")}
    assert info.latent_rgb is None

    made = driver.make(folder, first, **kept)
    family, parts = pipelines.get(info.family), read_model(folder, info.family)
    latents = family.decoded_latents(parts, first, made.latents)
    learned = driver.runner.learned.find(parts.parts["vae"], 16)
    assert learned is not None and learned == driver.runner._latent_rgb(driver.runner.open(folder, first))
    assert residual(learned, latents, made.frames) <= 1.02 * least(latents, made.frames)

    another = driver.make(folder, second, **kept)  # of what it has not seen
    latents = family.decoded_latents(parts, second, another.latents)
    before = residual(family.latent_rgb(16), latents, another.frames)
    assert residual(learned, latents, another.frames) < 0.7 * before
    again = LearnedPreviews(tmp_path / "previews").find(parts.parts["vae"], 16)  # in another process
    assert again is not None and again != learned
    assert residual(again, latents, another.frames) < 1.1 * residual(own, latents, another.frames)


@pytest.mark.parametrize(("variant", "make"), FAMILIES)
def test_every_family_learns_from_its_first_result_on(
    tiny, driver: Driver, tmp_path: Path, variant: str, make: Callable[..., Recipe]
) -> None:
    folder, recipe = tiny(variant), make(steps=2)
    made = driver.make(folder, recipe, previews_folder=str(tmp_path))
    parts = read_model(folder, recipe.family)
    latents = driver.runner.open(folder, recipe).family.decoded_latents(parts, recipe, made.latents)
    learned = driver.runner.learned.find(parts.parts["vae"], 16)
    assert learned is not None
    assert residual(learned, latents, made.frames) <= 1.02 * least(latents, made.frames)
    [file] = tmp_path.iterdir()
    assert file.stat().st_size < 20_000 and file.stem == digest_of(parts.parts["vae"])


def test_a_vae_is_known_by_its_content(tiny, tmp_path: Path) -> None:
    def digest(folder: Path) -> str:
        return digest_of(read_model(folder, "sd35").parts["vae"])

    one = shutil.copytree(tiny("sd35-large"), tmp_path / "one")
    assert digest(one) == digest(tiny("sd35-large"))
    [file] = (one / "vae").glob("*.safetensors")
    weights = load_file(file)
    weights[next(name for name in weights if name.startswith("encoder."))].zero_()
    save_file(weights, file, {"format": "pt"})
    assert digest(one) == digest(tiny("sd35-large"))  # what encodes has no part in it
    weights["decoder.conv_out.bias"][0] += 1
    save_file(weights, file, {"format": "pt"})
    assert digest(one) != digest(tiny("sd35-large"))


def test_it_learns_of_a_few_results_and_then_stops(tiny, tmp_path: Path) -> None:
    vae = read_model(tiny("sd35-large"), "sd35").parts["vae"]
    previews = LearnedPreviews(tmp_path)
    for _ in range(RESULTS + 3):
        previews.learn(vae, torch.randn(1, 1, 16, 8, 8), torch.randint(0, 255, (1, 1, 64, 64, 3), dtype=torch.uint8))
    [file] = tmp_path.iterdir()
    found = msgspec.json.decode(file.read_bytes(), type=Moments)
    assert found.results == RESULTS and found.cells == RESULTS * 64


def _nan(moments: Moments) -> bytes:
    return msgspec.json.encode(moments).replace(b"[[", b"[[1e999,", 1)


BROKEN: dict[str, Callable[[Moments], bytes]] = {
    "empty": lambda moments: b"",
    "cut": lambda moments: msgspec.json.encode(moments)[:500],
    "text": lambda moments: b"rgb",
    "deep": lambda moments: b"[" * 100_000,
    "infinite": lambda moments: b'{"results": 1, "cells": 1, "sums": [[1e999]]}',
    "odd": lambda moments: msgspec.json.encode(msgspec.structs.replace(moments, sums=moments.sums[:-1])),
    "four channels": lambda moments: msgspec.json.encode(
        moments_of(torch.randn(1, 1, 4, 8, 8), torch.zeros(1, 1, 64, 64, 3, dtype=torch.uint8))
    ),
    "huge": lambda moments: b" " * learned_previews.FILE_LIMIT + msgspec.json.encode(moments),
    "no cells": lambda moments: msgspec.json.encode(msgspec.structs.replace(moments, cells=0)),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_not_sound_is_learned_anew(tiny, tmp_path: Path, kind: str) -> None:
    vae = read_model(tiny("sd35-large"), "sd35").parts["vae"]
    file = tmp_path / f"{digest_of(vae)}.json"
    file.write_bytes(BROKEN[kind](sound()))
    assert LearnedPreviews(tmp_path).find(vae, 16) is None
    LearnedPreviews(tmp_path).learn(vae, torch.randn(1, 1, 16, 8, 8), torch.zeros(1, 1, 64, 64, 3, dtype=torch.uint8))
    assert LearnedPreviews(tmp_path).find(vae, 16) is not None


def test_what_is_no_file_or_no_folder_stops_no_job(tiny, driver: Driver, tmp_path: Path) -> None:
    folder = tiny("sd35-large")
    vae = read_model(folder, "sd35").parts["vae"]
    (tmp_path / "file").write_text("in the way")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes" / f"{digest_of(vae)}.json")
    for place in ("file", "pipes"):
        driver.make(folder, sd35(steps=1), previews_folder=str(tmp_path / place))
    assert LearnedPreviews(tmp_path / "pipes").find(vae, 16) is not None  # a name of ours: what lay there is gone


def test_a_result_of_which_nothing_can_be_learned_is_passed_over(tiny, tmp_path: Path) -> None:
    vae = read_model(tiny("sd35-large"), "sd35").parts["vae"]
    black = torch.zeros(1, 1, 64, 64, 3, dtype=torch.uint8)
    LearnedPreviews(tmp_path).learn(vae, torch.full((1, 1, 16, 8, 8), float("nan")), black)
    assert not list(tmp_path.iterdir())
    LearnedPreviews(tmp_path).learn(vae, torch.zeros(1, 1, 16, 8, 8), black)  # one colour: a sound map, to black
    found = LearnedPreviews(tmp_path).find(vae, 16)
    assert found is not None and found.bias == (0.0, 0.0, 0.0)


def test_engines_that_write_at_once_leave_a_whole_file(tiny, tmp_path: Path) -> None:
    vae = read_model(tiny("sd35-large"), "sd35").parts["vae"]
    key, until, seen, failed = digest_of(vae), time.monotonic() + 1.5, [], []
    frames = torch.randint(0, 255, (1, 1, 64, 64, 3), dtype=torch.uint8)

    def write() -> None:
        try:
            while time.monotonic() < until:
                LearnedPreviews(tmp_path)._write(key, moments_of(torch.randn(1, 1, 16, 8, 8), frames))
        except Exception as error:
            failed.append(error)

    def read() -> None:
        while time.monotonic() < until:
            seen.append(LearnedPreviews(tmp_path)._read(key, 16))

    LearnedPreviews(tmp_path)._write(key, sound())
    threads = [threading.Thread(target=one) for one in (write, write, write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(seen) > 20 and all(found is not None for found in seen)
    assert [path.name for path in tmp_path.iterdir()] == [f"{key}.json"]


def test_files_are_bounded_and_what_a_killed_engine_left_goes(tmp_path: Path) -> None:
    left, fresh = (tmp_path / f"{atomic.TEMPORARY_PREFIX}{name}.json" for name in ("left", "fresh"))
    left.write_text("half")
    fresh.write_text("half")
    os.utime(left, (1, 1))
    previews = LearnedPreviews(tmp_path)
    for number in range(KEPT + 3):
        previews._write(f"{number:064x}", sound())
        os.utime(tmp_path / f"{number:064x}.json", (number + 10, number + 10))
    previews._write("f" * 64, sound())
    names = {path.name for path in tmp_path.iterdir()}
    assert not left.exists() and fresh.exists() and len(names) == KEPT + 1
    assert f"{'f' * 64}.json" in names and f"{0:064x}.json" not in names


def test_a_cancel_while_decoding_teaches_nothing(tiny, tmp_path: Path) -> None:
    cancellation = Cancellation()
    driver = Driver(Runner(cancellation, device=torch.device("cpu")))

    def emit(event: object, blob: bytes) -> None:
        if isinstance(event, StageChanged) and event.stage == "decoding":
            cancellation.request()

    driver.emit = emit  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        driver.make(tiny("sd35-large"), sd35(steps=1), previews_folder=str(tmp_path))
    assert not list(tmp_path.iterdir())
