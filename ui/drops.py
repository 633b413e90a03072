"""What was dropped on the window, or pasted: a file to reuse, a text, or nothing of use with a sentence."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData

from engine.protocol.errors import BadFile

Dropped = Path | str


def is_usable(data: QMimeData) -> bool:
    return data.hasUrls() or data.hasText()


def only_file(data: QMimeData) -> Path | None:
    """The one file of this machine in ``data``; None for several, an address or a text."""
    urls = data.urls() if data.hasUrls() else []
    return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None


def files_of(data: QMimeData) -> list[Path]:
    """The files of this machine in ``data``."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []


def dropped(data: QMimeData) -> Dropped:
    """The file or text of ``data``. Raises ``BadFile`` with a sentence where there is neither."""
    if data.hasUrls():
        local = files_of(data)
        if not local:
            raise BadFile(
                QCoreApplication.translate("Drops", "That is an address, not a file on this machine."),
                QCoreApplication.translate("Drops", "Save it first, then drop the file."),
            )
        return local[0]
    text = data.text().strip()
    if not text:
        raise BadFile(
            QCoreApplication.translate("Drops", "There is nothing to use in what was dropped."),
            QCoreApplication.translate("Drops", "Drop a PNG or MP4 that Laterna made, or a text."),
        )
    return text
