"""From a run's value to its task: prepared once (PCA, pretrained text encoders), then loaded from the run's folder."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from engine.world.things import COLOURABLE
from resources import WORLD

from . import checkpoint, runs
from .distill import TurboTask
from .image import ImageTask
from .lora import LoraRun, LoraTask
from .parallel import Ranks
from .pca import ClipPCA, ImagePCA
from .pretrain import fit_clip_pca, pretrain_text
from .progress import Report
from .runs import FULL_DOMAIN, ImageRun, ImageVaeRun, Run, TurboRun, VideoRun, VideoVaeRun, WorldRun, folder
from .text import LayoutHead, T5Stack, TextStack
from .trainer import Task, Trainer
from .vae import ClipVaeTask, ImageVaeTask
from .video import VideoTask
from .world.begin import load_shipped_text, load_shipped_transformer
from .world.begin import pretrain as pretrain_world_text
from .world.composition import World
from .world.layout import Layout
from .world.task import WorldTask

log = logging.getLogger(__name__)


def image_pca() -> ImagePCA:
    """That of every picture model and VAE of the project: it is kept with the code, so that they fit each other."""
    return ImagePCA.load(WORLD / "image_latents.safetensors")


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
    pca = image_pca()
    if pretrain:
        _pretrained_text(place, text, layout, run.text_steps, moving=False)
    return ImageTask(run.domain, run.shape, pca, text, layout, run.singles, compiled)


def turbo_task(run: TurboRun, compiled: bool = False) -> TurboTask:
    """With the teacher's averaged weights as they are now."""
    teacher = image_task(run.teacher, compiled, pretrain=False)
    trained(teacher, folder(run.teacher.name))
    return TurboTask(teacher, run.teacher.shape, run.distillation, compiled)


def world_task(run: WorldRun, compiled: bool = False, pretrain: bool = True) -> WorldTask:
    """As `image_task`."""
    torch.manual_seed(run.schedule.seed)
    text = TextStack(run.shape.clip_width, run.shape.joint_width)
    layout = Layout(text.joint_width, text.pooled_width)
    task = WorldTask(run.world, run.shape, image_pca(), text, layout, compiled)
    if pretrain:
        _begin(run, task)
    return task


def _begin(run: WorldRun, task: WorldTask) -> None:
    """The text encoders know the whole world from the start, so that later courses only add pictures."""
    place = folder(run.name)
    load_shipped_transformer(task.modules["transformer"])
    load_shipped_text(task.modules["text"])
    both = nn.ModuleDict({"text": task.modules["text"], "layout": task.modules["layout"]})
    path = place / "text.safetensors"
    if path.is_file():
        both.load_state_dict(load_file(path))
        return
    place.mkdir(parents=True, exist_ok=True)
    pretrain_world_text(both["text"], both["layout"], World(COLOURABLE), runs.IMAGE_DOMAIN, run.text_steps)
    save_file({k: v.contiguous().clone() for k, v in both.state_dict().items()}, path)


def image_vae_task(run: ImageVaeRun) -> ImageVaeTask:
    torch.manual_seed(run.schedule.seed)
    return ImageVaeTask(run.domain, run.shape, image_pca())


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


def task_of(run: Run, compiled: bool = False, pretrain: bool = True) -> Task:
    """What a run trains, ready for it."""
    match run:
        case ImageRun():
            return image_task(run, compiled, pretrain)
        case WorldRun():
            return world_task(run, compiled, pretrain)
        case TurboRun():
            return turbo_task(run, compiled)
        case VideoRun():
            return video_task(run, compiled, pretrain)
        case ImageVaeRun():
            return image_vae_task(run)
        case VideoVaeRun():
            return video_vae_task(run)
        case LoraRun():
            return LoraTask(run)


def trained_task(kind: str):
    """`(run, task, step)` with the averaged weights of the run's last checkpoint."""
    run = runs.BY_KIND[kind]()
    task = task_of(run, pretrain=False)
    return run, task, trained(task, folder(run.name))


def trainer(task: Task, run: Run, place: Path, ranks: Ranks | None = None) -> Trainer:
    """At the last checkpoint, if there is one."""
    made = Trainer(task, run.schedule, place, ranks, {"run": runs.to_dict(run)})
    if made.resume():
        log.info("going on from step %d", made.step)
    return made


def run(trainer: Trainer, report: Report = lambda status: None) -> None:
    """Until the end of the schedule. Ctrl-C and SIGTERM save first and end it."""

    def stop(_signal: int, _frame: object) -> None:
        trainer.stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        trainer.run(milestone_every=1000, report=report)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
