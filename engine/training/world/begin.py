"""How the second generation begins: with the first one's weights, as they ship, and text encoders that learn the wider
vocabulary by its layout without forgetting what the transformer already understands."""

from __future__ import annotations

import copy
import logging
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from resources import MODELS

from .. import captions, scenes
from ..text import TextStack
from ..trainer import native_bf16
from .composition import World, draw
from .layout import Layout, Targets
from .wording import caption

log = logging.getLogger(__name__)
SHIPPED = MODELS / "laterna-mini-image"
_FILES = {"clip_1": "text_encoder/model", "clip_2": "text_encoder_2/model", "t5": "text_encoder_3/model"}
_SHARES = (("single", 0.4), ("several", 0.2), ("pair", 0.28), ("triple", 0.12))


def load_shipped_transformer(transformer: nn.Module, folder: Path = SHIPPED) -> None:
    transformer.load_state_dict(_floats(folder / "transformer/diffusion_pytorch_model.safetensors"))


def load_shipped_text(text: TextStack, folder: Path = SHIPPED) -> None:
    """Rows for words that came since stay as they were drawn."""
    for name, file in _FILES.items():
        module, kept = getattr(text, name), _floats(folder / f"{file}.safetensors")
        wanted = module.state_dict()
        if name == "t5":  # one matrix under two names
            kept.setdefault("encoder.embed_tokens.weight", kept["shared.weight"])
        for key, tensor in kept.items():
            if tensor.shape != wanted[key].shape:
                grown = wanted[key].clone()
                grown[: len(tensor)] = tensor
                kept[key] = grown
        module.load_state_dict(kept, strict=False)


def _floats(path: Path) -> dict[str, torch.Tensor]:
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in load_file(path).items()}


def drawn(rng: np.random.Generator, world: World, count: int, held_out: bool = False) -> list:
    kinds = [kind for kind, _ in _SHARES]
    shares = [share for _, share in _SHARES]
    return [draw(rng, world, str(rng.choice(kinds, p=shares)), held_out) for _ in range(count)]


def pretrain(text: TextStack, layout: Layout, world: World, known: scenes.Domain, steps: int, batch: int = 96,
             seed: int = 0, keep: float = 4.0) -> dict[str, float]:  # fmt: skip
    """Layout loss on captions of the world; on a sixth as many captions of the first generation's `known` domain the
    output stays near what it was, weighted by `keep`. Returns the shares of held-out captions read back right."""
    before = copy.deepcopy(text).eval().requires_grad_(False)
    parameters = [*text.parameters(), *layout.parameters()]
    optimizer = torch.optim.AdamW(parameters, 2e-3, (0.9, 0.98), weight_decay=0.0)
    begun = time.monotonic()
    for step in range(steps):
        rng = np.random.default_rng((seed, 3, step))
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 40, (steps - step) / (0.4 * steps))
        compositions = drawn(rng, world, batch)
        targets = Targets(compositions, [False] * batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=native_bf16()):
            sequence, pooled = text([caption(c, rng) for c in compositions])
        loss = layout(sequence.float(), pooled.float(), targets)
        old = [captions.caption(scenes.draw_scene(rng, known), rng, portuguese=0.2) for _ in range(batch // 6)] + [""]
        kept = sum(
            (now - was).square().mean() / was.square().mean() for now, was in zip(text(old), before(old), strict=True)
        )
        optimizer.zero_grad()
        (loss + keep * kept).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 25 == 0:
            log.info("text step %d, loss %.3f, kept %.4f, %.0f s", step, loss.item(), kept.item(),
                     time.monotonic() - begun)  # fmt: skip
    rng = np.random.default_rng((seed, 4))
    compositions = drawn(rng, world, 512, held_out=True)
    with torch.no_grad():
        sequence, _ = text([caption(c, rng) for c in compositions])
    accuracy = layout.accuracy(sequence, Targets(compositions, [False] * len(compositions)))
    log.info("text: held-out captions read back: %s", accuracy)
    return accuracy
