"""A tiny untrained model through the whole path: task, export, folder, pipeline."""

import json

import numpy as np
import pytest
import torch
from diffusers import CogVideoXPipeline, StableDiffusion3Pipeline

from engine.training import image, video
from engine.training.export import export_image, export_video
from engine.training.latent_rgb import LatentRGBFit, solve
from engine.training.pretrain import fit_clip_pca, fit_image_pca
from engine.training.scenes import Domain
from engine.training.text import LayoutHead, T5Stack, TextStack
from engine.training.tokenizers import T5_LENGTH
from engine.training.trainer import Schedule
from engine.training.vae import ClipVaeTask, ImageVaeTask, VaeShape

SMALL = Domain((0, 1, 2), (0, 12, 13))
PROMPTS = ["a small owl on the right, forest background", "a red apple"]


@pytest.fixture(scope="module")
def image_tasks():
    torch.manual_seed(0)
    pca = fit_image_pca(SMALL, scenes=12)
    text = TextStack(32, 64)
    task = image.ImageTask(SMALL, image.ImageShape(1, 2, 32, 64), pca, text, LayoutHead(64, 64))
    return task, ImageVaeTask(SMALL, VaeShape((8, 8, 8, 8), groups=4), pca)


@pytest.fixture(scope="module")
def video_tasks():
    torch.manual_seed(0)
    pca = fit_clip_pca(SMALL, clips=6)
    task = video.VideoTask(SMALL, video.VideoShape(1, 2, 64), pca, T5Stack(64), LayoutHead(64, 0))
    return task, ClipVaeTask(SMALL, VaeShape((8, 8, 8, 8), groups=4), pca)


def _wake(transformer: torch.nn.Module) -> None:
    """Random instead of zero ends, else every velocity is 0 and nothing would be compared."""
    for name, p in transformer.named_parameters():
        if not p.any() and name.endswith("weight"):
            torch.nn.init.normal_(p, std=0.05)


def _halve(module: torch.nn.Module) -> None:
    """Round to what the exported folder will hold."""
    module.half().float()


def test_the_picture_pipeline_draws_what_training_samples(image_tasks, tmp_path):
    task, vae = image_tasks
    _wake(task.modules["transformer"])
    for module in (task.modules, vae.modules):
        _halve(module)
        module.eval()
    expected = task.sample(PROMPTS, seed=3, steps=4)
    export_image(task, vae, tmp_path)
    pipeline = StableDiffusion3Pipeline.from_pretrained(tmp_path, dtype=torch.float32)
    side = image.IMAGE_SIDE // 8
    latents = pipeline(
        PROMPTS, negative_prompt=["", ""], num_inference_steps=4, guidance_scale=3.0, height=128, width=128,
        max_sequence_length=T5_LENGTH, output_type="latent",
        latents=torch.randn(2, 16, side, side, generator=torch.Generator().manual_seed(3)),
    ).images  # fmt: skip
    made = (task.pca.decode(latents) / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    # diffusers' "normal" schedule ends a step of 1/1000 before ours, so the pictures agree but are not equal
    assert np.abs(made - expected).max() < 0.05
    card = json.loads((tmp_path / "laterna.json").read_text())
    assert card["family"] == "sd35"
    assert np.array(card["latent_rgb"]["factors"]).shape == (16, 3)
    assert {"owl", "apple", "blue sky", "left", "background"} <= set(card["vocabulary"])
    assert "pizza" not in card["vocabulary"]
    assert all("pizza" not in e for e in card["examples"])
    assert not list(tmp_path.rglob("*.bin"))


def test_the_clip_pipeline_draws_what_training_samples(video_tasks, tmp_path):
    task, vae = video_tasks
    _wake(task.modules["transformer"])
    for module in (task.modules, vae.modules):
        _halve(module)
        module.eval()
    expected = task.sample(["a red apple moving up", "owl"], seed=3, frames=9, steps=3)
    export_video(task, vae, tmp_path)
    pipeline = CogVideoXPipeline.from_pretrained(tmp_path, dtype=torch.float32)
    latents = pipeline(
        ["a red apple moving up", "owl"], negative_prompt=["", ""], num_inference_steps=3, guidance_scale=3.0,
        height=96, width=96, num_frames=9, max_sequence_length=T5_LENGTH, output_type="latent",
        latents=torch.randn(2, 3, 16, 12, 12, generator=torch.Generator().manual_seed(3)),
    ).frames  # fmt: skip
    made = (task.pca.decode(latents) / 2 + 0.5).clamp(0, 1).permute(0, 1, 3, 4, 2).numpy()
    assert np.abs(made - expected).max() < 1e-3
    card = json.loads((tmp_path / "laterna.json").read_text())
    assert card["frames"] == [9, 17]
    assert card["family"] == "cogvideox"


@pytest.mark.parametrize("kind", ["image", "video"])
def test_one_training_step_moves_every_trained_weight(kind, image_tasks, video_tasks):
    task, vae = image_tasks if kind == "image" else video_tasks
    for one in (task, vae):
        one.modules.float().train()
        loss, metrics = one.loss(0, Schedule(steps=10, batch=4))
        assert torch.isfinite(loss)
        assert all(np.isfinite(v) for v in metrics.values())
        loss.backward()
        grouped = {p for g in one.groups() for p in g.parameters}
        assert grouped == set(one.modules.parameters())
        missing = [n for n, p in one.modules.named_parameters() if p.grad is None]
        # CogVideoX' and SD3's last blocks have text ends that nothing reads
        assert len(missing) < 0.05 * len(grouped), missing
        one.modules.zero_grad()


def test_preview_factors_recover_a_linear_map():
    generator = torch.Generator().manual_seed(0)
    factors, bias = torch.randn(16, 3, generator=generator), torch.randn(3, generator=generator)
    latents = torch.randn(200, 16, generator=generator)
    found = solve(latents, latents @ factors + bias)
    assert np.allclose(found.factors, factors, atol=1e-4)
    assert np.allclose(found.bias, bias, atol=1e-4)
    shown = LatentRGBFit(found.factors, found.bias).preview(latents.reshape(2, 10, 10, 16).permute(0, 3, 1, 2))
    assert shown.shape == (2, 3, 10, 10)
    assert shown.min() >= 0
    assert shown.max() <= 1
