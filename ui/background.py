"""Work that must not hold up the window: run on a thread, answered on the window's thread."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.protocol.errors import LaternaError, UnknownFailure

log = logging.getLogger(__name__)


class Background(QObject):
    """A small pool. ``run(work, done, failed)``: exactly one of ``done(result)`` and ``failed(LaternaError)`` follows,
    unless ``close`` came first."""

    _answered = Signal(object, object)

    def __init__(self, threads: int = 2, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, "ui-background")
        self._closed = False
        self._answered.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[LaternaError], None]) -> None:
        def job() -> None:
            answer: Callable[[Any], None]
            try:
                answer, value = done, work()
            except LaternaError as error:
                answer, value = failed, error
            except Exception as error:
                log.error("Background work failed", exc_info=error)
                bug = UnknownFailure(
                    f"Something went wrong inside Laterna: {error}.", detail="".join(traceback.format_exception(error))
                )
                answer, value = failed, bug
            if not self._closed:
                self._answered.emit(answer, value)

        if not self._closed:
            self._pool.submit(job)

    def close(self) -> None:
        """Drop what waits and wait for what runs."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    @Slot(object, object)
    def _answer(self, answer: Callable[[Any], None], value: object) -> None:
        if not self._closed:
            answer(value)
