"""Keeps the engine at hand for the job service: started, watched, and told of as ``EngineStateChanged``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.jobs.connection import AGAIN
from engine.jobs.notices import EngineState, EngineStateChanged, Notice
from engine.jobs.supervisor import EngineSupervisor
from engine.jobs.watchdog import TICK, Patience, Watchdog
from engine.protocol import events
from engine.protocol.commands import Command, Preload
from engine.protocol.errors import EngineDied, ErrorInfo, LaternaError


class EngineKeeper:
    """Used from one thread, which must live as long as the engine. ``on_event(generation, event, blob)`` and
    ``on_exit(generation, error)`` are called on reader threads."""

    def __init__(
        self,
        on_event: Callable[[int, events.Event, bytes], None],
        on_exit: Callable[[int, LaternaError | None], None],
        notify: Callable[[Notice], None],
        log_file: Path,
        command: list[str] | None,
        patience: Patience | None = None,
    ) -> None:
        self._on_exit = on_exit
        self._notify = notify
        self._engine = EngineSupervisor(on_event, on_exit, log_file, command)
        self._watchdog = Watchdog(self._engine.cpu_seconds, patience)
        self._information: events.EngineReady | None = None
        self._preload = ""
        self._preloading = False
        self._working = False
        self._silent = False
        self._next_tick = 0.0
        self._restart_wanted = False

    @property
    def pid(self) -> int | None:
        return self._engine.pid

    @property
    def generation(self) -> int:
        return self._engine.generation

    @property
    def ready(self) -> bool:
        return self._engine.ready

    def start(self) -> None:
        self._watchdog.started()
        self._next_tick = time.monotonic() + TICK
        self._preloading = self._silent = False
        try:
            self._engine.start()
        except EngineDied as error:
            self._on_exit(self._engine.generation, error)
            return
        self._tell("starting", "The engine is starting.")

    def send(self, command: Command) -> bool:
        """False where the engine is gone; ``on_exit`` follows then."""
        return self._engine.send(command)

    def work(self, command: Command) -> None:
        """Give it a job."""
        self._preload = ""
        self._working = True
        self._tell("working", "Working.")
        self._engine.send(command)

    def worked(self, to_an_end: bool) -> None:
        """The job in hand is over; ``to_an_end``: by the engine's own word."""
        self._working = False
        if to_an_end:
            self._engine.did_work()
        if self._engine.ready:
            self._tell("ready", "Ready.")

    def preload(self, model_folder: str) -> None:
        """Have it load a model once it is idle."""
        self._preload = model_folder
        self.idle()

    def idle(self) -> None:
        """There is no job for it now."""
        if self._preload and self._engine.ready and not self._working:
            self._preloading = self._engine.send(Preload(self._preload))
            self._preload = ""

    def restart(self) -> None:
        """End it by force and start a fresh one."""
        self._restart_wanted = self._engine.restart()

    def shutdown(self) -> None:
        self._engine.shutdown()

    def heard(self, event: events.Event) -> None:
        """Every event of the present engine."""
        self._watchdog.heard()
        if self._silent:
            self._silent = False
            self._tell("working" if self._working else "ready", "The engine answers again.")
        match event:
            case events.EngineWarming(what):
                self._tell("starting", what)
            case events.EngineReady():
                self._information = event
                self._engine.became_ready()
                self._watchdog.warming = False
                self._tell("ready", "Ready.")
            case events.Pulse(work, cpu_seconds):
                self._watchdog.pulse(work, cpu_seconds)
            case events.Preloaded():
                self._preloading = False

    def exited(self, error: LaternaError | None) -> bool:
        """The engine has ended. Whether it was ended on purpose, to be restarted."""
        wanted, self._restart_wanted = self._restart_wanted, False
        self._working = self._preloading = self._silent = False
        info = error.info() if error is not None and not wanted else None
        if self._engine.died():
            self._tell("restarting", "The engine is being restarted." if info is None else info.sentence(), info)
        else:
            self._tell("stopped", "The engine does not start, so jobs wait. Restart it, or look at its log.", info)
        return wanted

    # Time

    def due(self) -> float | None:
        """When ``time_passed`` wants to be called, or None."""
        times = [self._engine.restart_at, self._next_tick if self._is_watched else None]
        return min((moment for moment in times if moment is not None), default=None)

    def time_passed(self, now: float) -> None:
        if self._engine.restart_at is not None and now >= self._engine.restart_at:
            self.start()
        if not self._is_watched:
            self._watchdog.rest()
            self._next_tick = now + TICK
        elif now >= self._next_tick:
            self._next_tick = now + TICK
            self._judge(now)

    @property
    def _is_watched(self) -> bool:
        """Nothing is expected of an idle engine."""
        return self._engine.pid is not None and (not self._engine.ready or self._working or self._preloading)

    def _judge(self, now: float) -> None:
        verdict = self._watchdog.tick(now)
        if verdict == "stuck":
            self._watchdog.rest()
            self._engine.end(EngineDied("The engine does not answer any more and was ended.", AGAIN))
        elif verdict == "silent" and not self._silent:
            self._silent = True
            self._tell("silent", "The engine does not answer. Laterna waits a little before ending it.")

    def _tell(self, state: EngineState, text: str, error: ErrorInfo | None = None) -> None:
        known = self._information
        self._notify(
            EngineStateChanged(state, text, known.device if known else None, known.versions if known else {}, error)
        )
