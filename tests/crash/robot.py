"""Laterna with a robot at it: the real window, where a timer does what a person would, and every promise is printed.

    python tests/crash/robot.py HOME --seed N [--drain | --calm] [--steps N]

One JSON line for each thing on stdout. ``adding``, ``marking`` and ``trashing`` come before it is tried; ``queued``,
``marked``, ``trashed`` and ``restored`` once the window showed it as done, from which moment on it must survive
anything. With ``--drain`` it does nothing but wait until the queue is empty, and quits; with ``--calm`` it only adds
jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

from prompts import PROMPTS
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from app import composition
from app.paths import Paths
from engine.jobs.notices import JobEnded, JobProgressed
from engine.library.library import Library
from engine.library.marks import MarkChange
from engine.protocol.errors import LaternaError
from ui.background import Background
from ui.window.main_window import MainWindow

MOST_WAITING = 4
MOST_TOGETHER = 2
PAUSE_MS = (50, 400)
FIRST_OF_ONE_START = 100_000


def say(what: str, **more: object) -> None:
    line = json.dumps({"what": what, **more}) + "\n"
    os.write(sys.stdout.fileno(), line.encode())  # whole, from any thread


class Robot(QObject):
    def __init__(self, window: MainWindow, seed: int, drain: bool, calm: bool, steps: int) -> None:
        super().__init__(window)
        self._window = window
        self._random = random.Random(seed)
        self._next = seed * FIRST_OF_ONE_START
        self._drain = drain
        self._deeds = [self._add] if calm else [self._add, self._add, self._mark, self._mark, self._move, self._trash]
        self._steps = steps
        self._unseen: set[int] = set()
        self._trashed: list[tuple[int, str]] = []
        self._background = Background(1, self)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._act)
        window.ready.connect(self._begin)

    def _begin(self) -> None:
        link = self._window.link
        assert link is not None
        link.job_progressed.connect(self._progressed)
        link.job_ended.connect(self._ended)
        link.queue_changed.connect(self._queue_changed)
        link.service_failed.connect(lambda failed: say("failed", message=failed.error.sentence()))
        say("ready")
        self._rest()

    def _rest(self) -> None:
        self._timer.start(self._random.randint(*PAUSE_MS))

    def _act(self) -> None:
        try:
            if self._drain:
                self._quit_when_idle()
            else:
                self._random.choice(self._deeds)()
        finally:
            self._rest()

    @property
    def _library(self) -> Library:
        library = self._window.item_actions.library
        assert library is not None
        return library  # type: ignore[return-value]

    # the queue

    def _add(self) -> None:
        models = self._window.session.all_models
        link = self._window.link
        if link is None or not models or self._window.session.waiting + len(self._unseen) >= MOST_WAITING:
            return
        model = self._random.choice(models)
        recipe = model.info.recipe(self._random.choice(PROMPTS), seed=self._next).replace(steps=self._steps)
        count = self._random.randint(1, MOST_TOGETHER)
        seeds = list(range(self._next, self._next + count))
        self._next += count
        self._unseen.update(seeds)
        say("adding", seeds=seeds)
        link.submit(recipe, str(model.folder), count)

    def _move(self) -> None:
        waiting = [job for job in self._window.session.jobs if job.state == "waiting"]
        if len(waiting) > 1 and self._window.link is not None:
            self._window.link.move([self._random.choice(waiting).id], self._random.randrange(len(waiting)))

    def _queue_changed(self, _change: object) -> None:
        self._seen([job.recipe.seed for job in self._window.session.jobs])

    def _seen(self, seeds: list[int]) -> None:
        seen = self._unseen.intersection(seeds)
        if seen:
            self._unseen -= seen
            say("queued", seeds=sorted(seen))

    def _progressed(self, progress: JobProgressed) -> None:
        job = next((job for job in self._window.session.jobs if job.id == progress.job), None)
        if job is not None:
            say("progress", seed=job.recipe.seed, stage=progress.stage, step=progress.step)

    def _ended(self, ended: JobEnded) -> None:
        self._seen([ended.job.recipe.seed])
        error = ended.job.error.sentence() if ended.job.error else ""
        say("ended", seed=ended.job.recipe.seed, state=ended.job.state, error=error)

    def _quit_when_idle(self) -> None:
        if self._window.session.engine.state == "ready" and not self._window.session.jobs:
            say("drained")
            self._background.close()
            QApplication.quit()

    # the library

    def _mark(self) -> None:
        number, self._next = self._next, self._next + 1
        library = self._library

        def work() -> None:
            ids = library.ids()
            chosen = library.items(self._random.sample(list(ids), min(2, len(ids))))
            change = MarkChange(
                rating=number % 6, favourite=number % 2 == 0, add_tags=(f"t{number}",), add_albums=(f"a{number % 3}",)
            )
            names = [item.path.name for item in chosen]
            say("marking", names=names, number=number)
            library.mark([item.id for item in chosen], change)
            say("marked", names=names, number=number)

        self._do(work)

    def _trash(self) -> None:
        library = self._library

        def work() -> None:
            if self._trashed:
                id, name = self._trashed.pop()
                library.restore([id])
                say("restored", name=name)
            elif ids := library.ids():
                (item,) = library.items([self._random.choice(ids)]) or (None,)
                if item is not None:
                    say("trashing", name=item.path.name)
                    library.trash([item.id])
                    self._trashed.append((item.id, item.path.name))
                    say("trashed", name=item.path.name)

        self._do(work)

    def _do(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except LaternaError as error:
                say("refused", message=str(error))

        self._background.run(guarded, lambda _none: None, lambda error: say("bug", message=error.detail))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--drain", action="store_true")
    parser.add_argument("--calm", action="store_true")
    arguments = parser.parse_args()
    make_window = composition.make_window

    def with_robot(*args: object, **more: object) -> MainWindow:
        window = make_window(*args, **more)  # type: ignore[arg-type]
        Robot(window, arguments.seed, arguments.drain, arguments.calm, arguments.steps)
        return window

    composition.make_window = with_robot
    return composition.open_window(Paths.find(str(arguments.home)), ["laterna"])


if __name__ == "__main__":
    sys.exit(main())
