"""What a model's card says, as plain functions: sizes, states, speeds."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from engine.models.download import DownloadProgress
from engine.models.states import Card, Installed
from ui.formats import file_size
from ui.models.catalogue_texts import told


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)


def makes(card: Card) -> str:
    """Sizes and lengths in a line."""
    return "  ·  ".join(told(part) for part in (card.summary, card.sizes, card.lengths) if part)


def needs(card: Card) -> str:
    """Memory and disk; what an import itself takes is the person's own."""
    disk = _tr("{disk} on disk").format(disk=file_size(card.disk))
    if not card.memory:
        return disk
    return _tr("Graphics memory from {memory:g} GB (more is faster)").format(memory=card.memory) + "  ·  " + disk


def licence(card: Card) -> str:
    """The licence in a line, and whether the hub asks for more."""
    if not card.gated or card.role != "catalogued":
        return told(card.licence_line)
    return told(card.licence_line) + "  ·  " + _tr("needs a free account and a token")


def state(card: Card, installed: Installed | None, has_update: bool) -> tuple[str, str]:
    """In words, and its kind: good, warn, bad or plain."""
    if installed is None:
        return _tr("Not here"), "plain"
    if installed.state == "ready":
        if has_update:
            return _tr("Update available"), "warn"
        return _tr("Ready"), "good"
    if installed.state == "unfinished":
        text = _tr("Paused") if installed.paused else _tr("Waiting")
        done, total = file_size(installed.done), file_size(installed.total)
        return _tr("{state} at {done} of {total}").format(state=text, done=done, total=total), "warn"
    if installed.state == "damaged":
        text = _tr("Damaged: 1 file") if len(installed.bad) == 1 else _tr("Damaged: {count} files")
        return text.format(count=len(installed.bad)), "bad"
    if installed.state == "unplugged":
        return _tr("Not connected"), "warn"
    return _tr("Incomplete"), "warn"


def progress(now: DownloadProgress) -> str:
    if now.phase == "waiting":
        return now.text
    if now.phase == "finishing":
        return _tr("Putting it together")
    text = _tr("{done} of {total}").format(done=file_size(now.done), total=file_size(now.total))
    if now.speed > 0:
        text += "  ·  " + _tr("{speed} a second").format(speed=file_size(now.speed))
    if now.seconds_left >= 0:
        text += "  ·  " + _tr("{time} left").format(time=_duration(now.seconds_left))
    return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return _tr("{count} s").format(count=round(seconds))
    if seconds < 90 * 60:
        return _tr("{count} min").format(count=round(seconds / 60))
    return _tr("{count} h").format(count=round(seconds / 3600))
