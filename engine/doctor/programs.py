"""What Laterna uses of this system besides torch: packages, window libraries, the clip encoder, keyring, hub."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from collections.abc import Callable
from importlib import metadata
from urllib.parse import urlsplit

from engine.doctor.finding import Finding, good, note, wrong
from engine.doctor.remedies import MAKE_ANEW
from engine.models.keyrings import find_keyring
from engine.models.transport import endpoint_from
from engine.protocol.errors import NetworkFailed
from engine.protocol.version import VERSION

PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "PySide6-Essentials", "av", "msgspec")
HUB_SECONDS = 4.0
# What Qt loads when it opens a window under X11; Debian's package of each.
X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libEGL.so.1": "libegl1",
}


def packages() -> Finding:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    python = ".".join(map(str, sys.version_info[:3]))
    if missing:
        return wrong("packages", f"Python {python} lacks: {', '.join(missing)}.", MAKE_ANEW)
    qt = metadata.version("PySide6-Essentials")
    if sys.version_info[:2] == (3, 11) and tuple(map(int, qt.split(".")[:2])) >= (6, 12):
        return wrong("packages", f"PySide6 {qt} crashes under Python 3.11.", MAKE_ANEW)
    return good("packages", f"Laterna {VERSION}, Python {python}, {', '.join(versions)}.")


def window_libraries(load: Callable[[str], object] = ctypes.CDLL, platform: str = sys.platform) -> Finding:
    if platform != "linux":
        return good("window", "The system brings what a window needs.")
    missing = []
    for library, package in X11_LIBRARIES.items():
        try:
            load(library)
        except OSError:
            missing.append(package)
    if missing:
        return wrong("window", "The window needs libraries that are not here.",
                     f"sudo apt-get install {' '.join(missing)}")  # fmt: skip
    return good("window", "The libraries that a window needs are here.")


def clip_encoder() -> Finding:
    try:
        import av

        av.CodecContext.create("libx264", "w")
    except Exception as error:  # whatever a broken library raises
        return wrong("clips", f"Clips cannot be saved: {error}.", MAKE_ANEW)
    return good("clips", "Clips are encoded by x264.")


def keyring() -> Finding:
    if find_keyring() is None:
        return note("keyring", "There is no keyring; a token is kept in a file that only you can read.")
    return good("keyring", "A token is kept in the system's keyring.")


def hub(seconds: float = HUB_SECONDS) -> Finding:
    """Whether the hub's address answers. A connection is opened and closed; nothing is asked and nothing is said."""
    try:
        endpoint = endpoint_from()
    except NetworkFailed as error:
        return wrong("hub", error.message, error.remedy)
    parts = urlsplit(endpoint)
    proxy = os.environ.get(f"{parts.scheme}_proxy") or os.environ.get(f"{parts.scheme}_proxy".upper())
    target = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}") if proxy else parts
    where = target.hostname
    began = time.perf_counter()
    try:
        port = target.port or (443 if target.scheme == "https" else 80)
        socket.create_connection((target.hostname or "", port), timeout=seconds).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or "no answer"
        not_reached = f"The proxy at {where} is not reached: {why}." if proxy else f"{where} is not reached: {why}."
        return note(
            "hub",
            f"{not_reached} Models that are here work; none can be downloaded.",
            "Check the network, and HTTPS_PROXY where this network has a proxy.",
        )
    taken = time.perf_counter() - began
    ms = f"{taken * 1000:.0f}"
    text = f"The proxy at {where} answers in {ms} ms." if proxy else f"{where} answers in {ms} ms."
    return good("hub", text, seconds=taken)
