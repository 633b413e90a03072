"""From a run's value to its task: prepared once (PCA, pretrained text encoders), then loaded from the run's folder."""

from __future__ import annotations

import logging
import signal
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from . import checkpoint, runs
from .image import ImageTask
from .pca import ClipPCA, ImagePCA
from .pretrain import fit_clip_pca, fit_image_pca, pretrain_text
from .runs import FULL_DOMAIN, ImageRun, ImageVaeRun, VideoRun, VideoVaeRun, folder
from .text import LayoutHead, T5Stack, TextStack
from .trainer import Schedule, Task, Trainer
from .vae import ClipVaeTask, ImageVaeTask
from .video import VideoTask

log = logging.getLogger(__name__)


def image_pca(place: Path) -> ImagePCA:
    path = place / "pca.safetensors"
    if not path.is_file():
        place.mkdir(parents=True, exist_ok=True)
        fit_image_pca(FULL_DOMAIN).save(path)
    return ImagePCA.load(path)


def clip_pca(place: Path) -> ClipPCA:
    path = place / "pca.safetensors"
    if not path.is_file():
        place.mkdir(parents=True, exist_ok=True)
        fit_clip_pca(FULL_DOMAIN).save(path)
    return ClipPCA.load(path)


def _pretrained_text(place: Path, text: nn.Module, layout: LayoutHead, steps: int, moving: bool) -> None:
    both = nn.ModuleDict({"text": text, "layout": layout})
    path = place / "text.safetensors"
    if path.is_file():
        both.load_state_dict(load_file(path))
        return
    accuracy = pretrain_text(text, layout, FULL_DOMAIN, steps, moving=moving)
    log.info("text encoders: layout accuracy %.3f on held-out captions", accuracy)
    save_file({k: v.contiguous().clone() for k, v in both.state_dict().items()}, path)


def image_task(run: ImageRun, compiled: bool = False, pretrain: bool = True) -> ImageTask:
    """`pretrain=False` when weights will be loaded over it anyway."""
    place = folder(run.name)
    torch.manual_seed(run.schedule.seed)
    text = TextStack(run.shape.clip_width, run.shape.joint_width)
    layout = LayoutHead(text.joint_width, text.pooled_width)
    pca = image_pca(place)
    if pretrain:
        _pretrained_text(place, text, layout, run.text_steps, moving=False)
    return ImageTask(run.domain, run.shape, pca, text, layout, run.singles, compiled)


def image_vae_task(run: ImageVaeRun, diffusion: str = "mini-image") -> ImageVaeTask:
    """`diffusion` names the run whose PCA defines the latents."""
    torch.manual_seed(run.schedule.seed)
    return ImageVaeTask(run.domain, run.shape, image_pca(folder(diffusion)))


def video_task(run: VideoRun, compiled: bool = False, pretrain: bool = True) -> VideoTask:
    place = folder(run.name)
    torch.manual_seed(run.schedule.seed)
    text = T5Stack(run.shape.text_width)
    layout = LayoutHead(text.joint_width, text.pooled_width)
    pca = clip_pca(place)
    if pretrain:
        _pretrained_text(place, text, layout, run.text_steps, moving=True)
    return VideoTask(run.domain, run.shape, pca, text, layout, compiled)


def video_vae_task(run: VideoVaeRun, diffusion: str = "mini-video") -> ClipVaeTask:
    torch.manual_seed(run.schedule.seed)
    return ClipVaeTask(run.domain, run.shape, clip_pca(folder(diffusion)))


def trained(task: Task, place: Path, name: str = "last") -> int:
    """Load the averaged weights of a checkpoint into the task; returns the step."""
    tensors, meta = checkpoint.load(place / f"{name}.safetensors")
    task.modules.load_state_dict(checkpoint.part(tensors, "ema."))
    task.modules.eval()
    return meta["step"]


def training(kind: str, compiled: bool = False, pretrain: bool = True):
    """`(run, task)` of "image", "image-vae", "video" or "video-vae", ready to train."""
    if kind == "image":
        run = runs.mini_image()
        return run, image_task(run, compiled, pretrain)
    if kind == "video":
        run = runs.mini_video()
        return run, video_task(run, compiled, pretrain)
    if kind == "image-vae":
        run = runs.mini_image_vae()
        return run, image_vae_task(run)
    run = runs.mini_video_vae()
    return run, video_vae_task(run)


def trained_task(kind: str):
    """`(run, task, step)` with the averaged weights of the run's last checkpoint."""
    run, task = training(kind, pretrain=False)
    return run, task, trained(task, folder(run.name))


def train(task: Task, schedule: Schedule, place: Path, steps: int | None = None) -> None:
    """Until the end of the schedule (or `steps`), from the last checkpoint if there is one. Ctrl-C and SIGTERM save."""
    trainer = Trainer(task, schedule if steps is None else replace(schedule, steps=steps), place)
    if trainer.resume():
        log.info("going on from step %d", trainer.step)

    def stop(_signal: int, _frame: object) -> None:
        trainer.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    trainer.run(milestone_every=1000)
