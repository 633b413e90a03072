"""Numbers as a person reads them."""

from __future__ import annotations

from PySide6.QtCore import QLocale

from engine.models import disk


def number(value: float, digits: int | None = None) -> str:
    """With the decimal comma where the window's language has one; without ``digits`` as many as there are."""
    text = f"{value:g}" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", QLocale().decimalPoint())


def duration(seconds: float) -> str:
    """ "18 s", "2 min 05 s", "1 h 20 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def about(seconds: float) -> str:
    """As precisely as a forecast is: "18 s", "50 s", "4 min", "1 h 20 min"."""
    if seconds < 20:
        return duration(max(1.0, seconds))
    if seconds < 100:
        return duration(min(55.0, round(seconds / 5) * 5)) if seconds < 57.5 else f"{round(seconds / 10) * 10} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60 // 5 * 5:02d} min"


def file_size(count: float) -> str:
    """Bytes: "820 kB", "13.3 GB"."""
    return disk.gigabytes(count).replace(".", QLocale().decimalPoint())


def gigabytes(used: int, total: int) -> str:
    """ "9.8 / 24 GB"."""
    whole = total / 1e9
    return f"{number(used / 1e9, 1)} / {number(whole, 0 if whole >= 10 else 1)} GB"
