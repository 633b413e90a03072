"""A clip packed with others is the clip alone."""

from __future__ import annotations

import pytest
import torch

from engine.training.packing import PackedRow, forward, losses, pack
from engine.training.video import VideoShape, build_transformer, rotary

LATENT = 12


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    made = build_transformer(VideoShape(heads=1, layers=2, text_width=32))
    for name, parameter in made.named_parameters():
        if name.endswith("linear.weight") or name == "proj_out.weight":
            torch.nn.init.normal_(parameter, std=0.1)
    return made.double()


def clips(*frames: int):
    torch.manual_seed(1)
    videos = [torch.randn(n, 16, LATENT, LATENT, dtype=torch.float64) for n in frames]
    texts = [torch.randn(5 + n, 32, dtype=torch.float64) for n in frames]
    times = torch.tensor([100 * (i + 1) for i in range(len(frames))])
    positions = [tuple(x.double() for x in rotary(n)) for n in frames]
    return videos, texts, times, positions


def alone(transformer, video, text, time, position):
    return transformer(video[None], text[None], time[None], image_rotary_emb=position, return_dict=False)[0][0]


def test_a_packed_clips_output_and_loss_are_those_it_has_alone(transformer) -> None:
    videos, texts, times, positions = clips(1, 3, 5, 3)
    packed = forward(transformer, videos, texts, times, positions)
    targets = [torch.randn_like(video) for video in videos]
    for i, made in enumerate(packed):
        expected = alone(transformer, videos[i], texts[i], times[i], positions[i])
        assert expected.abs().max() > 0.1
        assert torch.allclose(made, expected, atol=1e-10, rtol=0)
    singly = [(alone(transformer, *args) - target).square().mean()
              for *args, target in zip(videos, texts, times, positions, targets, strict=True)]  # fmt: skip
    assert torch.allclose(losses(packed, targets), torch.stack(singly), atol=1e-12)


def test_gradients_are_those_of_the_clips_alone(transformer) -> None:
    videos, texts, times, positions = clips(1, 3)
    targets = [torch.randn_like(video) for video in videos]
    transformer.zero_grad()
    losses(forward(transformer, videos, texts, times, positions), targets).sum().backward()
    packed = {name: p.grad.clone() for name, p in transformer.named_parameters() if p.grad is not None}
    transformer.zero_grad()
    for *args, target in zip(videos, texts, times, positions, targets, strict=True):
        (alone(transformer, *args) - target).square().mean().backward()
    assert all(torch.allclose(p.grad, packed[n], atol=1e-9) for n, p in transformer.named_parameters() if n in packed)
    transformer.zero_grad()


def test_another_clip_in_the_row_changes_nothing(transformer) -> None:
    videos, texts, times, positions = clips(3, 5)
    before = forward(transformer, videos, texts, times, positions)[0]
    videos[1] = videos[1] * 3
    times[1] = 999
    assert torch.equal(forward(transformer, videos, texts, times, positions)[0], before)


def test_the_mask_keeps_clips_apart() -> None:
    row = PackedRow.of([1, 2], [2, 1], None)
    assert row.mask.int().tolist() == [
        [1, 0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0, 1],
        [0, 1, 1, 0, 0, 1],
        [1, 0, 0, 1, 1, 0],
        [1, 0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0, 1],
    ]


def test_clips_are_packed_into_rows_that_hold_them() -> None:
    lengths = [180, 36, 108, 36, 108, 36, 36]
    rows = pack(lengths, 180)
    assert sorted(clip for row in rows for clip in row) == list(range(7))
    assert all(sum(lengths[i] for i in row) <= 180 for row in rows)
    assert len(rows) == 3  # the sum is 540: nothing is wasted
