"""Mixed durations: what it costs to fill short clips up to the longest, and what packing saves."""

from __future__ import annotations

import time
from typing import Any

import torch

from ..packing import forward, losses, pack
from ..video import LATENT, TOKENS, VideoShape, build_transformer, rotary

FRAMES = (5, 3, 1, 3, 1, 1, 5, 1, 3, 1)  # latent frames: of 17, 9 and 1 frames
WORDS = 12


def mixed_durations() -> dict[str, Any]:
    """Tokens and CPU seconds of one forward and backward pass over ten clips, and how far a packed clip's loss is from
    its loss alone."""
    torch.manual_seed(0)
    transformer = build_transformer(VideoShape(heads=1, layers=4, text_width=32))
    for name, parameter in transformer.named_parameters():
        if name.endswith("linear.weight") or name == "proj_out.weight":
            torch.nn.init.normal_(parameter, std=0.1)
    clips = [torch.randn(n, 16, LATENT, LATENT) for n in FRAMES]
    texts = [torch.randn(WORDS, 32) for _ in FRAMES]
    times = torch.randint(0, 1000, (len(FRAMES),))
    targets = [torch.randn_like(clip) for clip in clips]
    each = [n * TOKENS**2 + WORDS for n in FRAMES]
    longest = max(FRAMES)

    def filled() -> torch.Tensor:
        x = torch.stack([torch.cat([c, c[-1:].expand(longest - len(c), -1, -1, -1)]) for c in clips])
        made = transformer(x, torch.stack(texts), times, image_rotary_emb=rotary(longest), return_dict=False)[0]
        return losses([m[: len(c)] for m, c in zip(made, clips, strict=True)], targets)

    def packed() -> torch.Tensor:
        found: dict[int, torch.Tensor] = {}
        for row in pack(each, max(each)):
            made = forward(transformer, [clips[i] for i in row], [texts[i] for i in row], times[row],
                           [rotary(FRAMES[i]) for i in row])  # fmt: skip
            found |= dict(zip(row, losses(made, [targets[i] for i in row]), strict=True))
        return torch.stack([found[i] for i in range(len(FRAMES))])

    def alone() -> torch.Tensor:
        made = [transformer(c[None], t[None], when[None], image_rotary_emb=rotary(len(c)), return_dict=False)[0][0]
                for c, t, when in zip(clips, texts, times, strict=True)]  # fmt: skip
        return losses(made, targets)

    found: dict[str, Any] = {"tokens": {"filled up": len(FRAMES) * max(each), "packed": sum(each)}}
    with torch.no_grad():
        reference = alone()
    for name, way in (("filled up", filled), ("packed", packed)):
        way().mean().backward()  # warm
        transformer.zero_grad()
        begun = time.process_time()
        for _ in range(5):
            result = way()
            result.mean().backward()
        seconds = (time.process_time() - begun) / 5
        found[name] = {
            "cpu_seconds": round(seconds, 3),
            "largest_difference_from_the_loss_alone": (result.detach() - reference).abs().max().item(),
        }
    return found
