"""The 3D causal VAE: no latent knows what comes later, and single frames train it as pictures would."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_cogvideox import CogVideoXCausalConv3d

from engine.training.experiments.vae import moving_squares
from engine.training.schedule import Schedule
from engine.training.vae_kl import KlVaeTask, kl, tiny_vae


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return tiny_vae((4, 4, 8, 8)).eval()


def test_changing_later_frames_changes_no_earlier_latent(vae) -> None:
    """17 frames are two chunks, of 9 and of 8: the group norms see a whole chunk, and nothing of the next."""
    clips = moving_squares(1, torch.Generator().manual_seed(0), frames=17)
    changed = clips.clone()
    changed[:, :, 9:] = -changed[:, :, 9:]
    with torch.no_grad():
        before, after = vae._encode(clips), vae._encode(changed)
        alone = vae._encode(clips[:, :, :9])
    assert torch.equal(before[:, :, :3], after[:, :, :3])
    assert torch.equal(before[:, :, :3], alone)
    assert not any(torch.equal(before[:, :, i], after[:, :, i]) for i in (3, 4))


def test_every_convolution_is_causal_to_the_frame(vae) -> None:
    found = [module for module in vae.modules() if isinstance(module, CogVideoXCausalConv3d)]
    assert len(found) > 20
    for module in found:
        x = torch.randn(1, module.conv.in_channels, 6, 4, 4, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            before = module(x)[0]
            for first in range(1, 6):
                later = x.clone()
                later[:, :, first:] += 1
                after = module(later)[0]
                assert torch.equal(before[:, :, :first], after[:, :, :first])
                assert not torch.equal(before, after)


def test_kl_is_that_of_two_normal_distributions() -> None:
    mean, deviation = torch.tensor(0.7), torch.tensor(0.3)
    moments = torch.stack([mean, 2 * deviation.log()]).view(1, 2, 1)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, deviation), torch.distributions.Normal(0.0, 1.0)
    )
    assert kl(moments).item() == pytest.approx(expected.item(), rel=1e-6)
    assert kl(torch.zeros(1, 8, 2)).item() == 0


@pytest.mark.parametrize("still", [0.0, 1.0])
def test_a_step_trains_encoder_and_decoder(still: float) -> None:
    torch.manual_seed(0)
    task = KlVaeTask(tiny_vae((4, 4, 8, 8)), moving_squares, still)
    loss, figures = task.loss(0, Schedule(steps=4, batch=1))
    loss.backward()
    assert math.isfinite(figures["psnr"])
    missing = [name for name, p in task.modules.named_parameters() if p.grad is None]
    assert not missing


def test_a_single_frame_sees_each_kernel_as_one_of_two_dimensions() -> None:
    """Time's taps get the same gradient from a single frame: what is learned there is a picture's kernel."""
    torch.manual_seed(0)
    task = KlVaeTask(tiny_vae((4, 4, 8, 8)), moving_squares, still=1.0)
    task.loss(0, Schedule(steps=4, batch=1))[0].backward()
    kernel = task.modules["vae"].encoder.conv_in.conv.weight.grad
    assert kernel.abs().max() > 0
    assert torch.allclose(kernel[:, :, 0], kernel[:, :, 2], rtol=1e-4, atol=1e-7)
