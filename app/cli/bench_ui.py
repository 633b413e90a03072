"""How quick the window is: first paint, how long its thread is busy while pictures are made, the gallery's figures and,
in the same run, those of a plain QListView."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

PICTURES = 4
STEPS = 40
PATIENCE = 300.0
LIMIT = 0.016  # one frame at 60 Hz


def _until(condition: Callable[[], object], what: str) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        loop = QEventLoop()
        QTimer.singleShot(20, loop.quit)
        loop.exec()


def generating() -> dict[str, Any]:
    """The window's thread while the real engine makes pictures with the embedded model, previews on.

    ``late`` is how late a timer of 5 ms came, which other programs on the machine delay too; ``busy`` the thread's own
    processor time between two beats, which they do not.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from app.composition import make_application, make_window
    from app.paths import Paths
    from app.settings import SettingsFile
    from ui.stalls import StallMonitor
    from ui.theme import Theme

    with tempfile.TemporaryDirectory() as home:
        paths = Paths.find(home)
        app = make_application(["laterna"], "en")
        theme = Theme("dark")
        theme.apply(app)
        file = SettingsFile(paths.settings_file)
        window = make_window(paths, theme, file.load(), file)
        try:
            window.resize(1440, 900)
            window.show()
            _until(lambda: window.session.engine.state == "ready" and window.queue is not None, "the engine")
            _until(lambda: window.session.model is not None, "the model")
            window.form.prompts.prompt.replace_text("a big owl at the top, night background")
            window.form.parameters.count.setValue(PICTURES)
            window.form.parameters.steps.spin.setValue(STEPS)
            monitor = StallMonitor(LIMIT, places=True)
            monitor.start()
            window.actions_.generate()
            _until(lambda: bool(window.session.jobs), "the jobs")
            _until(lambda: not window.session.jobs, "the pictures")
            monitor.stop()
        finally:
            window.shut_down()
    quantile = StallMonitor.quantile
    longest = max(monitor.stalls, key=lambda stall: stall.seconds, default=None)
    if longest is not None:
        print(longest.where, file=sys.stderr)
    return {
        "generating_beats": monitor.beats,
        "generating_late_p50_ms": round(quantile(monitor.late, 0.5) * 1000, 2),
        "generating_late_p99_ms": round(quantile(monitor.late, 0.99) * 1000, 2),
        "generating_late_longest_ms": round(quantile(monitor.late, 1.0) * 1000, 2),
        "generating_busy_p99_ms": round(quantile(monitor.busy, 0.99) * 1000, 2),
        "generating_busy_longest_ms": round(quantile(monitor.busy, 1.0) * 1000, 2),
        "generating_over_16_ms": len(monitor.stalls),
    }


def ui() -> dict[str, Any]:
    from app.cli.bench_start import first_paints
    from ui.library.bench_gallery import gallery

    paints = first_paints()
    return {"first_paint_s": paints[len(paints) // 2], "first_paint_worst_s": paints[-1], **generating(), **gallery()}


NAMES: dict[str, Callable[[], dict[str, Any]]] = {"ui": ui}
