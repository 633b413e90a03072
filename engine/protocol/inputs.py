"""What a generation is given besides words: pictures and clips, each in a role, by content."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from engine.protocol.conditioning import WHOLE, Range

Role = Literal["start", "mask", "first_frame", "last_frame", "reference", "control", "source_clip"]
"""What an input is to the generation: ``start``: the picture that it changes; ``mask``: white where it changes it;
``first_frame`` and ``last_frame``: the clip begins or ends with the very picture; ``reference``: a likeness;
``control``: a picture that a control model reads (edges, depth); ``source_clip``: the clip that it changes."""

ROLES: tuple[Role, ...] = get_args(Role)
STARTING: tuple[Role, ...] = ("start", "first_frame")
"""The roles of the one picture that a person calls the picture to start from."""


class Input(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture or clip in its role. ``sha256`` of the file's bytes says which one it is, as soon as it is known.

    ``path`` is a hint where it may lie: in the form and the queue where the person chose it, in files the name alone.
    A picture is scaled to cover the recipe's size.

    ``strength`` is, for what is changed, the denoise fraction d: of a schedule of ``int(steps / d)`` steps the last
    ``steps`` are run; for others how much it counts. ``range`` is the part of the schedule in which it counts,
    ``model`` the id of the model that reads it (``control`` only).
    """

    role: Role
    path: str = ""
    sha256: str = ""
    strength: float = 1.0
    range: Range = WHOLE
    model: str = ""

    @property
    def name(self) -> str:
        """The file's name, without any folder of this or another machine."""
        return self.path.replace("\\", "/").rpartition("/")[2]

    def replace(self, **changes: object) -> Input:
        return msgspec.structs.replace(self, **changes)


class InputRule(msgspec.Struct, frozen=True):
    """A role that a family takes, and how many inputs may have it. ``has_strength``, ``has_range``: whether theirs are
    asked for; those of others stay as they are from the beginning."""

    role: Role
    most: int = 1
    has_strength: bool = False
    has_range: bool = False
