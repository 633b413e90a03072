"""What an examination says of one thing."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["good", "note", "wrong"]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """``note`` is worth knowing and no fault. ``remedy`` is one command or one act; a ``wrong`` finding has one.

    ``figures`` are what was measured, in bytes, bytes a second or seconds as their names say.
    """

    topic: str
    state: State
    text: str
    remedy: str = ""
    figures: dict[str, float] = {}


def good(topic: str, text: str, **figures: float) -> Finding:
    return Finding(topic, "good", text, figures=figures)


def note(topic: str, text: str, remedy: str = "", **figures: float) -> Finding:
    return Finding(topic, "note", text, remedy, figures)


def wrong(topic: str, text: str, remedy: str, **figures: float) -> Finding:
    return Finding(topic, "wrong", text, remedy, figures)


def gigabytes(count: float) -> str:
    """As memories and disks are sold to people here: GiB with one place below ten."""
    value = count / 2**30
    return f"{value:.1f} GB" if value < 10 else f"{value:.0f} GB"


def as_text(findings: list[Finding]) -> str:
    """What the command prints and the window copies."""
    signs = {"good": "✓", "note": "•", "wrong": "✗"}
    lines = []
    for finding in findings:
        lines.append(f"{signs[finding.state]} {finding.topic}: {finding.text}")
        if finding.remedy:
            lines.append(f"    → {finding.remedy}")
    faults = sum(finding.state == "wrong" for finding in findings)
    lines.append("Everything is in order." if not faults else f"To be mended: {faults}.")
    return "\n".join(lines)
