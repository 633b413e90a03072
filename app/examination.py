"""The doctor's examination over Laterna's folders, for the command line and for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.paths import Paths
from engine.doctor.examination import Places, checks, examine
from engine.doctor.finding import Finding


def examination(paths: Paths, network: bool, begun: Callable[[str, float], None]) -> Iterator[Finding]:
    """With ``network`` the hub's address is tried too. ``begun`` hears of each check with the part that is done."""
    written = {
        "settings": paths.config,
        "data": paths.data,
        "models": paths.models,
        "caches": paths.cache,
        "logs": paths.logs,
        "pictures and clips": paths.output,
    }
    return examine(checks(Places(written, paths.models, paths.output), network), begun)
