"""Runs the robot, kills it and its engine at random moments, and keeps the list of what was promised."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from app.paths import Paths
from engine.media.environment import Environment
from engine.media.save import save_image
from tests.fakes.recipes import picture_recipe

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("engine", "window", "both")
ENGINE_SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
WORK_SHARE = 0.58
STAGES = ("loading", "encoding", "denoising", "denoising", "decoding", "decoding", "saving", "ended")
EARLY_SECONDS = 2.0
LATE_SECONDS = 0.3
START_SECONDS = 180.0
MOST_ENDED = 3
WAITING = "waiting"
OLD_SEEDS = range(1, 13)
PROGRAM = "program"
PARTS = ("app", "engine", "ui", "tests/crash")


@dataclass
class Promises:
    """What the robot said: ``tried`` may have happened, the others must have."""

    tried: set[int] = field(default_factory=set)
    queued: set[int] = field(default_factory=set)
    ended: Counter[tuple[int, str]] = field(default_factory=Counter)
    marking: dict[str, list[int]] = field(default_factory=dict)
    marked: dict[str, list[int]] = field(default_factory=dict)
    interrupted: set[int] = field(default_factory=set)
    running: int | None = None
    bugs: list[str] = field(default_factory=list)

    def hear(self, line: dict[str, Any]) -> None:
        match line["what"]:
            case "adding":
                self.tried.update(line["seeds"])
            case "queued":
                self.queued.update(line["seeds"])
            case "progress":
                self.running = line["seed"] if line["stage"] != WAITING else None
            case "ended":
                self.running = None
                self.ended[line["seed"], line["state"]] += 1
            case "marking" | "marked" as what:
                for name in line["names"]:
                    (self.marking if what == "marking" else self.marked).setdefault(name, []).append(line["number"])
            case "bug" | "failed" as what:
                self.bugs.append(f"{what}: {line['message']}")


class Session:
    """One start of the robot over a home of ``make_home``; ``heard`` is set by each line that it prints."""

    def __init__(self, home: Path, seed: int, promises: Promises, *options: str) -> None:
        """``options`` are the robot's."""
        program = home / PROGRAM
        self.promises = promises
        self.lines: list[dict[str, Any]] = []
        self.heard = threading.Condition()
        environment = os.environ | {
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": str(program),
            "XDG_DATA_HOME": str(home / "xdg"),
        }
        self._stderr = (home / "robot.log").open("ab")
        robot = str(program / "tests" / "crash" / "robot.py")
        self.process = subprocess.Popen(
            [sys.executable, robot, str(home), "--seed", str(seed), *options],
            env=environment,
            cwd=program,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.endswith("}\n"):
                continue  # cut off by the kill
            with self.heard:
                self.lines.append(json.loads(line))
                self.promises.hear(self.lines[-1])
                self.heard.notify_all()
        with self.heard:
            self.heard.notify_all()

    def wait_for(self, test: Callable[[dict[str, Any]], bool], seconds: float, since: int = 0) -> bool:
        """Wait for a line; False where the process ended or the time is over."""
        end = time.monotonic() + seconds
        with self.heard:
            while not any(map(test, self.lines[since:])):
                left = end - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    return False
                self.heard.wait(min(left, 1.0))
        return True

    def engines(self) -> list[psutil.Process]:
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [child for child in children if _is_engine(child)]

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.process.wait(60)
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._stderr.close()


def make_home(home: Path) -> Paths:
    """Laterna's folders, with some pictures that are there from the start, and a trash for their file system.

    The program is copied into it: many minutes of starts are all of the same one, whatever is edited meanwhile.
    """
    for name in PARTS:
        shutil.copytree(ROOT / name, home / PROGRAM / name)
    (home / PROGRAM / "resources").symlink_to(ROOT / "resources")
    paths = Paths.find(str(home))
    for seed in OLD_SEEDS:
        recipe = picture_recipe(prompt=f"old {seed}", seed=seed)
        save_image(np.full((16, 16, 3), seed, np.uint8), paths.output / f"old-{seed}.png", recipe, Environment())
    (home / "xdg" / "Trash").mkdir(parents=True)
    return paths


@dataclass
class Result:
    """``moments`` counts what the engine was at when it was killed."""

    kills: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    ended_by_themselves: list[str] = field(default_factory=list)
    seconds: float = 0.0


def kill_at_random(home: Path, kills: int, seed: int, promises: Promises, result: Result) -> None:
    """Start Laterna with the robot, and kill one of the processes or both at some moment, ``kills`` times."""
    chance = random.Random(seed)
    began = time.monotonic()
    session: Session | None = None
    starts = 0
    try:
        while sum(result.kills.values()) < kills and len(result.ended_by_themselves) < MOST_ENDED:
            if session is None:
                starts += 1
                session = Session(home, starts, promises)
            _wait_for_a_moment(session, chance)
            if session.process.poll() is not None:
                session.close()
                # Told at the end: what is lost then matters too.
                result.ended_by_themselves.append(last_words(home, session.process.returncode))
                session = None
                continue
            target = chance.choice(TARGETS)
            result.kills[target] += 1
            result.moments[_moment(session)] += 1
            if promises.running is not None:
                promises.interrupted.add(promises.running)
                promises.running = None
            engines = session.engines()
            if target in ("engine", "both"):
                for engine in engines:
                    _signal(engine, chance.choice(ENGINE_SIGNALS))
            if target in ("window", "both"):
                session.kill()
                session = None
                _gone, alive = psutil.wait_procs(engines, timeout=5)
                result.orphans += len(alive)
    finally:
        if session is not None:
            session.kill()
    result.seconds = time.monotonic() - began


def last_words(home: Path, code: int | None) -> str:
    """The exit code of a window, and what it left behind."""
    trace = home / "logs" / "window-trace.log"
    said = trace.read_text("utf-8", "replace") if trace.exists() else ""
    return f"exit code {code}\n{said or (home / 'robot.log').read_text('utf-8', 'replace')[-2000:]}"


def _wait_for_a_moment(session: Session, chance: random.Random) -> None:
    """Mostly while the engine has a job in hand, in a stage that is drawn; else some time after the last kill."""
    if chance.random() < WORK_SHARE:
        stage = chance.choice(STAGES)
        session.wait_for(lambda line: stage_of(line) in (stage, "ended"), START_SECONDS, len(session.lines))
        time.sleep(chance.uniform(0, LATE_SECONDS))
    else:
        time.sleep(chance.uniform(0, EARLY_SECONDS))


def drain(home: Path, promises: Promises, seconds: float) -> None:
    """Start Laterna once more and let it finish everything."""
    session = Session(home, 1_000_000, promises, "--drain")
    try:
        assert session.wait_for(lambda line: line["what"] == "drained", seconds), "the queue never became empty"
        session.close()
    finally:
        if session.process.poll() is None:
            session.kill()
    assert session.process.returncode == 0


def stage_of(line: dict[str, Any]) -> str:
    """The stage that a job has reached, "ended", or nothing where the line says nothing of one."""
    if line["what"] == "ended":
        return "ended"
    return str(line["stage"]) if line["what"] == "progress" else ""


def _moment(session: Session) -> str:
    """The stage of the job in hand, "between jobs", or "start" where this engine had none yet."""
    last = next((stage for line in reversed(session.lines) if (stage := stage_of(line))), WAITING)
    return {WAITING: "start", "ended": "between jobs"}.get(last, last)


def kill_engines(session: Session, number: int = signal.SIGSEGV) -> None:
    for engine in session.engines():
        _signal(engine, number)


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):  # it died of an earlier one
        process.send_signal(number)


def _is_engine(process: psutil.Process) -> bool:
    try:
        return "engine.worker" in process.cmdline()
    except psutil.NoSuchProcess:
        return False
