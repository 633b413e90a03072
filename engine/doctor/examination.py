"""All of it in order, the quick things first. One that breaks is a finding, and never ends the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from engine.doctor import device, disk, programs
from engine.doctor.finding import Finding, note

Check = Callable[[], Finding | list[Finding]]


class Places(msgspec.Struct, frozen=True):
    """The folders to look at; ``folders`` are all that are written to, by what they hold."""

    folders: Mapping[str, Path]
    models: Path
    output: Path


def checks(places: Places, network: bool = True) -> dict[str, Check]:
    """By what is being looked at, as a person is told while it lasts."""
    found: dict[str, Check] = {
        "packages": programs.packages,
        "folders": lambda: disk.folders(places.folders),
        "space": lambda: disk.space(places.models, places.output),
        "window": programs.window_libraries,
        "clips": programs.clip_encoder,
        "keyring": programs.keyring,
        "disk speed": lambda: disk.speed(places.models),
        "device": device.device,
    }
    if network:
        found["hub"] = programs.hub
    return found


def examine(
    found: Mapping[str, Check], begun: Callable[[str, float], None] = lambda topic, fraction: None
) -> Iterator[Finding]:
    """Yields findings; ``begun`` hears of each check with the part that is done."""
    for done, (topic, check) in enumerate(found.items()):
        begun(topic, done / len(found))
        try:
            result = check()
        except Exception as error:  # the doctor is what one calls when things are broken
            yield note(topic, f"This could not be looked at: {type(error).__name__}: {str(error)[:300]}.")
            continue
        yield from [result] if isinstance(result, Finding) else result
