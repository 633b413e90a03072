"""NovelAI: JSON in a PNG's ``Comment`` beside ``Software`` and ``Source``, and the same in the lowest bit of alpha."""

from __future__ import annotations

import re
from typing import Any

from engine.interop.foreign import ForeignSettings
from engine.interop.programs.values import Data, dicts, loads, text, without
from engine.interop.prompt_weights import Weighted, text_of
from engine.interop.report import Notes

NAME = "NovelAI"
_SCHEDULERS = {"native": "normal", "karras": "karras", "exponential": "exponential", "polyexponential": "exponential"}
_TOKEN = re.compile(r"[{}\[\]]|-?\d+(?:\.\d+)?::|::")
_MAX_DEPTH = 100
_PARTS = {
    "sm": "SMEA", "sm_dyn": "SMEA", "dynamic_thresholding": "dynamic thresholding", "cfg_rescale": "CFG rescale",
    "reference_image_multiple": "pictures as references", "reference_strength_multiple": "pictures as references",
    "controlnet_model": "ControlNet", "skip_cfg_above_sigma": "variety boost", "director_reference_strengths":
    "pictures as references",
}  # fmt: skip


def recognise(data: Data) -> bool:
    """The JSON of ``Comment`` itself, or one that holds it as a text beside the program's name."""
    return "NovelAI" in text(data.get("Software")) or _is_comment(data) or _is_comment(loads(data.get("Comment")))


def _is_comment(data: Any) -> bool:
    return isinstance(data, dict) and ({"uc", "scale"} <= set(data) or "v4_prompt" in data) and "sampler" in data


def read(data: Data, notes: Notes) -> ForeignSettings:
    inner = loads(data.get("Comment"))
    said: Data = inner if isinstance(inner, dict) else data
    characters, negative_characters = _v4(said, "v4_prompt"), _v4(said, "v4_negative_prompt")
    positive = characters or [text(said.get("prompt") or data.get("Description"))]
    negative = negative_characters or [text(said.get("uc"))]
    sides = [weighed(", ".join(part for part in parts if part.strip())) for parts in (positive, negative)]
    is_weighted = any(piece.weight != 1 for side in sides for piece in side)
    prompt, negative_prompt = (
        text_of(side) if is_weighted else "".join(piece.text for piece in side) for side in sides
    )
    settings = ForeignSettings(
        NAME,
        prompt=prompt,
        negative_prompt=negative_prompt,
        weighted=is_weighted,
        steps=said.get("steps"),
        guidance=said.get("scale"),
        seed=said.get("seed"),
        width=said.get("width"),
        height=said.get("height"),
        sampler=text(said.get("sampler")).removesuffix("_v3"),
        scheduler=_SCHEDULERS.get(text(said.get("noise_schedule")).lower(), ""),
        model=text(data.get("Source") or said.get("source")),
    )
    if "img2img" in text(said.get("request_type")).lower():
        settings.denoise = said.get("strength", 1.0)
    if len(characters) > 1:
        notes.approximated("NovelAI's characters have places in the picture; their words are read as one prompt.")
    without(said, NAME, _PARTS, notes)
    return settings


def _v4(said: Data, key: str) -> list[str]:
    """The base caption and those of the characters."""
    caption = said.get(key)
    caption = caption.get("caption") if isinstance(caption, dict) else None
    if not isinstance(caption, dict):
        return []
    return [
        text(caption.get("base_caption")),
        *(text(one.get("char_caption")) for one in dicts(caption.get("char_captions"))),
    ]


def weighed(prompt: str) -> list[Weighted]:
    """NovelAI's weights: each ``{`` times 1.05, each ``[`` through 1.05, ``1.5::words::`` as it says."""
    pieces: list[Weighted] = []
    depth, stated, place = 0, 1.0, 0

    def add(said: str) -> None:
        if not said:
            return
        weight = stated * 1.05**depth
        if pieces and pieces[-1].weight == weight:
            said = pieces.pop().text + said
        pieces.append(Weighted(said, weight))

    for match in _TOKEN.finditer(prompt):
        add(prompt[place : match.start()])
        place = match.end()
        token = match[0]
        if token in "{]":
            depth = min(depth + 1, _MAX_DEPTH)
        elif token in "}[":
            depth = max(depth - 1, -_MAX_DEPTH)
        else:
            stated = float(token.removesuffix("::")) if token != "::" else 1.0
    add(prompt[place:])
    return pieces
