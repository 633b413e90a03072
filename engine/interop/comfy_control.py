"""ControlNets: what a graph guides by besides words, named since the recipe has no place for it yet."""

from __future__ import annotations

from engine.interop.comfy_pictures import PictureReader
from engine.interop.comfy_reader import MAX_CHAIN, Reader
from engine.interop.graph import Node
from engine.interop.report import file_name, shown

_NAMES = ("control_net_name", "cnet", "controlnet_name", "control_net", "model")


def is_control(node: Node) -> bool:
    return node.link("control_net") is not None or "ControlNetApply" in node.type


def control_sentence(reader: Reader, pictures: PictureReader, node: Node) -> str:
    """Which ControlNet, by which picture, how strongly, in which part of the schedule."""
    file = ""
    loader = reader.node(node.link("control_net"))
    for _ in range(MAX_CHAIN):
        if loader is None or file:
            break
        file = next((file_name(reader.text(loader, name)) for name in _NAMES if name in loader.inputs), "")
        loader = reader.node(loader.link("control_net"))
    picture = pictures.read(node.link("image") or node.link("images"))
    strength = reader.number(node, "strength", 1.0)
    start, end = reader.number(node, "start_percent", 0.0), reader.number(node, "end_percent", 1.0)
    net, by = shown(file), shown(picture.file) or "?"
    if not net:
        return (
            f"{node.label} guides with a ControlNet that is not named by the picture “{by}”, at strength {strength:g}"
            f" from {start:.0%} to {end:.0%} of the schedule; Laterna leaves it out, and the result follows the words"
            " alone."
        )
    return (
        f"{node.label} guides with the ControlNet “{net}” by the picture “{by}”, at strength {strength:g} from"
        f" {start:.0%} to {end:.0%} of the schedule; Laterna leaves it out, and the result follows the words alone."
    )
