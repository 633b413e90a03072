"""Numbers as a person reads them."""

from __future__ import annotations


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


def gigabytes(used: int, total: int) -> str:
    """ "9.8 / 24 GB"."""
    whole = total / 1e9
    return f"{used / 1e9:.1f} / {whole:.0f} GB" if whole >= 10 else f"{used / 1e9:.1f} / {whole:.1f} GB"
