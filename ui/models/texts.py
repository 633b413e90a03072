"""What a model's card says, as plain functions: sizes, states, speeds."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from engine.models.disk import gigabytes
from engine.models.download import DownloadProgress
from engine.models.states import Card, Installed


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)


def makes(card: Card) -> str:
    """Sizes and lengths in a line."""
    return "  ·  ".join(part for part in (card.summary, card.sizes, card.lengths) if part)


def needs(card: Card) -> str:
    text = _tr("Graphics memory from {memory:g} GB  ·  {disk} on disk").format(
        memory=card.memory, disk=gigabytes(card.disk)
    )
    return text if card.runs else text + "  ·  " + _tr("this Laterna can keep it, but not run it yet")


def state(card: Card, installed: Installed | None, has_update: bool) -> str:
    if installed is None:
        return _tr("Not here")
    if installed.state == "ready":
        return _tr("Update available") if has_update else _tr("Ready")
    if installed.state == "unfinished":
        text = _tr("Paused") if installed.paused else _tr("Waiting")
        return _tr("{state} at {done} of {total}").format(
            state=text, done=gigabytes(installed.done), total=gigabytes(installed.total)
        )
    if installed.state == "damaged":
        return _tr("Damaged: {count} files").format(count=len(installed.bad))
    if installed.state == "unplugged":
        return _tr("Not connected")
    return _tr("Incomplete: needs {parts}").format(parts=", ".join(installed.missing))


def progress(now: DownloadProgress) -> str:
    if now.phase == "waiting":
        return now.text
    if now.phase == "finishing":
        return _tr("Putting it together")
    text = _tr("{done} of {total}").format(done=gigabytes(now.done), total=gigabytes(now.total))
    if now.speed > 0:
        text += "  ·  " + _tr("{speed} a second").format(speed=gigabytes(now.speed))
    if now.seconds_left >= 0:
        text += "  ·  " + _tr("{time} left").format(time=_duration(now.seconds_left))
    return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return _tr("{count} s").format(count=round(seconds))
    if seconds < 90 * 60:
        return _tr("{count} min").format(count=round(seconds / 60))
    return _tr("{count} h").format(count=round(seconds / 3600))
