from __future__ import annotations

import time

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from ui.stalls import StallMonitor


def busy_for_a_while() -> None:
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        time.sleep(0.01)


def test_a_stall_is_seen_with_its_place(qtbot: QtBot) -> None:
    monitor = StallMonitor(limit=0.1, places=True)
    monitor.start()
    QTimer.singleShot(20, busy_for_a_while)
    qtbot.waitUntil(lambda: any("busy_for_a_while" in stall.where for stall in monitor.stalls), timeout=5000)
    assert monitor.stop() >= 0.25


def test_processor_time_is_told_apart_from_waiting(qtbot: QtBot) -> None:
    monitor = StallMonitor()
    monitor.start()
    QTimer.singleShot(10, busy_for_a_while)  # it sleeps, mostly
    qtbot.waitUntil(lambda: monitor.quantile(monitor.late, 1.0) > 0.2, timeout=5000)
    monitor.stop()
    assert monitor.quantile(monitor.busy, 1.0) < 0.15
    assert monitor.quantile([3.0, 1.0, 2.0], 0.5) == 2.0 and monitor.quantile([], 0.5) == 0.0
