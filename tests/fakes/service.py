"""A job service with the scripted engine, on a thread of its own, and what it tells."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from engine.jobs.dispatcher import JobSettings
from engine.jobs.notices import EngineStateChanged, JobEnded, Notice
from engine.jobs.service import JobService
from engine.library.library import Library

FAKE_ENGINE = Path(__file__).resolve().parent / "fake_engine.py"
PATIENCE = 30.0
N = TypeVar("N")


class Running:
    """A service on a thread of its own. ``wait`` gives notices in the order in which they were told."""

    def __init__(self, folder: Path, *engine_options: str, **options: Any) -> None:
        self.folder = folder
        self.output = folder / "output"
        self.library = Library(folder / "library.sqlite3", self.output)
        self.told: list[Notice] = []
        self._news: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        try:
            self.service = JobService(
                queue_database=folder / "queue.sqlite3",
                library=self.library,
                settings=JobSettings(
                    output_folder=self.output,
                    cache_folder=lambda: folder / "cache",
                    adapter_folder=folder / "loras",
                    **{field.name: options.pop(field.name) for field in fields(JobSettings) if field.name in options},
                ),
                engine_log=folder / "engine.log",
                notify=self._notify,
                engine_command=options.pop("engine_command", None)
                or [sys.executable, str(FAKE_ENGINE), "--state", str(folder / "state"), *engine_options],
                **options,
            )
        except BaseException:
            self.library.close()
            raise
        self.thread = threading.Thread(target=self.service.run)
        self.thread.start()

    def _notify(self, notice: Notice) -> None:
        self.told.append(notice)
        self._news.put(notice)

    def wait(self, kind: type[N], condition: Callable[[N], bool] = lambda notice: True) -> N:
        """The next notice of ``kind`` that fulfils ``condition``; those before it are passed over."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                notice = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} in {PATIENCE} s; told: {self.told[-10:]}") from None
            if isinstance(notice, kind) and condition(notice):
                return notice

    def wait_ready(self) -> EngineStateChanged:
        return self.wait(EngineStateChanged, lambda notice: notice.state == "ready")

    def wait_ended(self, job: str) -> JobEnded:
        return self.wait(JobEnded, lambda notice: notice.job.id == job)

    def stop(self) -> None:
        self.service.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        self.library.close()
