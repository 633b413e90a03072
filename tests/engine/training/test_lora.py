"""Fine-tuning tiny models on a folder of pictures: data, training, file, and what it does in generation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import SD3Transformer2DModel
from PIL import Image
from safetensors import safe_open

from engine.media.save import save_video
from engine.models.adapters import adapter_from
from engine.protocol.assets import Asset
from engine.protocol.commands import Generate
from engine.protocol.errors import BadArguments, BadFile, BadRecipe, NotWritable
from engine.protocol.recipe import Recipe
from engine.training import runs
from engine.training.captioned import nearest_size, read_examples, read_pixels
from engine.training.lora import LoraRun, LoraTask, lora_run, save_lora
from engine.training.trainer import Trainer
from engine.worker.progress import Progress
from engine.worker.runner import Runner
from tests.fakes.recipes import picture_recipe
from tests.fakes.tiny_models import save_tiny_model

MORE = {"sd35-large": {}, "cogvideox-5b": {"frames": 9}}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")

    def find(variant: str) -> Path:
        folder = root / variant
        return folder if folder.exists() else save_tiny_model(folder, variant)

    return find


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for number, (width, height) in enumerate([(64, 64), (100, 60), (60, 100), (64, 64), (90, 90)]):
        Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8)).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text("a red apple\n" if number % 2 else "a blue dog")
    save_video(rng.integers(0, 255, (9, 64, 96, 3), np.uint8), folder / "clip.mp4", 8, picture_recipe(), _environment())
    (folder / "clip.txt").write_text("a dog moves right")
    return folder


def _environment():
    from engine.media.environment import Environment

    return Environment.current("cpu", {})


@pytest.fixture
def pictures(data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in data.iterdir():
        if path.stem != "clip":
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def made(model: Path, folder: Path, out: Path, **changes) -> LoraRun:
    frames = changes.setdefault("frames", 1)
    size = (96, 64) if frames > 1 else (64, 64)
    return lora_run("test", model, folder, out, **({"steps": 4, "batch": 2, "size": size, "rank": 2} | changes))


def trained(run: LoraRun, folder: Path, steps: int | None = None) -> Trainer:
    trainer = Trainer(LoraTask(run), run.schedule, folder)
    trainer.resume()
    while trainer.step < (steps or run.schedule.steps):
        trainer.train_step()
    trainer.save()
    return trainer


@pytest.mark.parametrize("layers", ["attention", "all"])
def test_a_lora_changes_what_the_model_makes_and_its_zero_start_does_not(tiny, pictures, tmp_path, layers) -> None:
    model, out = tiny("sd35-large"), tmp_path / "out.safetensors"
    run = made(model, pictures, out, layers=layers)
    task = LoraTask(run)
    save_lora(task.modules, run, out)
    recipe = picture_recipe(max_sequence_length=20, steps=2)
    plain, untrained = generate(model, recipe), generate(model, recipe, out)
    assert torch.equal(plain, untrained)  # peft starts with B = 0
    trainer = trained(run, tmp_path / "training")
    save_lora(trainer.task.modules, run, out)
    assert not torch.equal(generate(model, recipe, out), plain)


def generate(model: Path, recipe: Recipe, *loras: Path) -> torch.Tensor:
    recipe = recipe.replace(adapters=tuple(map(adapter_from, loras)))
    job = Generate(
        "job", recipe, str(model), "", "out", adapter_files=tuple(Asset(path.name, path=str(path)) for path in loras)
    )
    return (
        Runner(device=torch.device("cpu"), precision=torch.float32).make(job, Progress("job", lambda *_: None)).latents
    )


def test_the_file_is_what_diffusers_reads(tiny, pictures, tmp_path) -> None:
    out = tmp_path / "out.safetensors"
    run = made(tiny("sd35-large"), pictures, out)
    trainer = trained(run, tmp_path / "training")
    save_lora(trainer.task.modules, run, out)
    transformer = SD3Transformer2DModel.from_pretrained(tiny("sd35-large") / "transformer")
    transformer.load_lora_adapter(out, prefix="transformer")
    ours, theirs = trainer.task._transformer, transformer
    inputs = {
        "hidden_states": torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0)),
        "encoder_hidden_states": torch.randn(1, 5, 40, generator=torch.Generator().manual_seed(1)),
        "pooled_projections": torch.zeros(1, 32), "timestep": torch.tensor([500.0]),
    }  # fmt: skip
    with torch.no_grad():
        assert torch.allclose(ours(**inputs, return_dict=False)[0], theirs(**inputs, return_dict=False)[0], atol=1e-5)
    with safe_open(out, "pt") as file:
        names, header = set(file.keys()), file.metadata()
    assert "transformer.transformer_blocks.0.attn.to_q.lora_A.weight" in names
    assert json.loads(header["lora_adapter_metadata"])["transformer.r"] == 2
    assert str(tmp_path) not in json.dumps(header)  # no folder of the person's gets into the file


@pytest.mark.parametrize("variant", list(MORE))
def test_a_resumed_fine_tuning_is_the_undisturbed_one(tiny, data, pictures, tmp_path, variant) -> None:
    folder = pictures if variant == "sd35-large" else only_clip(data, tmp_path)
    run = made(tiny(variant), folder, tmp_path / "out.safetensors", **MORE[variant])
    whole = trained(run, tmp_path / "whole")
    trained(run, tmp_path / "parts", steps=2)
    resumed = trained(run, tmp_path / "parts")
    assert resumed.step == 4
    for (name, one), two in zip(
        whole.task.modules.state_dict().items(), resumed.task.modules.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two), name
        unused = name.startswith("transformer_blocks/3/attn/add_q_proj")  # nothing reads the last block's text end
        assert "lora_A" in name or unused or one.any(), name


def only_clip(data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("clip.mp4", "clip.txt"):
        (folder / name).write_bytes((data / name).read_bytes())
    return folder


def test_gradient_checkpointing_changes_nothing_but_memory(tiny, pictures, tmp_path) -> None:
    run = made(tiny("sd35-large"), pictures, tmp_path / "out.safetensors")
    one = trained(run, tmp_path / "one", 2).task.modules.state_dict()
    other = trained(replace(run, gradient_checkpointing=True), tmp_path / "other", 2).task.modules.state_dict()
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


def test_every_example_comes_once_an_epoch_and_a_batch_has_one_size(tiny, pictures, tmp_path) -> None:
    sizes = ((64, 64), (96, 64), (64, 96))
    run = replace(made(tiny("sd35-large"), pictures, tmp_path / "out.safetensors", batch=1), sizes=sizes)
    task = LoraTask(run)
    steps = [task.rows(step, run.schedule) for step in range(5)]
    assert sorted(row for [row] in steps) == [0, 1, 2, 3, 4]
    assert steps != [task.rows(step, run.schedule) for step in range(5, 10)]
    wide = replace(run.schedule, batch=3)
    for step in range(6):
        rows = task.rows(step, wide)
        assert len(rows) == 3
        assert len({task._latents[row].shape for row in rows}) == 1
    halves = [task.rows(2, replace(run.schedule, batch=4, parts=2).of_part(part)) for part in range(2)]
    assert halves[0] + halves[1] == task.rows(2, replace(run.schedule, batch=4))


def test_samples_are_drawn_of_the_runs_prompts(tiny, pictures, tmp_path) -> None:
    run = made(tiny("sd35-large"), pictures, tmp_path / "out.safetensors", prompts=("a red apple", "a dog"))
    assert LoraTask(run).pictures().shape == (64, 256, 3)
    assert run.schedule.sample_seconds > 0


def test_runs_are_written_as_json_and_read_back(tiny, pictures, tmp_path) -> None:
    lora = made(tiny("sd35-large"), pictures, tmp_path / "out.safetensors", prompts=("a", "b"))
    for run in (lora, *(make() for make in runs.BY_KIND.values())):
        assert runs.from_json(runs.to_json(run)) == run
    with pytest.raises(BadRecipe):
        runs.from_json('{"kind": "sculpture"}')
    with pytest.raises(BadRecipe):
        runs.from_json('{"kind": "lora", "rank": "many"}')
    with pytest.raises(BadRecipe):
        runs.from_json("{")


def test_captions_are_read_and_missing_ones_are_named(pictures: Path) -> None:
    examples = read_examples(pictures)
    assert [e.caption for e in examples] == ["a blue dog", "a red apple"] * 2 + ["a blue dog"]
    (pictures / "3.txt").unlink()
    with pytest.raises(BadArguments, match=r"3\.png has no caption"):
        read_examples(pictures)
    assert read_examples(pictures, "sks dog")[3].caption == "sks dog"
    (pictures / "3.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadFile, match=r"3\.txt"):
        read_examples(pictures)


def test_bad_data_is_told(tmp_path: Path, pictures: Path) -> None:
    with pytest.raises(BadArguments, match="no folder"):
        read_examples(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadArguments, match="no pictures"):
        read_examples(tmp_path / "empty")
    (pictures / "0.png").write_bytes(b"no picture")
    with pytest.raises(BadFile, match=r"0\.png"):
        read_pixels(pictures / "0.png", (64, 64))
    with pytest.raises(BadFile, match=r"0\.png"):
        nearest_size(pictures / "0.png", ((64, 64), (32, 64)))


def test_a_clip_that_is_too_short_is_told(data: Path) -> None:
    assert read_pixels(data / "clip.mp4", (96, 64), 9).shape == (9, 64, 96, 3)
    with pytest.raises(BadFile, match="9 frames; 17 are needed"):
        read_pixels(data / "clip.mp4", (96, 64), 17)


def test_a_size_that_the_model_cannot_have_is_refused(tiny, pictures, tmp_path) -> None:
    with pytest.raises(BadRecipe):
        made(tiny("sd35-large"), pictures, tmp_path / "out.safetensors", size=(70, 64))


def test_a_file_that_cannot_be_written_is_told(tiny, pictures, tmp_path) -> None:
    run = made(tiny("sd35-large"), pictures, tmp_path / "out.safetensors")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotWritable):
        save_lora(LoraTask(run).modules, run, tmp_path / "file" / "out.safetensors")
