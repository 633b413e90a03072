"""A picture's file, read as it is painted. Called on a thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColorSpace, QImage, QImageReader

from engine.protocol.errors import BadFile


def read_picture(path: Path) -> QImage:
    """In the format that the screen is painted in, so that no paint has to convert. Raises ``BadFile``."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    image = reader.read()
    if image.isNull():
        raise BadFile(
            QCoreApplication.translate("ViewPanel", "{0} cannot be shown: it is damaged.").format(path.name),
            QCoreApplication.translate("ViewPanel", "Get a fresh copy of it."),
        )
    if image.colorSpace().isValid():
        image.convertToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
    has_alpha = image.hasAlphaChannel()
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied if has_alpha else QImage.Format.Format_RGB32)
