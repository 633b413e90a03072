"""How near frames in between come to the true ones: on clips that are drawn, so that those are known.

``python -m engine.derive.interpolate.score`` prints the table of ``docs/speed.md``'s kind: PSNR in dB and SSIM (Wang et
al. 2004) of the middle frames, against showing the frame before again and against blending both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.derive.interpolate.flow import Pair
from engine.media.pixels import Pixels

SIDE = (240, 320)
Draw = Callable[[float], Pixels]
Way = Callable[[Pixels, Pixels], Pixels]


def _texture(seed: int, height: int, width: int, grain: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), grain)
    low, high = soft.min(), soft.max()
    return np.asarray((soft - low) / (high - low) * 255, np.float32)


def _shown(texture: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    size = SIDE[1], SIDE[0]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(texture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101))


def _frame(pixels: NDArray[np.floating[Any]]) -> Pixels:
    return pixels.round().clip(0, 255).astype(np.uint8)


_GROUND, _THING = _texture(1, 480, 640, 4.0), _texture(2, 480, 640, 2.5)


def _ground(x: float, y: float, turn: float = 0.0, zoom: float = 1.0) -> NDArray[np.float32]:
    matrix = cv2.getRotationMatrix2D((SIDE[1] / 2, SIDE[0] / 2), turn, zoom)
    moved = np.asarray(matrix, np.float64) + np.array([[0, 0, x + 160], [0, 0, y + 120]])
    return _shown(_GROUND, moved)


def _with_disc(ground: NDArray[np.float32], x: float, y: float, radius: float) -> Pixels:
    """A textured disc over the ground, its edge smooth."""
    rows, columns = np.mgrid[0 : SIDE[0], 0 : SIDE[1]]
    cover = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None].astype(np.float32)
    disc = _shown(_THING, np.array([[1, 0, 160 - x], [0, 1, 120 - y]], np.float64)) * 0.6 + 90
    return _frame(ground + (disc - ground) * cover)


def _plain(x: float, y: float) -> Pixels:
    """As drawings are: flat colours, sharp edges."""
    rows, columns = np.mgrid[0 : SIDE[0], 0 : SIDE[1]]
    cover = np.clip(36.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None]
    return _frame(np.array([70.0, 130, 200]) * (1 - cover) + np.array([230.0, 60, 40]) * cover)


CLIPS: dict[str, Draw] = {
    "the view pans": lambda t: _frame(_ground(9 * t, 4 * t)),
    "the view turns and zooms": lambda t: _frame(_ground(0, 0, 2.5 * t, 1 + 0.02 * t)),
    "a thing moves": lambda t: _with_disc(_ground(0, 0), 70 + 10 * t, 120 + 3 * t, 34),
    "a thing moves, the view pans": lambda t: _with_disc(_ground(-5 * t, 0), 60 + 12 * t, 120, 40),
    "a plain thing moves on plain ground": lambda t: _plain(60 + 13 * t, 110 + 4 * t),
    "it becomes lighter": lambda t: _frame(_ground(4 * t, 0) * np.float32(0.6 + 0.03 * t)),
}
FRAMES = 8
WAYS: dict[str, Way] = {
    "repeat": lambda first, _second: first,
    "blend": lambda first, second: _frame((first.astype(np.float32) + second) / 2),
    "flow": lambda first, second: Pair.of(first, second).between(0.5),
}


def psnr(one: Pixels, other: Pixels) -> float:
    """In dB; 99 where they are equal."""
    error = float(((one.astype(np.float64) - other) ** 2).mean())
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(one: Pixels, other: Pixels) -> float:
    """Mean structural similarity over the channels, windows of 11 with a sigma of 1.5."""
    a, b = one.astype(np.float64), other.astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    at, bt = mean(a), mean(b)
    aa, bb, ab = mean(a * a) - at * at, mean(b * b) - bt * bt, mean(a * b) - at * bt
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = (2 * at * bt + c1) * (2 * ab + c2) / ((at**2 + bt**2 + c1) * (aa + bb + c2))
    return float(found.mean())


def scores() -> Iterator[tuple[str, dict[str, tuple[float, float]]]]:
    """For each clip and way PSNR and SSIM, averaged over the frames in the middle of each two."""
    for name, draw in CLIPS.items():
        found: dict[str, tuple[float, float]] = {}
        for way, make in WAYS.items():
            pairs = []
            for number in range(FRAMES - 1):
                made, truth = make(draw(number), draw(number + 1)), draw(number + 0.5)
                pairs.append((psnr(made, truth), ssim(made, truth)))
            found[way] = float(np.mean([one for one, _ in pairs])), float(np.mean([two for _, two in pairs]))
        yield name, found


if __name__ == "__main__":
    print("| clip | " + " | ".join(WAYS) + " |\n|---" * 1 + "|---" * len(WAYS) + "|")
    for clip, by_way in scores():
        print(f"| {clip} | " + " | ".join(f"{p:.1f} dB, {s:.3f}" for p, s in by_way.values()) + " |")
