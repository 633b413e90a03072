"""Recipes of earlier versions, as the JSON of the present one."""

from __future__ import annotations

from typing import Any


def brought_up(value: Any) -> Any:
    """``value``, decoded JSON, with every recipe of an earlier version in it, at any depth, as one of version 2.

    What is none stays as it is: whoever decodes the result says what is wrong with it.
    """
    if isinstance(value, list):
        return [brought_up(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: brought_up(one) for name, one in value.items()}
    return _second(found) if found.get("version") == 1 and "family" in found and "model" in found else found


def _second(first: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had one ``input``, in a clip its first frame, and ``controls``, which no family took."""
    second = {name: value for name, value in first.items() if name not in ("input", "controls")} | {"version": 2}
    inputs: list[Any] = []
    media = first.get("input")
    if media is not None:
        inputs.append(_input("first_frame" if _is_clip(first) else "start", media))
    for control in first.get("controls") or ():
        rest = {name: value for name, value in control.items() if name != "media"}
        inputs.append(_input("control", {k: v for k, v in control["media"].items() if k != "strength"}) | rest)
    return second | ({"inputs": inputs} if inputs else {})


def _is_clip(first: dict[str, Any]) -> bool:
    frames = first.get("frames", 1)
    return isinstance(frames, int) and frames > 1


def _input(role: str, media: dict[str, Any]) -> dict[str, Any]:
    return {"role": role} | media
