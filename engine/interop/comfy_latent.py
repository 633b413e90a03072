"""Where a latent comes from: an empty one of a size, a picture, or another sampler."""

from __future__ import annotations

from dataclasses import dataclass

from engine.interop.comfy_reader import MAX_CHAIN, Reader
from engine.interop.comfy_sampling import SAMPLERS
from engine.interop.graph import Link, Node


@dataclass(frozen=True)
class Start:
    """What the first pass starts from: an empty latent of a size, or a picture. ``batch`` counts results."""

    width: int | None = None
    height: int | None = None
    batch: int = 1
    picture: str = ""


class LatentReader:
    """Follows a latent back to where it starts, and collects the samplers on the way."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._notes = reader.notes

    def back(self, link: Link | None) -> tuple[Node | None, Start]:
        """The sampler that made the latent at ``link``, or None and what the latent is."""
        batch = 1
        node = self._reader.node(link)
        for _ in range(MAX_CHAIN):
            if node is None:
                return None, Start(batch=batch)
            if node.type in SAMPLERS:
                return node, Start(batch=batch)
            if node.type in ("EmptySD3LatentImage", "EmptyLatentImage") or "Empty" in node.type:
                return None, self._empty(node, batch)
            if node.type in ("VAEEncode", "VAEEncodeTiled", "VAEEncodeForInpaint", "InpaintModelConditioning"):
                if node.type not in ("VAEEncode", "VAEEncodeTiled"):
                    self._notes.ignored(f"{node.label} has a mask; Laterna changes the whole picture.")
                return self._picture(node.link("pixels"), batch)
            if node.type == "RepeatLatentBatch":
                times = max(1, min(self._reader.integer(node, "amount", 1), 64))
                batch *= times
                self._notes.understood(f"{node.label} repeats the latent {times} times.")
            else:
                self._notes.ignored(f"{node.label} changes the latent on its way; Laterna leaves it as it is.")
            through = node.link("samples") or node.link("latent") or node.link("samples1")
            node = self._reader.node(through or next((link for _, link in node.links()), None))
        return None, Start(batch=batch)

    def first_frame(self, link: Link | None) -> str:
        """The file of the picture that a clip begins with; empty where it is none, or not known."""
        node = self._reader.node(link)
        if node is None:
            return ""
        if node.link("end_image") is not None:
            self._notes.ignored(f"{node.label} names the clip's last picture too; Laterna takes the first.")
        if self._reader.number(node, "noise_aug_strength", 0.0) > 0:
            self._notes.ignored(f"{node.label} adds noise to the picture; Laterna takes it as it is.")
        sampler, start = self._picture(node.link("start_image") or node.link("image"), 1)
        if sampler is not None:
            self._notes.approximated(
                f"The clip begins with what {sampler.label} makes: make that first, and choose it."
            )
        return start.picture

    def _empty(self, node: Node, batch: int) -> Start:
        width, height = (self._reader.integer(node, name, 1024) for name in ("width", "height"))
        count = self._reader.integer(node, "batch_size", 1)
        return Start(width, height, max(1, min(batch * count, 4096)))

    def _picture(self, link: Link | None, batch: int) -> tuple[Node | None, Start]:
        """The picture at ``link``: a file, or another sampler's result."""
        width = height = None
        node = self._reader.node(link)
        for _ in range(MAX_CHAIN):
            if node is None:
                break
            if node.type in SAMPLERS:
                return node, Start(batch=batch)
            if node.type in ("LoadImage", "LoadImageMask", "LoadImageOutput"):
                name = self._reader.text(node, "image", "")
                return None, Start(width, height, batch, name)
            if node.type == "ImageScale" and width is None:
                width, height = (self._reader.integer(node, name, 0) or None for name in ("width", "height"))
            elif node.type not in ("VAEDecode", "VAEDecodeTiled"):
                self._notes.ignored(f"{node.label} changes the input picture; Laterna takes it as it is.")
            names = ("samples", "image", "images", "pixels")
            through = next((node.link(name) for name in names if node.link(name)), None)
            node = self._reader.node(through or next((link for _, link in node.links()), None))
        return None, Start(width, height, batch)
