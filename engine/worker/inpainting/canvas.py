"""The picture with its mask: what of it is worked on, at the recipe's size, and the results put back into it.

Outside of the mask a result is the picture, bit for bit. H, W are those of the picture with what is added at its sides,
h, w the recipe's height and width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.media import pictures
from engine.media.masks import Mask, read_mask
from engine.media.pictures import MAX_PIXELS
from engine.media.pixels import Pixels
from engine.protocol.commands import Generate
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.inpainting import Inpainting
from engine.protocol.inputs import Role
from engine.protocol.recipe import Recipe
from engine.worker.pictures import files_of, read_content

LATENT = 8
"""Pixels of the picture that a latent stands for, along each side."""


@dataclass(frozen=True)
class Box:
    """A part of the picture, in pixels; ``right`` and ``bottom`` are the first behind it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True)
class InpaintCanvas:
    """``picture`` [H, W, 3] and ``mask`` [H, W]; ``box`` is worked on, at ``size`` (w, h)."""

    picture: Pixels
    mask: Mask
    box: Box
    size: tuple[int, int]
    feather: int

    def work(self) -> Tensor:
        """[h, w, 3] uint8: what the model sees of the picture."""
        part = np.ascontiguousarray(self.picture[self.box.top : self.box.bottom, self.box.left : self.box.right])
        return torch.from_numpy(_scaled(part, self.size).copy())

    def free(self) -> Tensor:
        """[1, 1, h / 8, w / 8] float32: 1 where latents are made anew, that is wherever the mask touches them."""
        part = np.ascontiguousarray(self.mask[self.box.top : self.box.bottom, self.box.left : self.box.right] > 0)
        width, height = self.size
        if (part.shape[1], part.shape[0]) != self.size:
            part = cv2.resize(part.astype(np.float32), self.size, interpolation=cv2.INTER_LINEAR) > 0
        blocks = part.reshape(height // LATENT, LATENT, width // LATENT, LATENT)
        return torch.from_numpy(blocks.any((1, 3)).astype(np.float32))[None, None]

    def put_back(self, frames: Tensor) -> Tensor:
        """Results [B, 1, h, w, 3] as whole pictures [B, 1, H, W, 3]."""
        weight = weights(self.mask, self.feather)[..., None]
        made: list[Tensor] = []
        for frame in frames[:, 0].numpy():
            new = self.picture.copy()
            part = _scaled(np.ascontiguousarray(frame), (self.box.width, self.box.height))
            new[self.box.top : self.box.bottom, self.box.left : self.box.right] = part
            mixed = self.picture + (new.astype(np.float32) - self.picture) * weight
            made.append(torch.from_numpy(mixed.round().astype(np.uint8)))
        return torch.stack(made)[:, None]


def canvas_of(job: Generate) -> InpaintCanvas | None:
    """For a recipe that makes a part of its picture anew; None for any other. Raises ``BadFile`` and ``BadRecipe``."""
    recipe, how = job.recipe, inpainting_of(job.recipe)
    if how is None:
        return None
    path, sha256 = _file(job, "start")
    picture = np.asarray(pictures.decode(read_content(path, sha256), path))
    if recipe.input_of("mask") is not None:
        path, sha256 = _file(job, "mask")
        mask = read_mask(read_content(path, sha256), path, (picture.shape[1], picture.shape[0]))
    else:
        mask = np.zeros(picture.shape[:2], np.uint8)
    picture, mask = grown(picture, mask, how, recipe.seed)
    if not mask.any():
        raise BadRecipe("The mask is empty: nothing would be made anew.", "Paint where it should be.", field="inputs")
    height, width = mask.shape
    box = Box(0, 0, width, height)
    if how.only_masked:
        box = around(mask, how.margin, recipe.width / recipe.height)
    return InpaintCanvas(picture, mask, box, (recipe.width, recipe.height), how.feather)


def inpainting_of(recipe: Recipe) -> Inpainting | None:
    """A mask alone means the usual way."""
    if recipe.inpainting is not None:
        return recipe.inpainting
    return Inpainting() if recipe.input_of("mask") is not None else None


def grown(picture: Pixels, mask: Mask, how: Inpainting, seed: int) -> tuple[Pixels, Mask]:
    """Both with what is added at the sides, which is masked whole. Raises ``BadFile`` where it would be too large."""
    if not how.grows:
        return picture, mask
    sides = (how.top, how.bottom, how.left, how.right)
    height, width = picture.shape[0] + how.top + how.bottom, picture.shape[1] + how.left + how.right
    if height * width > MAX_PIXELS:
        raise BadFile(f"The picture would become {width} × {height}: too large.", "Add less.", field="inpainting")
    new = cv2.copyMakeBorder(picture, *sides, borderType=cv2.BORDER_REPLICATE)
    added = cv2.copyMakeBorder(np.zeros_like(mask), *sides, borderType=cv2.BORDER_CONSTANT, value=255)
    if how.fill == "blur":
        soft = cv2.GaussianBlur(new, (0, 0), sigmaX=max(2.0, max(sides) / 4))
        new = np.where(added[..., None] > 0, soft, new)
    elif how.fill == "noise":
        noise = np.random.default_rng(seed).integers(0, 256, new.shape, np.uint8)
        new = np.where(added[..., None] > 0, noise, new)
    whole = cv2.copyMakeBorder(mask, *sides, borderType=cv2.BORDER_CONSTANT, value=255)
    return np.ascontiguousarray(new.astype(np.uint8)), np.ascontiguousarray(whole.astype(np.uint8))


def around(mask: Mask, margin: int, shape: float) -> Box:
    """The masked part with ``margin`` around it, made as wide for its height as ``shape`` says, as far as the picture
    goes."""
    height, width = mask.shape
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    left, right = _widened(int(columns[0]), int(columns[-1]) + 1, margin, width)
    top, bottom = _widened(int(rows[0]), int(rows[-1]) + 1, margin, height)
    if right - left < (bottom - top) * shape:
        left, right = _grown(left, right, round((bottom - top) * shape), width)
    else:
        top, bottom = _grown(top, bottom, round((right - left) / shape), height)
    return Box(left, top, right, bottom)


def weights(mask: Mask, feather: int) -> NDArray[np.float32]:
    """[H, W] in 0 … 1: how much of the new is in the result. 0 outside of the mask, whatever the feather."""
    weight = mask.astype(np.float32) / 255
    if feather:
        inside = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        weight = weight * np.minimum(1.0, inside / (feather + 1)).astype(np.float32)
    return weight


def _widened(begin: int, end: int, margin: int, most: int) -> tuple[int, int]:
    return max(0, begin - margin), min(most, end + margin)


def _grown(begin: int, end: int, length: int, most: int) -> tuple[int, int]:
    length = min(max(length, end - begin), most)
    begin = min(max(0, (begin + end - length) // 2), most - length)
    return begin, begin + length


def _scaled(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """[.., .., 3] at ``size`` (width, height); of the very size it is not touched."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    shrinks = size[0] * size[1] < width * height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    return cv2.resize(pixels, size, interpolation=method).astype(np.uint8)


def _file(job: Generate, role: Role) -> tuple[Path, str]:
    return next(
        (file, one.sha256) for one, file in zip(job.recipe.inputs, files_of(job), strict=True) if one.role == role
    )
