"""A T5 that lies in a GGUF comes from the disk block by block where memory asks for it, with the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.models.imports import recognise, register
from engine.models.store import Store
from engine.worker.residency.networks import blocks_of
from engine.worker.residency.residency import FreeMemory
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, cogvideox
from tests.fakes import single_files as layouts

GIB = 2**30
CORPUS = "a red apple on the left\na dog moves right\nblurry small house\n" * 30
RECIPE = cogvideox(steps=1, guidance=1.0, max_sequence_length=226)


@pytest.mark.parametrize("type", ["F16", "Q8_0", "Q5_0", "Q4_0"])
def test_from_the_disk_it_reads_a_prompt_as_it_does_from_memory(tmp_path: Path, type: str) -> None:
    clip = layouts.save_slim_cogvideox(tmp_path / "CogVideoX-5b", "5b")
    tree = tmp_path / "models"
    layouts.save_tensors(tree / "CogVideo" / "CogVideoX_5b.safetensors", layouts.component(clip, "transformer"))
    layouts.save_tensors(tree / "vae" / "cogvideox_vae.safetensors", layouts.component(clip, "vae"))
    (tree / "text_encoders").mkdir()
    pieces = layouts.train_pieces(tmp_path / "pieces", CORPUS)
    file = tree / "text_encoders" / f"t5xxl-{type}.gguf"
    layouts.gguf_t5(layouts.component(clip, "text_encoder"), file, type, pieces)
    store = Store(tmp_path / "store")
    (found,) = recognise(tree)
    register(store, found, "one")
    read, frames = [], []
    for name, free, place in (("stays", 64 * GIB, "device"), ("comes", GIB, "disk")):
        driver = Driver(Runner(device=torch.device("cpu"), free=lambda device, free=free: FreeMemory(device, free)))
        opened = driver.runner.open(store.root / "one", RECIPE)
        assert opened.residency.plan is not None and opened.residency.parts["text_encoder"].place == place
        cache = tmp_path / name
        frames.append(driver.make(store.root / "one", RECIPE, cache_folder=str(cache)).frames)
        read.append({path.name: path.read_bytes() for path in cache.iterdir()})
        opened.load(["text_encoder"])
        held = opened.pool.get(opened.key("text_encoder"))
        assert held is not None and (held.streamed is not None) == (place == "disk")
        inside = [weight for block in blocks_of(held.part) for weight in block.parameters()]
        there = sum(min(weight.untyped_storage().nbytes(), weight.nbytes) for weight in inside)
        whole = sum(weight.nbytes for weight in inside)
        assert there == whole if place == "device" else there < whole / 10
    assert read[0] == read[1] and len(read[0]) == 1
    assert torch.equal(*frames)
