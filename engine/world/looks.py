"""The colours, backgrounds and styles by name, in the order of their classes: the lists only grow at their ends."""

from __future__ import annotations

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 44, 44), "orange": (246, 136, 32), "yellow": (250, 210, 48), "green": (60, 168, 76),
    "turquoise": (56, 196, 190), "blue": (44, 92, 220), "purple": (132, 64, 184), "pink": (248, 136, 184),
    "brown": (132, 84, 50), "black": (44, 44, 48), "white": (240, 240, 240), "gray": (146, 148, 152),
}  # fmt: skip

# the first 24 are the first generation's
BACKGROUNDS: tuple[str, ...] = (
    "white", "black", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "turquoise",
    "blue sky", "forest", "night", "sea", "beach", "desert", "snow", "sunset", "mountains", "meadow", "underwater",
    "space", "city", "street", "room", "garden", "jungle", "lake", "river", "volcano", "rain", "fog", "storm", "clouds",
    "sunrise", "autumn", "beige", "light blue",
)  # fmt: skip
PLAIN = frozenset((*COLOURS, "beige", "light blue"))

STYLES: tuple[str, ...] = ("", "flat", "line art", "pixel art", "watercolour", "oil painting", "3d", "neon")
SIZES: tuple[str, ...] = ("small", "normal", "big")
MOST = 6  # of one thing
