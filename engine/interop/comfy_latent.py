"""Where a latent comes from: an empty one of a size, a picture, a clip, or another sampler."""

from __future__ import annotations

from dataclasses import dataclass

from engine.interop.comfy_families import nodes_of, owner
from engine.interop.comfy_pictures import PictureReader
from engine.interop.comfy_reader import MAX_CHAIN, Reader
from engine.interop.comfy_sampling import is_sampler
from engine.interop.graph import Link, Node
from engine.interop.report import shown

_ENCODES = {
    "VAEEncode": "pixels",
    "VAEEncodeTiled": "pixels",
    "VAEEncodeForInpaint": "pixels",
    "InpaintModelConditioning": "pixels",
}
_WAY = ("samples", "latent", "latents", "latent_image", "samples1", "samples_to", "LATENT")


def _encoded(node: Node) -> str:
    """The input of a node that encodes a picture; "" for another node."""
    family = owner(node, "pictures")
    return nodes_of(family).pictures[node.type] if family else _ENCODES.get(node.type, "")


@dataclass(frozen=True)
class Start:
    """What the first pass starts from: an empty latent of a size, a picture, or a ``clip``. ``batch`` counts results;
    ``rough`` says that the size depends on the shape of a picture that is not here."""

    width: int | None = None
    height: int | None = None
    batch: int = 1
    picture: str = ""
    clip: str = ""
    by: str = ""
    rough: bool = False


class LatentReader:
    """Follows a latent back to where it starts, and collects the samplers on the way."""

    def __init__(self, reader: Reader, pictures: PictureReader) -> None:
        self._reader = reader
        self._notes = reader.notes
        self._pictures = pictures

    def back(self, link: Link | None) -> tuple[Node | None, Start]:
        """The sampler that made the latent at ``link``, or None and what the latent is."""
        batch = 1
        node = self._reader.node(link)
        for _ in range(MAX_CHAIN):
            if node is None:
                return None, Start(batch=batch)
            if is_sampler(node):
                return node, Start(batch=batch)
            encoded = _encoded(node)
            if encoded:
                if node.type in ("VAEEncodeForInpaint", "InpaintModelConditioning"):
                    self._mask(node)
                return self._picture(node, node.link(encoded) or node.link("image"), batch)
            through = next((node.link(name) for name in _WAY if node.link(name)), None)
            if "Empty" in node.type or (through is None and self._reader.size(node) is not None):
                return None, self._empty(node, batch)
            if node.type == "RepeatLatentBatch":
                times = max(1, min(self._reader.integer(node, "amount", 1), 64))
                batch *= times
                self._notes.understood(f"{node.label} repeats the latent {times} times.")
            elif node.type == "SetLatentNoiseMask":
                self._mask(node)
            elif through is None:
                self._notes.approximated(f"{node.label} makes the latent in a way that Laterna does not know.")
            else:
                self._notes.ignored(f"{node.label} changes the latent on its way; Laterna leaves it as it is.")
            node = self._reader.node(through)
        return None, Start(batch=batch)

    def _mask(self, node: Node) -> None:
        mask = self._pictures.read(node.link("mask")) if node.link("mask") is not None else None
        if mask is not None and mask.file:
            self._notes.ignored(
                f"{node.label} has a mask “{shown(mask.file)}”, so that only a part changes; Laterna changes the whole"
                " picture."
            )
        else:
            self._notes.ignored(
                f"{node.label} has a mask, so that only a part changes; Laterna changes the whole picture."
            )

    def first_frame(self, link: Link | None) -> Start:
        """The picture that a clip begins with, and the size that it is brought to; blank where it is none."""
        node = self._reader.node(link)
        if node is None:
            return Start()
        if node.link("end_image") is not None:
            last = self._pictures.read(node.link("end_image"))
            name = shown(last.file) or "?"
            self._notes.ignored(f"{node.label} names the clip's last picture “{name}” too; Laterna takes the first.")
        if self._reader.number(node, "noise_aug_strength", 0.0) > 0:
            self._notes.ignored(f"{node.label} adds noise to the picture; Laterna takes it as it is.")
        strength = self._reader.number(node, "strength", 1.0)
        part = [
            self._reader.number(node, name, usual) for name, usual in (("start_percent", 0.0), ("end_percent", 1.0))
        ]
        if strength != 1 or part != [0.0, 1.0]:
            self._notes.ignored(
                f"{node.label} weighs the picture with {strength:g} from {part[0]:.0%} to {part[1]:.0%} of the"
                " schedule; Laterna takes it whole."
            )
        _, start = self._picture(node, node.link("start_image") or node.link("image"), 1)
        picture = self._pictures.read(node.link("start_image") or node.link("image"))
        if picture.sampler is not None:
            self._notes.approximated(
                f"The clip begins with what {picture.sampler.label} makes: make that first, and choose it."
            )
        return start

    def _empty(self, node: Node, batch: int) -> Start:
        width = height = None
        size = self._reader.size(node)
        if size is not None:
            width, height = size
        count = self._reader.integer(node, "batch_size", 1)
        return Start(width, height, max(1, min(batch * count, 4096)))

    def _picture(self, node: Node, link: Link | None, batch: int) -> tuple[Node | None, Start]:
        """What a latent was encoded from: a file, or another sampler's result."""
        found = self._pictures.read(link)
        if found.sampler is not None:
            return found.sampler, Start(batch=batch)
        width, height = found.size or (None, None)
        if found.is_clip:
            label = found.loader.label if found.loader is not None else node.label
            return None, Start(width, height, batch, clip=found.file, by=label, rough=found.rough)
        return None, Start(width, height, batch, found.file, by=node.label, rough=found.rough)
