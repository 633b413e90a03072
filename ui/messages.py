"""What the window says to the person outside a dialog: a sentence, what can be done about it, perhaps a button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.protocol.errors import ErrorInfo
from ui.sentences import said

Severity = Literal["info", "warning", "error"]
INFO_SECONDS = 8.0


@dataclass(frozen=True)
class Message:
    """``text`` is one or more sentences. ``seconds`` 0 stays until it is closed. ``detail`` is shown on demand.

    ``other_button`` stands before ``button``.

    ``about`` is what was done, as ``Actions.undone`` tells it once that is taken back: the message goes with it.
    A newer message with the same ``topic`` takes the place of an older one.
    """

    text: str
    severity: Severity = "info"
    detail: str = ""
    button: str = ""
    action: Callable[[], None] | None = None
    seconds: float = INFO_SECONDS
    topic: str = ""
    about: object = None
    other_button: str = ""
    other_action: Callable[[], None] | None = None


def of_error(error: ErrorInfo, topic: str = "") -> Message:
    """A failure as its sentence and remedy; a warning where the person can mend it, an error where it is a bug."""
    severity: Severity = "error" if error.kind in ("UnknownFailure", "ProtocolError", "EngineDied") else "warning"
    return Message(said(error), severity, error.detail, seconds=0.0, topic=topic)
