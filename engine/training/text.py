"""Small text encoders and their pretraining on the layout of the scene.

Trained from scratch together with a diffusion model, encoders this small never learn which of two objects is on
which side. So they first learn, for a few minutes, to name what stands in each cell of a 3x3 grid; the loss stays on
with a small weight afterwards.

Shapes: B = batch, S = text tokens (CLIP's, then T5's), D = joint width.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, PreTrainedTokenizerBase, T5Config, T5EncoderModel

from .catalogue import BACKGROUNDS, MOTIONS, OBJECTS, SIZES
from .scenes import Scene
from .tokenizers import CLIP_LENGTH, CLIP_VOCABULARY, T5_LENGTH, T5_VOCABULARY, clip_tokenizer, t5_tokenizer


def clip_encoder(width: int, layers: int = 2) -> CLIPTextModelWithProjection:
    tokenizer = clip_tokenizer()
    config = CLIPTextConfig(
        vocab_size=CLIP_VOCABULARY, hidden_size=width, intermediate_size=width * 3, projection_dim=width,
        num_hidden_layers=layers, num_attention_heads=width // 32, max_position_embeddings=CLIP_LENGTH,
        hidden_act="quick_gelu", bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = CLIPTextModelWithProjection(config)
    nn.init.normal_(model.get_input_embeddings().weight, std=0.3)  # the default suits 49,408 tokens and a long training
    return model


def t5_encoder(width: int, layers: int = 2) -> T5EncoderModel:
    config = T5Config(
        vocab_size=T5_VOCABULARY, d_model=width, d_kv=32, d_ff=width * 2, num_layers=layers, num_heads=width // 32,
        relative_attention_num_buckets=16, relative_attention_max_distance=32, dropout_rate=0.0,
        feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False, pad_token_id=0, eos_token_id=1,
        decoder_start_token_id=0,
    )  # fmt: skip
    return T5EncoderModel(config)


class TextStack(nn.Module):
    """Two CLIP encoders and a T5, used exactly as StableDiffusion3Pipeline uses them."""

    def __init__(self, clip_width: int = 96, joint_width: int = 192) -> None:
        super().__init__()
        if joint_width < 2 * clip_width:
            raise ValueError("the joint width must hold both CLIP widths side by side")
        self.clip_1, self.clip_2 = clip_encoder(clip_width), clip_encoder(clip_width)
        self.t5 = t5_encoder(joint_width)
        self.joint_width, self.pooled_width = joint_width, 2 * clip_width
        self._clip_tokenizer: PreTrainedTokenizerBase = clip_tokenizer()
        self._t5_tokenizer: PreTrainedTokenizerBase = t5_tokenizer()

    def forward(self, captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """`(sequence [B, S, D], pooled [B, P])`."""
        ids = _ids(self._clip_tokenizer, captions, CLIP_LENGTH)
        outputs = [encoder(ids, output_hidden_states=True) for encoder in (self.clip_1, self.clip_2)]
        clip = torch.cat([o.hidden_states[-2] for o in outputs], -1)
        clip = F.pad(clip, (0, self.joint_width - clip.shape[-1]))
        t5 = self.t5(_ids(self._t5_tokenizer, captions, T5_LENGTH))[0]
        return torch.cat([clip, t5], 1), torch.cat([o.text_embeds for o in outputs], -1)


class T5Stack(nn.Module):
    """A T5 alone, used exactly as CogVideoXPipeline uses it (no attention mask)."""

    def __init__(self, width: int = 192, layers: int = 2) -> None:
        super().__init__()
        self.t5 = t5_encoder(width, layers)
        self.joint_width, self.pooled_width = width, 0
        self._tokenizer: PreTrainedTokenizerBase = t5_tokenizer()

    def forward(self, captions: list[str]) -> tuple[torch.Tensor, None]:
        return self.t5(_ids(self._tokenizer, captions, T5_LENGTH))[0], None


def _ids(tokenizer: PreTrainedTokenizerBase, captions: list[str], length: int) -> torch.Tensor:
    return tokenizer(captions, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids


_CELLS = tuple((row, column) for row in ("top", "", "bottom") for column in ("left", "", "right"))


class LayoutTargets:
    """What a caption says, as classes: `cells` `[B, 9]` object + 1 (0: none), `sizes` `[B]`, `backgrounds` `[B]`,
    `motions` `[B]`."""

    def __init__(self, scenes: list[Scene]) -> None:
        cells = torch.zeros(len(scenes), len(_CELLS), dtype=torch.long)
        for row, scene in enumerate(scenes):
            for item in scene.items:
                cell = _CELLS.index(tuple(side if side in item.place else "" for side in _sides(item.place)))
                cells[row, cell] = item.object + 1
        self.cells = cells
        self.sizes = torch.tensor([SIZES.index(s.items[0].size) for s in scenes])
        self.backgrounds = torch.tensor([s.background for s in scenes])
        self.motions = torch.tensor([MOTIONS.index(s.motion) if s.motion else 0 for s in scenes])


def _sides(place: str) -> tuple[str, str]:
    return (
        "top" if "top" in place else "bottom" if "bottom" in place else "",
        "left" if "left" in place else "right" if "right" in place else "",
    )


class LayoutHead(nn.Module):
    """Reads the scene back from the text: one learned query per grid cell and one for everything else."""

    def __init__(self, width: int, pooled_width: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(len(_CELLS) + 1, width) * 0.3)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, width // 32, batch_first=True)
        self.objects = nn.Linear(width, len(OBJECTS) + 1)
        self._split = (len(SIZES), len(BACKGROUNDS), len(MOTIONS))
        self.others = nn.Linear(width, sum(self._split))
        self.pooled = nn.Linear(pooled_width, sum(self._split) + len(OBJECTS)) if pooled_width else None

    def forward(self, sequence: torch.Tensor, pooled: torch.Tensor | None, targets: LayoutTargets) -> torch.Tensor:
        """The loss. The pooled vector, which has no positions, learns the set of objects instead of the grid."""
        states = self.norm(sequence)
        found = self.attention(self.queries.expand(len(states), -1, -1), states, states, need_weights=False)[0]
        cells = self.objects(found[:, :-1])
        loss = F.cross_entropy(cells.flatten(0, 1), targets.cells.flatten(), reduction="none").reshape(cells.shape[:2])
        filled = targets.cells > 0
        loss = (loss * filled).sum() / filled.sum() + (loss * ~filled).sum() / (~filled).sum()
        loss = loss + self._classes(self.others(found[:, -1]), targets)
        if self.pooled is not None:
            others, objects = self.pooled(pooled).split((sum(self._split), len(OBJECTS)), -1)
            present = F.one_hot(targets.cells, len(OBJECTS) + 1).amax(1)[:, 1:].float()
            loss = loss + 0.5 * self._classes(others, targets)
            loss = loss + 0.5 * F.binary_cross_entropy_with_logits(objects, present) * 20
        return loss

    def _classes(self, logits: torch.Tensor, targets: LayoutTargets) -> torch.Tensor:
        sizes, backgrounds, motions = logits.split(self._split, -1)
        return (
            F.cross_entropy(sizes, targets.sizes)
            + F.cross_entropy(backgrounds, targets.backgrounds)
            + F.cross_entropy(motions, targets.motions)
        )

    @torch.no_grad()
    def accuracy(self, sequence: torch.Tensor, targets: LayoutTargets) -> float:
        """Share of captions of which every cell, the size, the background and the motion are read back right."""
        states = self.norm(sequence)
        found = self.attention(self.queries.expand(len(states), -1, -1), states, states, need_weights=False)[0]
        right = (self.objects(found[:, :-1]).argmax(-1) == targets.cells).all(-1)
        expected = (targets.sizes, targets.backgrounds, targets.motions)
        for logits, wanted in zip(self.others(found[:, -1]).split(self._split, -1), expected, strict=True):
            right &= logits.argmax(-1) == wanted
        return right.float().mean().item()
