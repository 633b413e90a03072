"""The colours of Laterna, by what they are for: one set for a dark room, one for a light one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """Colours as ``#rrggbb``.

    ``window`` is behind everything, ``panel`` behind controls, ``field`` inside them, ``raised`` a chosen segment or a
    row under the pointer, ``canvas`` behind a picture. ``track`` is the unfilled part of a slider; ``handle`` its knob.
    ``accent_text`` is read on ``accent``; ``accent_soft`` is a background for something switched on.
    """

    name: str
    window: str
    panel: str
    field: str
    raised: str
    hover: str
    border: str
    border_strong: str
    track: str
    handle: str
    text: str
    muted: str
    placeholder: str
    disabled: str
    accent: str
    accent_hover: str
    accent_pressed: str
    accent_text: str
    accent_soft: str
    good: str
    warn: str
    bad: str
    bad_soft: str
    canvas: str
    overlay: str = "#0b0c0f"
    overlay_text: str = "#ffffff"


DARK = Tokens(
    name="dark",
    window="#1b1d22",
    panel="#1b1d22",
    field="#141519",
    raised="#262a31",
    hover="#23262d",
    border="#2c3038",
    border_strong="#434955",
    track="#3a3f49",
    handle="#e7e9ee",
    text="#e7e9ee",
    muted="#969dab",
    placeholder="#7d838f",
    disabled="#5d636f",
    accent="#f0a04b",
    accent_hover="#f5ae62",
    accent_pressed="#dd8f3b",
    accent_text="#1d1408",
    accent_soft="#3a2d1c",
    good="#5cc48d",
    warn="#e5b950",
    bad="#f0776c",
    bad_soft="#38211f",
    canvas="#0e0f12",
)

LIGHT = Tokens(
    name="light",
    window="#f7f8fa",
    panel="#f7f8fa",
    field="#ffffff",
    raised="#ffffff",
    hover="#eceef2",
    border="#d9dde3",
    border_strong="#b4bbc6",
    track="#c3c9d2",
    handle="#1d2129",
    text="#1d2129",
    muted="#5f6978",
    placeholder="#70757f",
    disabled="#a3a9b3",
    accent="#b65d09",
    accent_hover="#a95507",
    accent_pressed="#944a04",
    accent_text="#ffffff",
    accent_soft="#fbe6cf",
    good="#21834f",
    warn="#8a6100",
    bad="#b3261e",
    bad_soft="#fbe5e3",
    canvas="#dfe2e7",
)
