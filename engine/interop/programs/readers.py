"""All programs whose files are read, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine.interop.foreign import ForeignSettings
from engine.interop.programs import civitai, draw_things, easy_diffusion, fooocus, invokeai, novelai, swarmui
from engine.interop.report import Notes


class Found(NamedTuple):
    """``read`` gives what the program says, and puts into the notes what of it a recipe has no place for."""

    program: str
    read: Callable[[Notes], ForeignSettings]


_OF_JSON = (civitai, swarmui, invokeai, fooocus, draw_things, novelai, easy_diffusion)


def by_json(data: Any) -> Found | None:
    """The program that wrote ``data``; None where none of these did."""
    if not isinstance(data, dict):
        return None
    module = next((module for module in _OF_JSON if module.recognise(data)), None)
    return Found(module.NAME, lambda notes: module.read(data, notes)) if module is not None else None


def by_texts(texts: Mapping[str, str]) -> Found | None:
    """The program whose texts lie beside each other in a picture, by names in small letters."""
    if "xmp" in texts:
        data = draw_things.from_xmp(texts["xmp"])
        if data is not None:
            return Found(draw_things.NAME, lambda notes: draw_things.read(data, notes))
    if invokeai.DREAM in texts and not texts.keys() & invokeai.WHOLE:
        return Found(invokeai.NAME, lambda notes: invokeai.read_dream(texts[invokeai.DREAM], notes))
    if novelai.recognise(named := {key.capitalize(): text for key, text in texts.items()}):
        return Found(novelai.NAME, lambda notes: novelai.read(named, notes))
    if easy_diffusion.recognise(texts):
        return Found(easy_diffusion.NAME, lambda notes: easy_diffusion.read(texts, notes))
    return None


def by_lines(text: str) -> Found | None:
    """The program that wrote a text of lines."""
    data = easy_diffusion.from_lines(text)
    return Found(easy_diffusion.NAME, lambda notes: easy_diffusion.read(data, notes)) if data is not None else None
