"""Keeps one engine alive: starts it, starts it again when it dies, waits longer each time it dies without work done."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LocalProcess
from engine.protocol.commands import Command
from engine.protocol.errors import EngineDied, LaternaError
from engine.protocol.events import Event

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
MAX_FAILED_STARTS = 5
SHUTDOWN_SECONDS = 3.0


class EngineSupervisor:
    """Used from one thread, which must live as long as the engine (see ``LocalProcess``).

    ``on_event(generation, event, blob)`` and ``on_exit(generation, error)`` are called on reader threads; whoever gets
    them checks ``generation`` against ``self.generation``, so that words of a former engine are not heard.
    """

    def __init__(
        self,
        on_event: Callable[[int, Event, bytes], None],
        on_exit: Callable[[int, LaternaError | None], None],
        log_file: Path,
        command: list[str] | None,
    ) -> None:
        self._on_event = on_event
        self._on_exit = on_exit
        self._log_file = log_file
        self._command = command
        self._engine: EngineConnection | None = None
        self._deaths_in_a_row = 0
        self._failed_starts = 0
        self.generation = 0
        self.ready = False
        self.restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self._engine.pid if self._engine else None

    def start(self) -> None:
        """Start an engine. Raises ``EngineDied`` where the program cannot be started at all."""
        self.restart_at = None
        self.ready = False
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
            raise EngineDied(
                f"The engine cannot be started: {error.strerror or error}.", "Install Laterna again."
            ) from error

    def send(self, command: Command) -> bool:
        """False where the engine is gone; ``on_exit`` follows then."""
        if self._engine is None:
            return False
        try:
            self._engine.send(command)
        except EngineDied:
            return False
        return True

    def became_ready(self) -> None:
        self.ready = True
        self._failed_starts = 0

    def did_work(self) -> None:
        """A job came to its end: whatever made the engine die before is over."""
        self._deaths_in_a_row = 0

    def died(self) -> bool:
        """The engine has ended: plan the next start; False where it never gets ready and starting it is given up."""
        if not self.ready:
            self._failed_starts += 1
        self.ready = False
        self._engine = None
        if self._failed_starts >= MAX_FAILED_STARTS:
            self.restart_at = None
            return False
        delay = 0.0 if not self._deaths_in_a_row else FIRST_DELAY * 2 ** (self._deaths_in_a_row - 1)
        self._deaths_in_a_row += 1
        self.restart_at = time.monotonic() + min(LONGEST_DELAY, delay)
        return True

    def cpu_seconds(self) -> float | None:
        """The engine's processor time so far; None where it is not known."""
        return self._engine.cpu_seconds() if self._engine is not None else None

    def end(self, why: EngineDied) -> None:
        """End the engine by force; ``on_exit`` follows with ``why``."""
        if self._engine is not None:
            self._engine.kill(why)

    def restart(self) -> bool:
        """A person wants a fresh engine; earlier failures are forgotten.

        True where one was running and is being ended by force (``on_exit`` follows), False where one is due at once.
        """
        self._failed_starts = 0
        self._deaths_in_a_row = 0
        if self._engine is not None:
            self._engine.kill(EngineDied("The engine was restarted."))
            return True
        self.restart_at = time.monotonic()
        return False

    def shutdown(self) -> None:
        """End the engine; one that is too busy to answer (importing, in a kernel) loses nothing by being killed."""
        self.restart_at = None
        self.ready = False
        if self._engine is not None:
            self._engine.shutdown(SHUTDOWN_SECONDS)
            self._engine = None
