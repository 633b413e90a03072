"""Closed-form latents: principal components of pixel blocks.

An 8x8 px block (pictures) or a block of 1 or 4 frames x 8x8 px (clips, causal: the first frame stands alone) becomes
16 numbers by one matrix product. The diffusion models train on these latents, and the VAE's encoder is trained to
produce them, so both can train at once. Scaling is a partial whitening: a component of standard deviation s becomes
sqrt(s), so that strong components stay stronger without drowning the rest, then one factor brings the whole to
standard deviation 1.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

BLOCK = 8  # px
CHANNELS = 16


def blocks(frames: torch.Tensor) -> torch.Tensor:
    """`[B, T, 3, H, W]` to `[B, H/8, W/8, T*3*64]`: each block's pixels over all T frames in one row."""
    b, t, c, h, w = frames.shape
    split = frames.reshape(b, t, c, h // BLOCK, BLOCK, w // BLOCK, BLOCK)
    return split.permute(0, 3, 5, 1, 2, 4, 6).reshape(b, h // BLOCK, w // BLOCK, t * c * BLOCK * BLOCK)


def unblocks(rows: torch.Tensor, frames: int) -> torch.Tensor:
    """Inverse of `blocks`."""
    b, h, w, _ = rows.shape
    split = rows.reshape(b, h, w, frames, 3, BLOCK, BLOCK).permute(0, 3, 4, 1, 5, 2, 6)
    return split.reshape(b, frames, 3, h * BLOCK, w * BLOCK)


class BlockPCA:
    """Encoder and decoder between pixels in -1..1 and latents for blocks of a fixed number of frames.

    `basis` `[D, 16]` has the components divided by their scale, `mean` `[D]`, `scale` `[16]`:
    latent = (block - mean) @ basis, block = latent @ (basis * scale^2).T + mean.
    """

    def __init__(self, mean: torch.Tensor, basis: torch.Tensor, scale: torch.Tensor, frames: int) -> None:
        self.mean, self.basis, self.scale, self.frames = mean, basis, scale, frames

    @classmethod
    def fit(cls, frames: torch.Tensor) -> BlockPCA:
        """From `[B, T, 3, H, W]` in -1..1."""
        rows = blocks(frames).flatten(0, 2).double()
        mean = rows.mean(0)
        centred = rows - mean
        variance, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
        vectors, deviation = vectors.flip(1)[:, :CHANNELS], variance.flip(0)[:CHANNELS].clamp(min=1e-12).sqrt()
        # the sign of an eigenvector is arbitrary: make the largest entry positive, so that a refit changes nothing
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
        vectors = vectors * largest.sign()
        scale = deviation.sqrt() * deviation.mean().sqrt()  # latent deviation = sqrt(deviation / mean deviation)
        return cls(mean.float(), (vectors / scale).float(), scale.float(), frames.shape[1])

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        """`[B, T, 3, H, W]` in -1..1 to `[B, 16, H/8, W/8]`."""
        return ((blocks(frames) - self.mean) @ self.basis).permute(0, 3, 1, 2)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        rows = latents.permute(0, 2, 3, 1) @ (self.basis * self.scale**2).T + self.mean
        return unblocks(rows, self.frames)

    def state(self, prefix: str = "") -> dict[str, torch.Tensor]:
        return {f"{prefix}mean": self.mean, f"{prefix}basis": self.basis.contiguous(), f"{prefix}scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, torch.Tensor], prefix: str = "") -> BlockPCA:
        mean = state[f"{prefix}mean"]
        return cls(mean, state[f"{prefix}basis"], state[f"{prefix}scale"], len(mean) // (3 * BLOCK * BLOCK))


class ImagePCA:
    """Latents of pictures: `[B, 3, H, W]` in -1..1 to `[B, 16, H/8, W/8]`."""

    def __init__(self, block: BlockPCA) -> None:
        self.block = block

    @classmethod
    def fit(cls, pictures: torch.Tensor) -> ImagePCA:
        return cls(BlockPCA.fit(pictures.unsqueeze(1)))

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.block.encode(pictures.unsqueeze(1))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self.block.decode(latents)[:, 0]

    def save(self, path: Path) -> None:
        save_file(self.block.state(), path)

    @classmethod
    def load(cls, path: Path) -> ImagePCA:
        return cls(BlockPCA.from_state(load_file(path)))


class ClipPCA:
    """Latents of clips: `[B, 1+4k, 3, H, W]` in -1..1 to `[B, 1+k, 16, H/8, W/8]`, the first frame by itself."""

    def __init__(self, first: BlockPCA, rest: BlockPCA) -> None:
        self.first, self.rest = first, rest

    @classmethod
    def fit(cls, clips: torch.Tensor) -> ClipPCA:
        b, t, *chw = clips.shape
        return cls(BlockPCA.fit(clips[:, :1]), BlockPCA.fit(clips[:, 1:].reshape(b * (t - 1) // 4, 4, *chw)))

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        b, t, *chw = clips.shape
        first = self.first.encode(clips[:, :1]).unsqueeze(1)
        if t == 1:
            return first
        rest = self.rest.encode(clips[:, 1:].reshape(-1, 4, *chw))
        return torch.cat([first, rest.reshape(b, (t - 1) // 4, *rest.shape[1:])], 1)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        b, t = latents.shape[:2]
        frames = self.first.decode(latents[:, 0])
        if t == 1:
            return frames
        rest = self.rest.decode(latents[:, 1:].flatten(0, 1))
        return torch.cat([frames, rest.reshape(b, (t - 1) * 4, *rest.shape[2:])], 1)

    def save(self, path: Path) -> None:
        save_file({**self.first.state("first."), **self.rest.state("rest.")}, path)

    @classmethod
    def load(cls, path: Path) -> ClipPCA:
        state = load_file(path)
        return cls(BlockPCA.from_state(state, "first."), BlockPCA.from_state(state, "rest."))
