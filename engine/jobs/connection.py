"""The window's end of the border to an engine: send commands, read events, notice its end.

What crosses are frames (``engine.protocol.codec``), carried by an ``EngineTransport``. Where the two sides share no
files, this is what makes up for it: files that a job needs are handed over when the engine asks for their bytes, paths
are left out of what is sent, and results that arrive as bytes become files before anyone is told of them. No Qt in
here: the window's thread, the command line and the tests use the same class.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from engine.jobs import assets
from engine.jobs.received import Received, believed
from engine.jobs.transport import EngineTransport
from engine.protocol import codec
from engine.protocol.commands import Command, Hello, JobCommand, Preload, Shutdown
from engine.protocol.errors import EngineDied, LaternaError, ProtocolError
from engine.protocol.events import (
    AssetWanted,
    EngineHello,
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    ResultChunk,
)
from engine.protocol.version import PROTOCOL, VERSION

AGAIN = "It is started again by itself."
SAME = "Install the same Laterna on both sides, and start it again."

_Outgoing = Callable[[], bytes] | None
"""Made by the writer's thread, so that reading a file holds up nobody; None: there is no more."""


class EngineConnection:
    """One engine. ``on_event(event, blob)`` and ``on_exit(error)`` are called on the reader thread.

    ``on_exit`` is called once, with None after an orderly ``shutdown`` and with ``EngineDied`` otherwise. Start it from
    a thread that lives as long as the engine (see ``LocalProcess``).
    """

    def __init__(
        self,
        on_event: Callable[[Event, bytes], None],
        on_exit: Callable[[LaternaError | None], None],
        transport: EngineTransport,
        remedy: str = AGAIN,
    ) -> None:
        """``remedy`` is what to say to whoever reads that it died; as it stands: that somebody starts it again."""
        self._on_event = on_event
        self._on_exit = on_exit
        self._transport = transport
        self._remedy = remedy
        self._is_open = False
        self._reader: threading.Thread | None = None
        self._outbox: queue.SimpleQueue[_Outgoing] = queue.SimpleQueue()
        self._offered = assets.Offered()
        self._received: dict[str, Received] = {}
        self._greeted = False
        self._stopping = False
        self._ended_because: EngineDied | None = None
        self._protocol_error: ProtocolError | None = None

    @property
    def pid(self) -> int | None:
        return self._transport.pid

    def start(self) -> None:
        """Raises ``OSError`` where the engine cannot be started or reached."""
        self._transport.open()
        self._is_open = True
        self._put(Hello(PROTOCOL, VERSION))
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, name="engine-writer", daemon=True).start()

    def send(self, command: Command) -> None:
        """Returns at once: an engine that does not read holds nobody up. Raises ``EngineDied`` where it is gone."""
        if not self._is_open:
            raise EngineDied("The engine is not running.", self._remedy)
        if self._transport.is_over():
            raise EngineDied("The engine has ended.", self._remedy)
        if isinstance(command, Preload) and not self._transport.shares_files:
            command = Preload(Path(command.model_folder).name)
        if isinstance(command, JobCommand):
            self._offered.take(command)
            if not self._transport.shares_files:
                self._received[command.job] = Received(command.output_folder)
                command = assets.for_elsewhere(command)
        self._put(command)

    def cpu_seconds(self) -> float | None:
        """The engine's processor time so far; None where the system does not say."""
        return self._transport.cpu_seconds() if self._is_open else None

    def shutdown(self, timeout: float = 5.0) -> None:
        """End the engine: politely first, then by force. Safe to call twice."""
        self._stopping = True
        if not self._is_open:
            return
        with suppress(EngineDied):
            self.send(Shutdown())
        self._outbox.put(None)
        if not self._transport.wait(timeout):
            self._transport.kill()
            self._transport.wait()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout)

    def kill(self, why: EngineDied) -> None:
        """End it at once, as a crash would; ``on_exit`` follows with ``why`` and the end of the log."""
        self._ended_because = why
        if self._is_open:
            self._transport.kill()

    def _put(self, command: Command, blob: bytes = b"") -> None:
        data = codec.encode(command, blob)
        self._outbox.put(lambda: data)

    def _write(self) -> None:
        """Send what is in the outbox, then close the engine's input."""
        sink = self._transport.sink
        with suppress(OSError, ValueError):
            while (make := self._outbox.get()) is not None:
                _write_all(sink, make())
        with suppress(OSError):
            sink.close()

    def _read(self) -> None:
        source = self._transport.source
        try:
            while (frame := codec.read_frame(source)) is not None:
                self._hear(codec.decode_event(frame[0]), frame[1])
        except ProtocolError as error:
            self._protocol_error = error
        except (OSError, ValueError):
            pass  # the stream closed under the reader: how it ended says why
        if self._protocol_error is not None or self._ended_because is not None:
            self._transport.kill()
        self._transport.wait()
        source.close()
        self._outbox.put(None)
        for received in self._received.values():
            received.discard()
        self._on_exit(None if self._stopping else self._death())

    def _hear(self, event: Event, blob: bytes) -> None:
        match event:
            case EngineHello():
                self._greet(event)
            case _ if not self._greeted:
                self._refuse(EngineDied("The engine does not say its version, as every Laterna does now.", SAME))
            case AssetWanted():
                self._outbox.put(lambda: codec.encode(*self._offered.answer(event)))
            case ResultChunk(job, index):
                if job in self._received:
                    self._received[job].add(index, blob)
            case JobFinished() | JobFailed() | JobCancelled():
                self._offered.forget(event.job)
                received = self._received.pop(event.job, None)
                self._on_event(believed(event) if received is None else received.ended(event), blob)
            case _:
                self._on_event(event, blob)

    def _greet(self, hello: EngineHello) -> None:
        if hello.protocol != PROTOCOL:
            self._refuse(
                EngineDied(
                    f"The engine is Laterna {hello.version}, with version {hello.protocol} of the protocol; the window"
                    f" is Laterna {VERSION}, with version {PROTOCOL}.",
                    SAME,
                )
            )
        self._greeted = True

    def _refuse(self, why: EngineDied) -> NoReturn:
        """Read nothing more of what it says; ``on_exit`` follows."""
        why.is_final = True
        self._ended_because = why
        raise OSError(why.message)

    def _death(self) -> EngineDied:
        error = self._cause(self._transport.was_killed())
        error.detail = self._transport.epitaph()
        return error

    def _cause(self, was_killed: bool) -> EngineDied:
        if self._protocol_error is not None and was_killed:
            said = self._protocol_error.message
            return EngineDied(f"The engine stopped: it sent something that is no message ({said}).", self._remedy)
        if self._ended_because is not None:
            return self._ended_because
        if not was_killed:
            return EngineDied("The engine crashed.", self._remedy)
        error = EngineDied("The engine stopped unexpectedly (the system may have run out of memory).", self._remedy)
        error.memory_suspected = True
        return error


def _write_all(stream: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = stream.write(view)
        view = view[written or 0 :]
