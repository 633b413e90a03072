"""Write a trained model as a diffusers folder (fp16 safetensors) with the `laterna.json` that the window reads."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from diffusers import CogVideoXPipeline, DiffusionPipeline, FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline

from engine.models.hashing import hash_file
from engine.models.reading.shared import CARD_NAME
from engine.models.upscalers import DEFAULT as UPSCALER
from engine.models.upscalers import Upscaler, Upscalers

from .captions import caption, plain_caption
from .catalogue import BACKGROUNDS, OBJECTS
from .clips import CLIP_FPS, CLIP_SIDE, draw_clip
from .distill import TurboTask
from .image import ImageTask
from .latent_rgb import LatentRGBFit, fit_clips, fit_pictures
from .portuguese import NOUNS, without_accents
from .scenes import IMAGE_SIDE, Domain, draw_scene
from .tokenizers import T5_LENGTH, clip_tokenizer, t5_tokenizer
from .trainer import Schedule
from .vae import ClipVaeTask, ImageVaeTask
from .video import VideoTask, build_scheduler

IMAGE = "laterna-mini-image"
LICENCE = "Weights: GPL-3.0-or-later, as Laterna. Artwork drawn after Noto Color Emoji (Apache-2.0, font OFL-1.1)."


def _vocabulary(domain: Domain, motions: bool) -> list[str]:
    """The objects' names, the backgrounds' names, the objects' Portuguese names, then every other word of the
    training's captions."""
    names = [name for o in domain.objects for name in OBJECTS[o].names]
    names += [name for b in domain.backgrounds for name in BACKGROUNDS[b].names]
    names += [name for o in domain.objects for name in NOUNS[o].names]
    rng = np.random.default_rng(12)
    draw = draw_clip if motions else draw_scene
    texts = [caption(draw(rng, domain), rng, portuguese=0.5) for _ in range(16000)]
    texts += [without_accents(name) for name in names]
    words = sorted({w for text in texts for w in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text)})
    return list(dict.fromkeys([*names, *words]))


def _examples(domain: Domain, motions: bool, count: int) -> list[str]:
    """Each of another object."""
    rng = np.random.default_rng(11)
    found: dict[int, str] = {}
    while len(found) < min(count, len(domain.objects) - 1):
        scene = draw_clip(rng, domain) if motions else draw_scene(rng, domain, singles=0.75)
        rare = scene.motion == "still" and rng.random() < 0.7
        if scene.items[0].object != 0 and not rare:  # 0 is the fixed first example's
            found.setdefault(scene.items[0].object, plain_caption(scene))
    return list(found.values())


def save(pipeline: DiffusionPipeline, folder: Path, card: dict[str, Any]) -> None:
    """In half precision, which the components have then too."""
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            component.half()
    pipeline.save_pretrained(folder, safe_serialization=True)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)  # safetensors creates them readable by their owner alone
    card["defaults"] |= {"upscaling": msgspec.to_builtins(_shipped_upscaler().upscaling(4))}
    (folder / CARD_NAME).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def _shipped_upscaler() -> Upscaler:
    return next(one for one in Upscalers().all() if one.name == UPSCALER)


def share(folder: Path, owner: Path) -> list[str]:
    """Store once, with the model in `owner` beside it, the components of the model in `folder` that are the same file
    for file; the names of those that `folder` now has from there."""
    card = folder / CARD_NAME
    same = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if place.name.startswith(("text_encoder", "tokenizer", "vae")) and _contents(place) == _contents(
            owner / place.name
        ):
            shutil.rmtree(place)
            same.append(place.name)
    if same:
        told = json.loads(card.read_text()) | {"shared": dict.fromkeys(same, owner.name)}
        card.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return same


def _contents(folder: Path) -> dict[str, str]:
    return {file.name: hash_file(file)[0] for file in folder.iterdir()} if folder.is_dir() else {}


def _image_folder(
    transformer: torch.nn.Module, task: ImageTask, vae: ImageVaeTask, folder: Path, changes: dict[str, Any]
) -> None:
    """`changes` to the card of the plain picture model."""
    text = task.modules["text"]
    pixels, _ = vae.batch(0, Schedule(steps=1, batch=64, seed=5))
    vae.vae.eval()
    preview = fit_pictures(vae.vae, pixels)
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer.eval(), vae=vae.vae, scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        text_encoder=text.clip_1, text_encoder_2=text.clip_2, text_encoder_3=text.t5,
        tokenizer=clip_tokenizer(), tokenizer_2=clip_tokenizer(), tokenizer_3=t5_tokenizer(),
    )  # fmt: skip
    defaults = {"width": IMAGE_SIDE, "height": IMAGE_SIDE, "frames": 1, "fps": 8, "steps": 20, "guidance": 3.0,
                "shift": 1.0, "sampler": "euler", "scheduler": "normal", "max_sequence_length": T5_LENGTH}  # fmt: skip
    card = {
        "format": 1, "id": IMAGE, "name": "Laterna Mini Image", "family": "sd35", "kind": "image",
        "summary": f"Draws {_what(task.domain)} where you say, on {len(task.domain.backgrounds)} backgrounds, in "
                   "seconds on any computer.",
        "defaults": defaults | changes.pop("defaults", {}),
        "sizes": [[IMAGE_SIDE, IMAGE_SIDE]], "frames": [1], "latent_rgb": _rgb(preview),
        "examples": ["a red apple on the left, blue sky background", *_examples(task.domain, False, 11)],
        "vocabulary": _vocabulary(task.domain, False), "licence": LICENCE,
    }  # fmt: skip
    save(pipeline, folder, card | changes)


def _what(domain: Domain) -> str:
    names = ", ".join(OBJECTS[o].name for o in domain.objects[:4])
    return f"{len(domain.objects)} things ({names}, …)"


def export_image(task: ImageTask, vae: ImageVaeTask, folder: Path) -> None:
    """Turns the tasks' weights to half precision: they are of no use for training afterwards."""
    _image_folder(task.modules["transformer"], task, vae, folder, {})


def export_turbo(task: TurboTask, vae: ImageVaeTask, folder: Path) -> None:
    """As `export_image`; text encoders and VAE are the teacher's, and stored with it where it lies beside.
    "sgm_uniform" takes the sigmas that it learned."""
    steps = task.distillation.steps
    summary = f"As Laterna Mini Image, {steps} steps without guidance: {_what(task.domain)} in a fraction of a second."
    changes: dict[str, Any] = {
        "id": "laterna-mini-image-turbo", "name": "Laterna Mini Image Turbo", "summary": summary,
        "defaults": {"steps": steps, "guidance": 1.0, "scheduler": "sgm_uniform"},
    }  # fmt: skip
    _image_folder(task.modules["transformer"], task.teacher, vae, folder, changes)
    share(folder, folder.parent / IMAGE)


def export_video(task: VideoTask, vae: ClipVaeTask, folder: Path) -> None:
    """As `export_image`."""
    pixels = torch.cat([vae.batch(step, Schedule(steps=1, batch=16, seed=5))[0] for step in range(2)])
    vae.vae.eval()
    preview = fit_clips(vae.vae, pixels)
    pipeline = CogVideoXPipeline(
        tokenizer=t5_tokenizer(), text_encoder=task.modules["text"].t5, vae=vae.vae,
        transformer=task.modules["transformer"].eval(), scheduler=build_scheduler(),
    )  # fmt: skip
    card = {
        "format": 1, "id": "laterna-mini-video", "name": "Laterna Mini Video", "family": "cogvideox", "kind": "video",
        "summary": f"Moves one of {_what(task.domain)} left, right, up or down, in short clips.",
        "defaults": {"width": CLIP_SIDE, "height": CLIP_SIDE, "frames": 17, "fps": CLIP_FPS, "steps": 20,
                     "guidance": 3.0, "shift": 1.0, "sampler": "ddim", "scheduler": "trailing",
                     "max_sequence_length": T5_LENGTH},
        "sizes": [[CLIP_SIDE, CLIP_SIDE]], "frames": [9, 17], "latent_rgb": _rgb(preview),
        "examples": ["a red apple moving left, blue sky background", *_examples(task.domain, True, 9)],
        "vocabulary": _vocabulary(task.domain, True), "licence": LICENCE,
    }  # fmt: skip
    save(pipeline, folder, card)


def _rgb(preview: LatentRGBFit) -> dict[str, Any]:
    return asdict(preview)


EXPORTERS: dict[str, Callable[[Any, Any, Path], None]] = {
    "image": export_image,
    "image-turbo": export_turbo,
    "video": export_video,
}
