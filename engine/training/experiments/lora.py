"""LoRA: the embedded picture model learns an object that it has never seen, and keeps those it knows."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.models.installed import open_folder
from resources import MODELS

from ..backgrounds import BackgroundPool
from ..captions import plain_caption
from ..catalogue import OBJECTS
from ..evaluate import Draw, draw_pictures, evaluate, held_out_scenes, image_pipeline
from ..lora import LoraTask, lora_run, save_lora
from ..scenes import IMAGE_SIDE, Domain, draw_scene, render
from ..trainer import Trainer

MODEL = MODELS / "laterna-mini-image"
PICTURES, STEPS, BATCH, RANK = 60, 250, 8, 16
PROMPTS = 40


def write_pictures(folder: Path, domain: Domain, count: int, seed: int = 0) -> None:
    """`count` pictures of the domain's objects as a person would bring them: PNG files with a text beside each."""
    rng = np.random.default_rng((seed, 21))
    pool = BackgroundPool(rng, IMAGE_SIDE, domain.backgrounds)
    for number in range(count):
        scene = draw_scene(rng, domain, singles=1.0)
        pixels = (render(scene, rng, pool).pixels * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03d}.png")
        (folder / f"{number:03d}.txt").write_text(plain_caption(scene))


def strange_object() -> int:
    """The last of the catalogue that the shipped model does not name."""
    known = set(open_folder(MODEL).info.vocabulary)
    return max(i for i, o in enumerate(OBJECTS) if o.name not in known)


def learn_an_object(folder: Path | None = None, steps: int = STEPS) -> dict[str, Any]:
    """Shares of held-out prompts drawn right, of the new object and of known ones, without and with the LoRA."""
    folder = folder or Path(tempfile.mkdtemp(prefix="laterna-lora-"))
    index = strange_object()
    new, known = Domain((index,)), Domain(tuple(range(20)))
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    write_pictures(folder / "pictures", new, PICTURES)
    out = folder / f"{OBJECTS[index].name.replace(' ', '-')}.safetensors"
    run = lora_run(out.stem, MODEL, folder / "pictures", out, steps, BATCH, rank=RANK, layers="all")
    begun = time.process_time()
    task = LoraTask(run)
    trainer = Trainer(task, run.schedule, folder / "training")
    trainer.run()
    with trainer.averaged():
        save_lora(task.modules, run, out)
    seconds = time.process_time() - begun
    pipeline = image_pipeline(MODEL)
    before = _shares(draw_pictures(pipeline), new, known)
    pipeline.load_lora_weights(folder, weight_name=out.name)  # as diffusers reads it
    after = _shares(draw_pictures(pipeline), new, known)
    return {
        "object": OBJECTS[index].name, "pictures": PICTURES, "steps": steps, "cpu_seconds": round(seconds),
        "file": str(out), "file_bytes": out.stat().st_size, "without": before, "with": after,
    }  # fmt: skip


def _shares(draw: Draw, new: Domain, known: Domain) -> dict[str, float]:
    return {
        name: evaluate(held_out_scenes(domain, PROMPTS, seed=77), draw)[0]["objects"]
        for name, domain in (("new object", new), ("known objects", known))
    }
