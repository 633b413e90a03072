"""A stand-in for ``python -m engine.worker`` that starts in a fraction of a second and does as the prompt says.

It speaks the real protocol and writes real files with the real recipe inside. Words in the prompt direct it:

    crash     dies by SIGKILL in the middle of denoising (``crash-once``: only until the file beside ``--state`` exists)
    garbage   writes bytes that are no message, in the middle of denoising
    hang      stops answering in the middle of denoising, cancels and shutdown included (``hang-once`` as above)
    deadlock  goes on answering in the middle of denoising, but does nothing any more
    lie       says that it saved a file which is not there
    fail      answers ``JobFailed`` (OutOfMemory) in the middle of denoising
    cramped   says in the middle of denoising that memory ran out, and goes on
    bare      says in the middle of denoising that there is no compiler, and goes on
    full      answers ``JobFailed`` (NoSpace) when saving
    slow      takes 0.5 s for each step instead of ``--step-seconds``

A job with a checkpoint keeps the number of its steps done in it, and goes on from there.

``--script FILE`` is a JSON object whose keys are the options below with ``_`` for ``-`` (``{"step_seconds": 0.1}``).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import queue
import signal
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PIL import Image

from engine.media import atomic, png, tags
from engine.media.environment import Environment
from engine.media.pixels import pixels_sha256
from engine.media.save import save_image, save_video
from engine.protocol import codec, commands, events
from engine.protocol.errors import BadFile, LaternaError, NoSpace, OutOfMemory
from engine.protocol.version import PROTOCOL, VERSION

PREVIEW_SIDE = 96
NOTED = "Models are not compiled: a C++ compiler is missing on this computer."
LOWERED = "Memory ran out while denoising. The job goes on from there with less of it: block streaming."


class Stopped(Exception):
    """The job in hand is to end now."""


class FakeEngine:
    """Reads commands from ``stdin`` on a thread of its own, so that a cancel is heard during a job."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._out = os.fdopen(os.dup(1), "wb", 0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._commands: queue.Queue[commands.Command] = queue.Queue()
        self._cancelled: set[str] = set()
        self._wake = threading.Event()
        self._hanging = False
        self._busy = threading.Event()
        self._work = 0
        self._out_lock = threading.Lock()

    def main(self) -> None:
        started = time.perf_counter()
        self._tell(events.EngineHello(PROTOCOL, VERSION))
        self._tell(events.EngineWarming("Loading PyTorch"))
        if self._options.die_at_start:
            sys.exit(3)
        time.sleep(self._options.warm_seconds)
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        versions = {"python": platform.python_version(), "torch": "0.0 (fake)", "diffusers": "0.0 (fake)"}
        device = events.DeviceInfo("cpu", "Fake CPU", 8 << 30)
        self._tell(events.EngineReady(device, versions, 1, time.perf_counter() - started))
        self._tell(events.MemoryChanged(200 << 20, 16 << 30, 4 << 30))
        while True:
            match self._commands.get():
                case commands.Generate() as command:
                    self._busy.set()
                    self._generate(command)
                    self._busy.clear()
                case commands.Derive() as command:
                    self._busy.set()
                    self._derive(command)
                    self._busy.clear()
                case commands.Preload(model_folder):
                    self._tell(events.Preloaded(model_folder))
                case commands.Ping(token):
                    self._tell(events.Pong(token))
                case commands.Shutdown():
                    os._exit(0)  # the listening thread holds stdin: an orderly exit would wait for it

    def _listen(self) -> None:
        while (frame := codec.read_frame(sys.stdin.buffer)) is not None:
            if self._hanging:
                continue
            command = codec.decode_command(frame[0])
            if isinstance(command, commands.Cancel):
                self._cancelled.add(command.job)
            elif isinstance(command, commands.Shutdown):
                self._cancelled.add("")
            self._wake.set()
            self._commands.put(command)
        os._exit(0)

    def _beat(self) -> None:
        while True:
            self._busy.wait()
            if not self._hanging:
                self._tell(events.Pulse(self._work, time.process_time()))
            time.sleep(0.05)

    def _derive(self, command: commands.Derive) -> None:
        """A picture of one colour that says what it was asked for."""
        pixels = np.zeros((16, 16, 3), np.uint8)
        said = command.derivation.for_files().to_json()
        texts = {tags.DERIVATION: said, tags.PIXELS_SHA256: pixels_sha256(pixels)}
        if command.recipe is not None:
            texts[tags.RECIPE] = command.recipe.to_json()
        self._tell(events.JobStarted(command.job))
        self._tell(events.StageChanged(command.job, "working", 0.5))
        path = Path(command.output_folder) / f"{command.file_stem}.png"
        path.write_bytes(png.encode(pixels, texts))
        file = events.OutputFile(str(path), texts[tags.PIXELS_SHA256])
        self._tell(events.JobFinished(command.job, (file,), {"working": 0.1}))

    def _generate(self, command: commands.Generate) -> None:
        job, recipe = command.job, command.recipe
        self._level = command.memory_level
        self._cancelled.discard(job)
        seconds: dict[str, float] = {}
        self._tell(events.JobStarted(job))
        self._done = self._resume(command)
        try:
            for stage in ("loading", "encoding", "denoising", "decoding", "saving"):
                began = time.perf_counter()
                self._tell(events.StageChanged(job, stage, 0.0))
                if stage == "denoising":
                    self._denoise(command)
                else:
                    self._pause(job, self._options.stage_seconds)
                seconds[stage] = time.perf_counter() - began
            if "full" in recipe.prompt.split():
                raise NoSpace("The disk is full: saving the picture failed.", "Free some space.")
            files = tuple(self._save(command, index) for index in range(recipe.batch))
            if "lie" in recipe.prompt.split():
                Path(files[0].path).unlink()
            if command.checkpoint:
                Path(command.checkpoint).unlink(missing_ok=True)
            self._tell(events.JobFinished(job, files, seconds, 123 << 20))
        except Stopped:
            self._tell(events.JobCancelled(job))
        except LaternaError as error:
            self._tell(events.JobFailed(job, error.info()))

    def _denoise(self, command: commands.Generate) -> None:
        job, recipe = command.job, command.recipe
        words = recipe.prompt.split()
        pause = 0.5 if "slow" in words else self._options.step_seconds
        done = self._done
        for step in range(done + 1, recipe.steps + 1):
            self._pause(job, pause)
            self._work += 1
            self._keep(command, step)
            self._tell(events.StepDone(job, step, recipe.steps, pause, pause * (recipe.steps - step)))
            if command.preview_interval >= 0:
                self._preview(command, step)
            if step == max(done + 1, (recipe.steps + 1) // 2):
                self._misbehave(job, words)

    def _resume(self, command: commands.Generate) -> int:
        file = Path(command.checkpoint or "/nowhere")
        if not file.is_file():
            return 0
        try:
            step = int(file.read_bytes().split(b'step\\": ')[1].split(b",")[0])
        except (IndexError, ValueError):
            error = BadFile("The saved state of this job is not used: it is damaged.", "The job starts over.")
            self._tell(events.ResumeRefused(command.job, error.info()))
            return 0
        self._tell(events.JobResumed(command.job, step, command.recipe.steps))
        return step

    def _keep(self, command: commands.Generate, step: int) -> None:
        """A checkpoint with the real one's header and nothing else."""
        if command.checkpoint:
            header = {"laterna.checkpoint": json.dumps({"step": step, "steps": command.recipe.steps})}
            text = json.dumps({"__metadata__": header}).encode()
            atomic.write_bytes(Path(command.checkpoint), struct.pack("<Q", len(text)) + text, durable=False)
            self._tell(events.CheckpointSaved(command.job, step, command.recipe.steps, len(text)))

    def _misbehave(self, job: str, words: list[str]) -> None:
        if "crash" in words or ("crash-once" in words and self._first_time()):
            print(f"fake engine: about to crash at memory level {self._level}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if "garbage" in words:
            self._out.write(b"this is no message, whatever it may be")
        if "deadlock" in words:
            threading.Event().wait()
        if "hang" in words or ("hang-once" in words and self._first_time()):
            self._hanging = True
            threading.Event().wait()
        if "cramped" in words:
            self._tell(events.PlanLowered(job, "denoising", LOWERED))
        if "bare" in words:
            self._tell(events.JobNoted(job, NOTED))
        if "fail" in words:
            raise OutOfMemory("The job needs 99 GB, and 8 GB are free.", "Choose a smaller size.")

    def _first_time(self) -> bool:
        marker = Path(self._options.state)
        if marker.exists():
            return False
        marker.touch()
        return True

    def _preview(self, command: commands.Generate, step: int) -> None:
        recipe = command.recipe
        scale = PREVIEW_SIDE / max(recipe.width, recipe.height)
        width, height = max(1, round(recipe.width * scale)), max(1, round(recipe.height * scale))
        frames = min(recipe.frames, 4)
        row = np.concatenate([picture(width, height, recipe.seed, step / recipe.steps + n) for n in range(frames)], 1)
        buffer = io.BytesIO()
        Image.fromarray(row).save(buffer, "JPEG", quality=80)
        self._tell(events.PreviewReady(command.job, step, width, height, frames), buffer.getvalue())

    def _save(self, command: commands.Generate, index: int) -> events.OutputFile:
        recipe = command.recipe
        video = recipe.family == "cogvideox"
        tail = f"_{index + 1}" if index else ""
        path = Path(command.output_folder) / f"{command.file_stem}{tail}{'.mp4' if video else '.png'}"
        environment = Environment.current("Fake CPU")
        size = recipe.width, recipe.height, recipe.seed + index
        if video:
            frames = np.stack([picture(*size, number / recipe.frames) for number in range(recipe.frames)])
            digest = save_video(frames, path, recipe.fps, recipe, environment)
        else:
            digest = save_image(picture(*size, 0.0), path, recipe, environment)
        return events.OutputFile(str(path), digest, index)

    def _pause(self, job: str, seconds: float) -> None:
        """Work for ``seconds``; raises ``Stopped`` as soon as the job is cancelled."""
        end = time.monotonic() + seconds
        while True:
            if job in self._cancelled or "" in self._cancelled:
                raise Stopped
            left = end - time.monotonic()
            if left <= 0:
                return
            self._wake.wait(left)
            self._wake.clear()

    def _tell(self, event: events.Event, blob: bytes = b"") -> None:
        with self._out_lock:
            self._out.write(codec.encode(event, blob))


def picture(width: int, height: int, seed: int, phase: float) -> np.ndarray:
    """A square whose colour comes from ``seed`` and whose place from ``phase``, on a gradient; [H, W, 3] uint8."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 96)], axis=-1).astype(np.uint8)
    side = max(2, min(width, height) // 3)
    left = int((phase % 1.0) * max(1, width - side))
    top = (height - side) // 2
    image[top : top + side, left : left + side] = [(seed * factor) % 256 for factor in (37, 101, 197)]
    return image


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--script", default="")
    parser.add_argument("--warm-seconds", type=float, default=0.0)
    parser.add_argument("--stage-seconds", type=float, default=0.0)
    parser.add_argument("--step-seconds", type=float, default=0.01)
    parser.add_argument("--die-at-start", action="store_true")
    parser.add_argument("--state", default="")
    found = parser.parse_args()
    if found.script:
        vars(found).update(json.loads(Path(found.script).read_text()))
    return found


if __name__ == "__main__":
    FakeEngine(options()).main()
