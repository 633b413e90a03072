"""Write a trained model as a diffusers folder (fp16 safetensors) with the `laterna.json` that the window reads."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import CogVideoXPipeline, DiffusionPipeline, FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline

from .captions import caption, plain_caption
from .catalogue import BACKGROUNDS, OBJECTS
from .clips import CLIP_FPS, CLIP_SIDE, draw_clip
from .image import ImageTask
from .latent_rgb import LatentRGB, fit_clips, fit_pictures
from .scenes import IMAGE_SIDE, Domain, draw_scene
from .tokenizers import T5_LENGTH, clip_tokenizer, t5_tokenizer
from .trainer import Schedule
from .vae import ClipVaeTask, ImageVaeTask
from .video import VideoTask, build_scheduler

LICENCE = "Weights: GPL-3.0-or-later, as Laterna. Artwork drawn after Noto Color Emoji (Apache-2.0, font OFL-1.1)."


def _vocabulary(domain: Domain, motions: bool) -> list[str]:
    """The objects' names, the backgrounds' names, then every other word of the training's captions."""
    names = [name for o in domain.objects for name in OBJECTS[o].names]
    names += [BACKGROUNDS[b].name for b in domain.backgrounds]
    rng = np.random.default_rng(12)
    draw = draw_clip if motions else draw_scene
    texts = [caption(draw(rng, domain), rng) for _ in range(6000)]
    words = sorted({w for text in texts for w in re.findall("[a-z]+", text)})
    return list(dict.fromkeys([*names, *words]))


def _examples(domain: Domain, motions: bool, count: int) -> list[str]:
    rng = np.random.default_rng(11)
    if motions:
        return [plain_caption(draw_clip(rng, domain)) for _ in range(count)]
    return [plain_caption(draw_scene(rng, domain, singles=0.75)) for _ in range(count)]


def _save(pipeline: DiffusionPipeline, folder: Path, card: dict[str, Any]) -> None:
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            component.half()
    pipeline.save_pretrained(folder, safe_serialization=True)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)  # safetensors creates them readable by their owner alone
    (folder / "laterna.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def export_image(task: ImageTask, vae: ImageVaeTask, folder: Path) -> None:
    """Turns the tasks' weights to half precision: they are of no use for training afterwards."""
    text = task.modules["text"]
    pixels, _ = vae.batch(0, Schedule(steps=1, batch=64, seed=5))
    vae.vae.eval()
    preview = fit_pictures(vae.vae, pixels)
    pipeline = StableDiffusion3Pipeline(
        transformer=task.modules["transformer"].eval(), vae=vae.vae,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        text_encoder=text.clip_1, text_encoder_2=text.clip_2, text_encoder_3=text.t5,
        tokenizer=clip_tokenizer(), tokenizer_2=clip_tokenizer(), tokenizer_3=t5_tokenizer(),
    )  # fmt: skip
    names = ", ".join(OBJECTS[o].name for o in task.domain.objects[:4])
    card = {
        "format": 1, "id": "laterna-mini-image", "name": "Laterna Mini Image", "family": "sd35", "kind": "image",
        "summary": f"Draws {len(task.domain.objects)} things ({names}, …) where you say, on "
                   f"{len(task.domain.backgrounds)} backgrounds, in seconds on any computer.",
        "defaults": {"width": IMAGE_SIDE, "height": IMAGE_SIDE, "frames": 1, "fps": 8, "steps": 20, "guidance": 3.0,
                     "shift": 1.0, "sampler": "euler", "scheduler": "normal", "max_sequence_length": T5_LENGTH},
        "sizes": [[IMAGE_SIDE, IMAGE_SIDE]], "frames": [1], "latent_rgb": _rgb(preview),
        "examples": ["a red apple on the left, blue sky background", *_examples(task.domain, False, 11)],
        "vocabulary": _vocabulary(task.domain, False), "licence": LICENCE,
    }  # fmt: skip
    _save(pipeline, folder, card)


def export_video(task: VideoTask, vae: ClipVaeTask, folder: Path) -> None:
    """As `export_image`."""
    pixels = torch.cat([vae.batch(step, Schedule(steps=1, batch=16, seed=5))[0] for step in range(2)])
    vae.vae.eval()
    preview = fit_clips(vae.vae, pixels)
    pipeline = CogVideoXPipeline(
        tokenizer=t5_tokenizer(), text_encoder=task.modules["text"].t5, vae=vae.vae,
        transformer=task.modules["transformer"].eval(), scheduler=build_scheduler(),
    )  # fmt: skip
    names = ", ".join(OBJECTS[o].name for o in task.domain.objects[:4])
    card = {
        "format": 1, "id": "laterna-mini-video", "name": "Laterna Mini Video", "family": "cogvideox", "kind": "video",
        "summary": f"Moves one of {len(task.domain.objects)} things ({names}, …) left, right, up or down, in short "
                   "clips.",
        "defaults": {"width": CLIP_SIDE, "height": CLIP_SIDE, "frames": 17, "fps": CLIP_FPS, "steps": 20,
                     "guidance": 3.0, "shift": 1.0, "sampler": "ddim", "scheduler": "trailing",
                     "max_sequence_length": T5_LENGTH},
        "sizes": [[CLIP_SIDE, CLIP_SIDE]], "frames": [9, 17], "latent_rgb": _rgb(preview),
        "examples": ["a red apple moving left, blue sky background", *_examples(task.domain, True, 9)],
        "vocabulary": _vocabulary(task.domain, True), "licence": LICENCE,
    }  # fmt: skip
    _save(pipeline, folder, card)


def _rgb(preview: LatentRGB) -> dict[str, Any]:
    return asdict(preview)
