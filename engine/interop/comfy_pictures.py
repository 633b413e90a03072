"""Where a picture or clip that goes into a graph comes from, and the size that nodes on its way give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.interop.comfy_families import owner
from engine.interop.comfy_reader import MAX_CHAIN, Reader
from engine.interop.comfy_sampling import is_sampler
from engine.interop.graph import Link, Node
from engine.interop.report import file_name, shown

Size = tuple[int, int]
_FILES = {
    "LoadImage": "image",
    "LoadImageMask": "image",
    "LoadImageOutput": "image",
    "LoadImagesFromFolderKJ": "folder",
    "Load Image Batch": "path",
    "Image Load": "image_path",
    "LoadImageFromPath": "image",
    "VHS_LoadImagePath": "image",
    "VHS_LoadVideo": "video",
    "VHS_LoadVideoPath": "video",
    "VHS_LoadVideoFFmpeg": "video",
    "LoadVideo": "file",
    "Load Image From Url (mtb)": "url",
}
_WAY = ("image", "images", "pixels", "samples", "start_image", "video", "image1", "IMAGE", "any", "input")
_PLAIN = ("VAEDecode", "VAEDecodeTiled", "GetVideoComponents", "ImpactImageBatchToImageList")


@dataclass(frozen=True)
class Picture:
    """``sampler`` made it, or it is ``file``; ``size`` is None where only the picture itself has it, ``rough`` where
    its shape has."""

    sampler: Node | None = None
    file: str = ""
    is_clip: bool = False
    size: Size | None = None
    rough: bool = False
    loader: Node | None = None


class PictureReader:
    """``size_of`` gives the size of a picture by its file name, None where it is not at hand."""

    def __init__(self, reader: Reader, size_of: Callable[[str], Size | None]) -> None:
        self._reader = reader
        self._notes = reader.notes
        self._size_of = size_of

    def read(self, link: Link | None) -> Picture:
        way: list[Node] = []
        node = self._reader.node(link)
        found = Picture()
        for _ in range(MAX_CHAIN):
            if node is None:
                break
            if is_sampler(node):
                found = Picture(sampler=node)
                break
            if node.type in _FILES or (not list(node.links()) and self._named(node)):
                found = self._file(node)
                break
            way.append(node)
            through = next((node.link(name) for name in _WAY if node.link(name)), None)
            node = self._reader.node(through)
        for step in reversed(way):
            found = self._through(step, found)
        return found

    def _named(self, node: Node) -> bool:
        return any(name in node.inputs for name in ("image", "video", "file"))

    def _file(self, node: Node) -> Picture:
        name = _FILES.get(node.type) or next(key for key in ("image", "video", "file") if key in node.inputs)
        file = file_name(self._reader.text(node, name, ""))
        is_clip = "Video" in node.type
        size = self._size_of(file)
        custom = [self._reader.integer(node, f"custom_{side}", 0) for side in ("width", "height")] if is_clip else []
        if custom and all(custom):
            size = (custom[0], custom[1])
        return Picture(file=file, is_clip=is_clip, size=size, loader=node)

    def _through(self, node: Node, picture: Picture) -> Picture:
        """What a node on the way makes of the picture's size."""
        if node.type in _PLAIN or owner(node, "decoders"):
            return picture
        size, rough = self._resized(node, picture)
        if size is None and not rough:
            self._notes.ignored(f"{node.label} changes the input picture; Laterna takes it as it is.")
            return picture
        if rough and picture.file:
            self._notes.approximated(
                f"{node.label} keeps the shape of “{shown(picture.file)}”, which the workflow does not say."
            )
        return Picture(picture.sampler, picture.file, picture.is_clip, size, rough, picture.loader)

    def _resized(self, node: Node, picture: Picture) -> tuple[Size | None, bool]:
        """The size after ``node``, and whether it depends on a shape that is not known."""
        reader, before = self._reader, picture.size
        if node.type == "ImageScaleToTotalPixels":
            pixels = reader.number(node, "megapixels", 1.0) * 1024 * 1024
            if before is None or picture.rough:
                side = max(1, round(max(pixels, 1.0) ** 0.5))
                return (side, side), True
            scale = (pixels / (before[0] * before[1])) ** 0.5
            return _times(before, scale), False
        if node.type in ("ImageScaleBy", "ImageUpscaleBy") or (
            "rescale_factor" in node.inputs and reader.text(node, "mode") == "rescale"
        ):
            factor = reader.number(node, "scale_by" if "scale_by" in node.inputs else "rescale_factor", 1.0)
            return (
                (None, True)
                if before is None
                else ((round(before[0] * factor), round(before[1] * factor)), picture.rough)
            )
        if "largest_size" in node.inputs:
            largest = reader.integer(node, "largest_size", 1024)
            if before is None:
                return (largest, largest), True
            scale = largest / max(before)
            return _times(before, scale), picture.rough
        if "left" in node.inputs and "feathering" in node.inputs:
            left, top, right, bottom = (reader.integer(node, side, 0) for side in ("left", "top", "right", "bottom"))
            return (
                (None, True)
                if before is None
                else ((before[0] + left + right, before[1] + top + bottom), picture.rough)
            )
        return self._to_numbers(node, picture)

    def _to_numbers(self, node: Node, picture: Picture) -> tuple[Size | None, bool]:
        """A node with a width and a height: to these, or within them where it keeps the picture's shape."""
        reader, before = self._reader, picture.size
        pairs = (("width", "height"), ("target_width", "target_height"), ("resize_width", "resize_height"))
        names = next((pair for pair in pairs if all(name in node.inputs for name in pair)), None)
        if names is None:
            return None, False
        width, height = (max(0, reader.integer(node, name, 0)) for name in names)
        if not width and not height:
            return before, picture.rough
        keep = str(node.inputs.get("keep_proportion", node.inputs.get("method", ""))).lower()
        keeps = keep in ("true", "resize", "keep proportion") and "crop" not in keep
        if node.type == "Image Resize" or not (width and height) or keeps:
            if before is None and not (width and height):
                side = width or height
                return (side, side), True
            if before is None:
                return (width, height), keeps
            scales = [wanted / own for wanted, own in zip((width, height), before, strict=True) if wanted]
            if keeps or len(scales) == 1:
                return _times(before, min(scales)), picture.rough
        multiple = reader.integer(node, "divisible_by", 0) or reader.integer(node, "multiple_of", 0)
        if multiple > 1:
            width, height = width - width % multiple, height - height % multiple
        return (width, height), False


def _times(size: Size | None, factor: float) -> Size | None:
    return None if size is None else (round(size[0] * factor), round(size[1] * factor))
