"""What made a file: program and library versions, and the device. It goes into every file beside the recipe."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import msgspec

from engine.protocol.version import VERSION


class Environment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Versions as text, empty where unknown; ``device`` as a person would name it ("cpu", "NVIDIA RTX 4090");
    ``compiled``: the model's blocks ran compiled, which moves the last bits."""

    laterna: str = ""
    python: str = ""
    torch: str = ""
    diffusers: str = ""
    transformers: str = ""
    device: str = ""
    compiled: bool = False

    @classmethod
    def current(cls, device: str = "", versions: Mapping[str, str] | None = None) -> Environment:
        """This process' environment; ``versions`` maps a package to its version (as in ``EngineReady``)."""
        known = versions or {}
        return cls(
            laterna=VERSION,
            python=platform.python_version(),
            torch=known.get("torch", ""),
            diffusers=known.get("diffusers", ""),
            transformers=known.get("transformers", ""),
            device=device,
        )

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Environment | None:
        """None where ``text`` is no environment: it describes a file, and no file is refused for lacking it."""
        try:
            return msgspec.json.decode(text.encode(), type=cls)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return None
