"""Supervises the engine of the job service: started, watched, ended where it is stuck, started again where it dies, and
told of as ``EngineStateChanged``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.jobs.connection import AGAIN, EngineConnection
from engine.jobs.notices import EngineState, EngineStateChanged, Notice
from engine.jobs.restarts import Restarts
from engine.jobs.transport import LocalProcess
from engine.jobs.watchdog import TICK, Patience, Watchdog
from engine.protocol import events
from engine.protocol.commands import Command, Preload
from engine.protocol.errors import EngineDied, ErrorInfo, LaternaError

SHUTDOWN_SECONDS = 3.0


class EngineSupervisor:
    """Used from one thread, which must live as long as the engine (see ``LocalProcess``).

    ``on_event(generation, event, blob)`` and ``on_exit(generation, error)`` are called on reader threads; whoever gets
    them checks ``generation`` against ``self.generation``, so that words of a former engine are not heard, and hands
    them to ``heard`` and ``exited`` on the one thread.
    """

    def __init__(
        self,
        on_event: Callable[[int, events.Event, bytes], None],
        on_exit: Callable[[int, LaternaError | None], None],
        notify: Callable[[Notice], None],
        log_file: Path,
        command: list[str] | None,
        patience: Patience | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_exit = on_exit
        self._notify = notify
        self._log_file = log_file
        self._command = command
        self._engine: EngineConnection | None = None
        self._restarts = Restarts()
        self._watchdog = Watchdog(self._cpu_seconds, patience)
        self._information: events.EngineReady | None = None
        self._preload = ""
        self._preloading = False
        self._working = False
        self._silent = False
        self._next_tick = 0.0
        self._restart_wanted = False
        self.generation = 0
        self.ready = False

    @property
    def pid(self) -> int | None:
        return self._engine.pid if self._engine else None

    def _cpu_seconds(self) -> float | None:
        return self._engine.cpu_seconds() if self._engine is not None else None

    def start(self) -> None:
        """Start an engine; ``on_exit`` says where the program cannot be started at all."""
        self._watchdog.started()
        self._next_tick = time.monotonic() + TICK
        self._preloading = self._silent = self.ready = False
        self._restarts.started()
        self.generation += 1
        generation = self.generation
        self._engine = EngineConnection(
            on_event=lambda event, blob: self._on_event(generation, event, blob),
            on_exit=lambda error: self._on_exit(generation, error),
            transport=LocalProcess(self._log_file, self._command),
        )
        try:
            self._engine.start()
        except OSError as error:
            self._engine = None
            sentence = f"The engine cannot be started: {error.strerror or error}."
            self._on_exit(generation, EngineDied(sentence, "Install Laterna again."))
            return
        self._tell("starting", "The engine is starting.")

    def send(self, command: Command) -> bool:
        """False where the engine is gone; ``on_exit`` follows then."""
        if self._engine is None:
            return False
        try:
            self._engine.send(command)
        except EngineDied:
            return False
        return True

    def work(self, command: Command) -> None:
        """Give it a job."""
        self._preload = ""
        self._working = True
        self._tell("working", "Working.")
        self.send(command)

    def worked(self, to_an_end: bool) -> None:
        """The job in hand is over; ``to_an_end``: by the engine's own word."""
        self._working = False
        if to_an_end:
            self._restarts.did_work()
        if self.ready:
            self._tell("ready", "Ready.")

    def preload(self, model_folder: str) -> None:
        """Have it load a model once it is idle."""
        self._preload = model_folder
        self.idle()

    def idle(self) -> None:
        """There is no job for it now."""
        if self._preload and self.ready and not self._working:
            self._preloading = self.send(Preload(self._preload))
            self._preload = ""

    def restart(self) -> None:
        """A person wants a fresh engine: end the one that there is by force, forget earlier failures."""
        self._restarts.forget()
        self._restart_wanted = self._engine is not None
        if self._engine is not None:
            self._engine.kill(EngineDied("The engine was restarted."))
        else:
            self._restarts.now()

    def shutdown(self) -> None:
        """End the engine; one that is too busy to answer (importing, in a kernel) loses nothing by being killed."""
        self._restarts.started()
        self.ready = False
        if self._engine is not None:
            self._engine.shutdown(SHUTDOWN_SECONDS)
            self._engine = None

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
                self.ready = True
                self._restarts.became_ready()
                self._watchdog.warming = False
                self._tell("ready", "Ready.")
            case events.Pulse(work, cpu_seconds):
                self._watchdog.pulse(work, cpu_seconds)
            case events.Preloaded():
                self._preloading = False

    def exited(self, error: LaternaError | None) -> bool:
        """The engine has ended. Whether it was ended on purpose, to be restarted."""
        wanted, self._restart_wanted = self._restart_wanted, False
        was_ready, self.ready = self.ready, False
        self._working = self._preloading = self._silent = False
        self._engine = None
        info = error.info() if error is not None and not wanted else None
        is_final = isinstance(error, EngineDied) and error.is_final
        if self._restarts.died(was_ready, is_final):
            self._tell("restarting", "The engine is being restarted." if info is None else info.sentence(), info)
        elif is_final and info is not None:
            self._tell("stopped", info.sentence(), info)
        else:
            self._tell("stopped", "The engine does not start, so jobs wait. Restart it, or look at its log.", info)
        return wanted

    # Time

    def due(self) -> float | None:
        """When ``time_passed`` wants to be called, or None."""
        times = [self._restarts.at, self._next_tick if self._is_watched else None]
        return min((moment for moment in times if moment is not None), default=None)

    def time_passed(self, now: float) -> None:
        if self._restarts.at is not None and now >= self._restarts.at:
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
        return self._engine is not None and (not self.ready or self._working or self._preloading)

    def _judge(self, now: float) -> None:
        verdict = self._watchdog.tick(now)
        if verdict == "stuck" and self._engine is not None:
            self._watchdog.rest()
            self._engine.kill(EngineDied("The engine does not answer any more and was ended.", AGAIN))
        elif verdict == "silent" and not self._silent:
            self._silent = True
            self._tell("silent", "The engine does not answer. Laterna waits a little before ending it.")

    def _tell(self, state: EngineState, text: str, error: ErrorInfo | None = None) -> None:
        known = self._information
        self._notify(
            EngineStateChanged(state, text, known.device if known else None, known.versions if known else {}, error)
        )
