import numpy as np
import pytest
import torch

from engine.training.clips import draw_clip, render_clip, to_frames
from engine.training.image import to_tensor
from engine.training.pca import BlockPCA, ClipPCA, ImagePCA, blocks, unblocks
from engine.training.scenes import draw_scene, render


@pytest.fixture(scope="module")
def pictures(domain, pictures_pool) -> torch.Tensor:
    rng = np.random.default_rng(1)
    return to_tensor([render(draw_scene(rng, domain), rng, pictures_pool) for _ in range(60)])


def test_blocks_and_back():
    frames = torch.randn(2, 4, 3, 16, 24)
    rows = blocks(frames)
    assert rows.shape == (2, 2, 3, 4 * 3 * 64)
    assert torch.equal(unblocks(rows, 4), frames)
    assert torch.equal(rows[1, 0, 2], frames[1, :, :, 0:8, 16:24].flatten())


def test_sixteen_channels_hold_most_of_a_picture(pictures):
    pca = ImagePCA.fit(pictures[:40])
    latents = pca.encode(pictures[40:])
    assert latents.shape == (20, 16, 16, 16)
    assert 0.8 < latents.std() < 1.2
    error = (pca.decode(latents) - pictures[40:]).square().mean() / 4
    assert -10 * torch.log10(error) > 25


def test_encoding_is_a_left_inverse_of_decoding(pictures):
    pca = ImagePCA.fit(pictures)
    latents = torch.randn(2, 16, 4, 4)
    assert torch.allclose(pca.encode(pca.decode(latents)), latents, atol=1e-3)


def test_partial_whitening_keeps_the_order_of_the_components():
    rows = torch.randn(400, 1, 3, 8, 8) * torch.linspace(3, 0.1, 192).reshape(3, 8, 8)
    deviations = BlockPCA.fit(rows).encode(rows).std((0, 2, 3))
    assert (deviations.diff() < 0.02).all()
    assert deviations[0] / deviations[-1] < 2  # plain components would differ by more


def test_clip_latents_are_causal_and_survive_saving(domain, clips_pool, tmp_path):
    rng = np.random.default_rng(1)
    clips = to_frames([render_clip(draw_clip(rng, domain), rng, clips_pool, 9) for _ in range(24)])
    pca = ClipPCA.fit(clips)
    pca.save(tmp_path / "pca.safetensors")
    pca = ClipPCA.load(tmp_path / "pca.safetensors")
    latents = pca.encode(clips)
    assert latents.shape == (24, 3, 16, 12, 12)
    assert pca.decode(latents).shape == clips.shape
    changed = clips.clone()
    changed[:, 5:] = 0
    assert torch.equal(pca.encode(changed)[:, :2], latents[:, :2])
    assert torch.equal(pca.encode(clips[:, :1])[:, 0], latents[:, 0])
