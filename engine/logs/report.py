"""A report of what went wrong, as text that a person reads before deciding what to do with it. Nothing is sent."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.logs.bounded import tail
from engine.logs.redact import redact
from engine.media import atomic
from engine.protocol.recipe import Recipe
from engine.protocol.version import VERSION

KEPT_REPORTS = 10
LOG_BYTES = 24 * 1024
_NEVER_SHOWN = ("prompt", "negative_prompt", "conditioning", "model_hashes", "inputs", "adapters")


class Circumstances(msgspec.Struct, frozen=True):
    """What the window knows when a report is made. ``prompts`` are taken out of the logs wherever they occur."""

    device: str = ""
    versions: dict[str, str] = {}
    recipe: Recipe | None = None
    prompts: tuple[str, ...] = ()


def compose(
    what: str,
    logs: Mapping[str, Path | str],
    known: Circumstances,
    *,
    prompt: str = "",
    note: str = "",
    when: float | None = None,
) -> str:
    """The report: ``what`` happened, versions, device, the plan of the job, and the end of each of ``logs`` (a path, or
    the text itself). ``prompt`` and ``note`` are what the person adds."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(when))
    lines = [f"Laterna report, {moment}", "", what, ""]
    lines += [f"Laterna {VERSION}, Python {platform.python_version()}", f"{platform.platform()}"]
    lines += [f"{name} {version}" for name, version in sorted(known.versions.items())]
    lines.append(f"Device: {known.device or 'not known'}")
    if known.recipe is not None:
        lines.append(f"Job: {plan_of(known.recipe)}")
    if prompt:
        lines.append(f"Prompt: {prompt}")
    if note:
        lines += ["", f"Note: {note}"]
    hidden = () if prompt else known.prompts
    head = redact("\n".join(lines), () if prompt else hidden)
    parts = [head]
    for name, source in logs.items():
        text = tail(source, LOG_BYTES) if isinstance(source, Path) else source
        parts.append(f"--- {name} ---\n{redact(text, hidden).strip() or '(empty)'}")
    return "\n\n".join(parts) + "\n"


def plan_of(recipe: Recipe) -> str:
    """A recipe without anything that the person wrote, or whose files it names."""
    said = msgspec.to_builtins(recipe)
    return ", ".join(
        f"{name} {value}"
        for name, value in said.items()
        if name not in _NEVER_SHOWN and value not in ("", None, (), [])
    )


def keep(folder: Path, name: str, text: str, when: float | None = None) -> Path | None:
    """Write a report to ``folder`` and let the oldest go; None where it cannot be written."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(when))
    path = folder / f"{stamp}-{name}.txt"
    try:
        atomic.write_bytes(path, text.encode())
    except OSError:
        return None
    for old in sorted(folder.glob("*.txt"))[:-KEPT_REPORTS]:
        with suppress(OSError):
            os.unlink(old)
    return path


def prompts_of(recipes: Iterable[Recipe]) -> tuple[str, ...]:
    """Everything that a person wrote into ``recipes``."""
    found = {text for recipe in recipes for text in (recipe.prompt, recipe.negative_prompt)}
    return tuple(sorted(text for text in found if text))
