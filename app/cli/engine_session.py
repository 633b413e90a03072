"""An engine for one command: started, asked, and ended with it."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from app.cli.output import ProgressLine
from engine.jobs import assets
from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LocalProcess
from engine.protocol import commands, events
from engine.protocol.assets import Asset
from engine.protocol.derivation import Derivation
from engine.protocol.errors import Cancelled, LaternaError, from_info
from engine.protocol.recipe import Recipe

STAGE_NAMES = {
    "waiting": "Waiting",
    "loading": "Loading the model",
    "encoding": "Reading the prompt",
    "denoising": "Denoising",
    "working": "Working",
    "decoding": "Decoding",
    "enlarging": "Enlarging",
    "saving": "Saving",
}


class EngineSession:
    """Runs jobs one after another in an engine of its own; raises what the engine reports.

    ``device`` and ``memory`` are what it told last; ``resumed``: whether the last job went on from a checkpoint.
    """

    def __init__(self, log_file: Path, progress: ProgressLine, command: list[str] | None = None) -> None:
        self._messages: queue.Queue[events.Event | LaternaError | None] = queue.Queue()
        self._progress = progress
        self.device: events.DeviceInfo | None = None
        self.memory: events.MemoryChanged | None = None
        self.resumed = False
        self._stage = "denoising"
        self._engine = EngineConnection(
            on_event=lambda event, blob: self._messages.put(event),
            on_exit=self._messages.put,
            transport=LocalProcess(log_file, command),
            remedy=f"What it said last is in {log_file}.",
        )

    def __enter__(self) -> EngineSession:
        self._engine.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.end()
        self._engine.shutdown(timeout=2.0 if kind else 5.0)

    def wait_ready(self) -> None:
        """Until the engine has told of its device and its memory."""
        while self.device is None or self.memory is None:
            self._hear(self._messages.get())

    def generate(
        self,
        recipe: Recipe,
        model_folder: Path,
        output_folder: Path,
        stem: str,
        cache_folder: Path | None,
        label: str = "",
        adapter_files: Sequence[Path] = (),
        a1111_parameters: bool = False,
        checkpoint: Path | None = None,
        footprints_folder: Path | None = None,
        previews_folder: Path | None = None,
        compile: commands.CompileWish = "never",
        compile_folder: Path | None = None,
        input_files: Sequence[Path] = (),
        network: Asset | None = None,
    ) -> events.JobFinished:
        """Run one job to its end, from its ``checkpoint`` on if there is one. Ctrl-C cancels it, which leaves a
        checkpoint, and raises ``Cancelled``."""
        job, self.resumed = uuid.uuid4().hex, False
        return self._run(
            commands.Generate(
                job=job,
                recipe=recipe,
                model_folder=str(model_folder),
                output_folder=str(output_folder),
                file_stem=stem,
                preview_interval=-1.0,
                cache_folder=str(cache_folder or ""),
                adapter_files=assets.of(recipe.adapters, adapter_files),
                input_files=assets.of(recipe.inputs, input_files),
                a1111_parameters=a1111_parameters,
                checkpoint=str(checkpoint) if checkpoint else "",
                footprints_folder=str(footprints_folder) if footprints_folder else "",
                previews_folder=str(previews_folder) if previews_folder else "",
                compile=compile,
                compile_folder=str(compile_folder) if compile_folder else "",
                network_file=network,
            ),
            label,
        )

    def derive(
        self,
        derivation: Derivation,
        source: Path,
        output_folder: Path,
        stem: str,
        recipe: Recipe | None,
        checkpoint: Path | None = None,
        network: Asset | None = None,
    ) -> events.JobFinished:
        """As ``generate``, for a job that makes something from something."""
        job, self.resumed = uuid.uuid4().hex, False
        saved = str(checkpoint) if checkpoint else ""
        command = commands.Derive(
            job,
            derivation,
            assets.one(source, derivation.source.sha256),
            str(output_folder),
            stem,
            recipe,
            saved,
            network,
        )
        return self._run(command)

    def _run(self, command: commands.JobCommand, label: str = "") -> events.JobFinished:
        self._engine.send(command)
        try:
            return self._wait(command.job, label)
        except KeyboardInterrupt:
            self._engine.send(commands.Cancel(command.job))
            self._wait(command.job, label)
            raise

    def _wait(self, job: str, label: str) -> events.JobFinished:
        while True:
            message = self._messages.get()
            if isinstance(message, events.JobFinished) and message.job == job:
                return message
            if isinstance(message, events.JobCancelled) and message.job == job:
                raise Cancelled("Cancelled.")
            if isinstance(message, events.JobFailed) and message.job == job:
                raise from_info(message.error)
            self._hear(message, label)

    def _hear(self, message: events.Event | LaternaError | None, label: str = "") -> None:
        """Note and show what is said besides the end of a job. Raises what went wrong."""
        if isinstance(message, LaternaError):
            raise message
        match message:
            case events.CommandRefused(error):
                raise from_info(error)
            case events.EngineReady():
                self.device = message.device
            case events.MemoryChanged():
                self.memory = message
            case events.EngineWarming(what):
                self._progress.show(what)
            case events.JobResumed(_job, step, steps):
                self.resumed = True
                self._progress.show(f"{label}Going on from step {step} of {steps}")
            case events.ResumeRefused():
                self._progress.show(message.error.message)
            case events.PlanLowered() | events.JobNoted():
                self._progress.show(message.message)
            case events.StageChanged():
                self._stage = "working" if message.stage == "working" else "denoising"
                self._progress.show(label + STAGE_NAMES.get(message.stage, message.stage), message.fraction)
            case events.StepDone():
                done, told = message.step / message.steps, f"step {message.step} of {message.steps}"
                self._progress.show(label + STAGE_NAMES[self._stage], done, message.seconds_left, told)
