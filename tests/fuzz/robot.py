"""A process that damages files and runs every command that reads them, in itself, under a limit of memory.

``python -m tests.fuzz.robot FOLDER SEED FIRST LAST STEP``: cases FIRST, FIRST + STEP … below LAST. Each is announced on
the standard output before it begins, so that whoever started this knows where it hangs, and each failure is told as a
line of JSON.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

import msgspec
import numpy as np
import torch

import app.paths
from app.__main__ import main
from app.cli.engine_session import EngineSession
from app.settings import Settings, SettingsFile
from engine.derive.sources import origin_of, reader_of
from engine.library.library import Library
from engine.library.marks import MarkChange
from engine.media.environment import Environment
from engine.media.masks import read_mask
from engine.media.save import save_image
from engine.models.catalog import MINI_IMAGE
from engine.protocol import events
from engine.protocol.errors import LaternaError
from engine.protocol.recipe import Recipe
from engine.worker.adapters.lora_file import read_lora
from engine.worker.checkpoint import Checkpoint, CheckpointRefused
from engine.worker.failures import named as failure
from engine.worker.pictures import read_content, read_picture
from engine.worker.sampling.base import SamplerState
from engine.worker.upscaling.convert import convert, import_spandrel
from resources import MODELS
from tests.fuzz import mutations
from tests.fuzz.samples import Sample, samples
from ui.draft import Draft

MOST_SECONDS = 5.0
MOST_BYTES = 512 * 2**20
CONVERTER = "engine.worker.upscaling.convert"
FACTS: dict[str, Any] = dict.fromkeys(
    ("format", "laterna", "stack", "recipe", "model", "device", "conditioning", "plan"), "x"
) | {"memory_level": 0}
DEVICE = events.DeviceInfo("cpu", "CPU", 2**34)
RAM = events.MemoryChanged(2**30, 2**34, 2**32)


GENERATE, DERIVE = inspect.signature(EngineSession.generate), inspect.signature(EngineSession.derive)


class Engine:
    """In place of an engine's process: reads every file that a job brings, as that does, and makes a black picture."""

    def __init__(self, *_arguments: object) -> None:
        self.device, self.memory, self.resumed = DEVICE, RAM, False

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def wait_ready(self) -> None:
        pass

    def generate(self, *given: Any, **named: Any) -> events.JobFinished:
        known = GENERATE.bind(self, *given, **named).arguments
        for path in known.get("adapter_files", ()):
            read_lora(Path(path))
        for one, path in zip(known["recipe"].inputs, known.get("input_files", ()), strict=True):
            if one.role == "mask":
                read_mask(read_content(Path(path)), Path(path), (64, 64))
            else:
                read_picture(Path(path), 64, 64)
        with contextlib.suppress(CheckpointRefused):
            Checkpoint(known.get("checkpoint"), FACTS, 0.01).load(torch.device("cpu"), (1, 16, 8, 8))
        return self._made(known["recipe"], known["output_folder"], known["stem"])

    def derive(self, *given: Any, **named: Any) -> events.JobFinished:
        known = DERIVE.bind(self, *given, **named).arguments
        source = known["source"]
        for _frame in reader_of(source, origin_of(source).medium, lambda: None)(0):
            pass
        return self._made(known["recipe"], known["output_folder"], known["stem"])

    def _made(self, recipe: Recipe | None, folder: Path, stem: str) -> events.JobFinished:
        path = folder / f"{stem}.png"
        made = save_image(np.zeros((8, 8, 3), np.uint8), path, recipe or Recipe("sd35", MINI_IMAGE), Environment())
        return events.JobFinished("job", (events.OutputFile(str(path), str(made)),), {"denoising": 1.0})


class Home:
    """A home with a library, settings, marks, an unfinished job and its checkpoint; made once, copied for each case."""

    def __init__(self, folder: Path) -> None:
        self.sound, self.folder = folder / "sound", folder / "home"
        output = self.sound / "output"
        output.mkdir(parents=True)
        for number in range(12):
            recipe = Recipe("sd35", MINI_IMAGE, prompt=f"a red cat {number}", seed=number)
            save_image(np.full((8, 8, 3), number, np.uint8), output / f"{number}.png", recipe, Environment())
        library = Library(self.path("data", "library.sqlite3"), output)
        library.reconcile()
        library.mark(list(library.ids())[:6], MarkChange(favourite=True, rating=3, add_tags=("red", "cat")))
        library.close()
        settings = Settings(theme="dark", drafts={"image": Draft(Recipe("sd35", MINI_IMAGE, prompt="a cat"))})
        SettingsFile(self.path("config", "settings.json")).save(settings)
        for name in ("laterna.json", "model_index.json"):
            shutil.copyfile(MODELS / MINI_IMAGE / name, self.path("data", "models", "mine", name))
        run("--home", str(self.sound), "generate", "--prompt", "a red apple", "--seed", "5")
        self._unfinished()

    def path(self, *parts: str) -> Path:
        path = self.sound.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _unfinished(self) -> None:
        """What a kill leaves: ``Engine`` is interrupted behind a step."""
        folder = app.paths.Paths.find(str(self.sound)).unfinished

        def interrupted(*_: Any, **named: Any) -> None:
            raise KeyboardInterrupt

        usual, EngineSession.generate = EngineSession.generate, interrupted  # type: ignore[method-assign]
        run("--home", str(self.sound), "generate", "--prompt", "a red apple", "--seed", "6")
        EngineSession.generate = usual  # type: ignore[method-assign]
        notes = next(folder.glob("*.json"))
        saving = Checkpoint(folder / f"{notes.stem}-0.safetensors", FACTS, 1.0)
        saving.reached(SamplerState(3, torch.zeros(1, 16, 8, 8), torch.Generator("cpu")), 8)
        saving.save()

    def fresh(self) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.sound, self.folder)
        return self.folder

    def samples(self) -> list[Sample]:
        """The home's own files, by their place in it."""
        found = []
        for path in sorted(self.sound.rglob("*")):
            place = path.relative_to(self.sound).as_posix()
            if not path.is_file() or path.suffix in (".png", ".log") or path.stat().st_size > 2**24:
                continue
            kind, damage = "home", mutations.damaged
            if path.suffix in (".json", ".copy"):
                damage = mutations.damaged_json
            elif path.suffix == ".jsonl":
                damage = mutations.damaged_text
            elif path.suffix == ".safetensors":
                damage = mutations.damaged_safetensors
            found.append(Sample(kind, place, path.read_bytes(), damage))
        return found


def commands(kind: str, file: Path, out: Path) -> Iterator[list[str]]:
    name, target = str(file), str(out / "out")
    if kind in ("media", "text"):
        yield ["recipe", name]
        yield ["recipe", name, "--json"]
        yield ["workflow", name]
        yield ["workflow", "export", name, "--out", target + ".json"]
        yield ["workflow", "export", name, "--out", target + ".png"]
        yield ["generate", "--recipe", name, "--out", target + ".png", "--json"]
    if kind == "media":
        yield ["library", "add", name]
        yield ["library", "search", "cat", "--json"]
        yield ["upscale", name, "--out", target + ("2.mp4" if file.suffix == ".mp4" else "2.png")]
        yield ["generate", "--prompt", "a cat", "--picture", name, "--out", target + "3.png"]
        yield ["generate", "--prompt", "a cat", "--picture", name, "--mask", name, "--out", target + "4.png"]
        yield ["reproduce", name]
    if kind == "weights":
        yield ["models", "import", name, "--dry-run"]
        yield ["models", "import", name, "--json"]
        yield ["models", "list"]
        yield ["plan", "--model", name]
        yield ["generate", "--prompt", "a cat", "--lora", name, "--out", target + ".png"]
        yield ["generate", "--prompt", "a cat", "--model", name, "--out", target + "2.png"]
    if kind == "home":
        yield ["library", "search"]
        yield ["library", "search", "red", "cat"]
        yield ["library", "check"]
        yield ["library", "add", str(out / "home" / "output" / "1.png")]
        yield ["generate", "--resume"]
        yield ["generate", "--prompt", "a red apple", "--seed", "7"]
        yield ["models", "list"]
        yield ["library", "rebuild"]
        yield ["library", "check", "--json"]


def run(*arguments: str) -> tuple[int | str, str]:
    """The exit code and what was said on stderr; instead of a code what was raised."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code: int | str = main(list(arguments))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 2
    except BaseException:
        code = traceback.format_exc()[-3000:]
    return code, err.getvalue()


def wrong_with(code: int | str, said: str, seconds: float) -> str:
    if isinstance(code, str):
        return code
    if code == 1 or "Traceback" in said:
        return said[-3000:]
    if seconds > MOST_SECONDS:
        return f"it computed for {seconds:.1f} s"
    if len(said) > 20_000:
        return f"it said {len(said)} characters: {said[:300]}"
    return ""


def limit_memory() -> None:
    """Beyond what this process has mapped by now."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MOST_BYTES, resource.RLIM_INFINITY))


def tell(**what: Any) -> None:
    sys.__stdout__.write(json.dumps(what) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def case(number: int, seed: int, groups: dict[str, list[Sample]], home: Home, folder: Path) -> None:
    rng = Random(f"{seed} {number}")
    group = groups[sorted(groups)[number % len(groups)]]
    sample, other = rng.choice(group), rng.choice(group)
    content = sample.damage(sample.content, rng, other.content)
    tell(case=number, name=sample.name)
    here = home.fresh()
    if sample.kind == "home":
        file = here / sample.name
    else:
        file = folder / "case" / sample.name
        file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    for arguments in commands(sample.kind, file, folder):
        began = time.process_time()
        code, said = run("--home", str(here), *arguments)
        wrong = wrong_with(code, said, time.process_time() - began)
        if wrong:
            kept = folder / "failed" / f"{number}-{Path(sample.name).name}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(content)
            tell(
                failed=number,
                name=sample.name,
                command=[one for one in arguments if len(one) < 200],
                wrong=wrong,
                kept=str(kept),
            )
            break
    for left in folder.glob("out*"):
        left.unlink()


def groups_of(found: list[Sample]) -> dict[str, list[Sample]]:
    """By what they are, so that each kind of file gets as many cases."""
    groups: dict[str, list[Sample]] = {}
    for sample in found:
        ending = Path(sample.name).suffix.lower()
        groups.setdefault(f"{sample.kind} {ending}", []).append(sample)
    return groups


def prepare() -> None:
    """What would start other processes or load models stays out; what every command loads is loaded."""
    torch.set_num_threads(1)
    for name, method in vars(Engine).items():
        if callable(method):
            setattr(EngineSession, name, method)  # wherever it was imported
    import_spandrel()
    usual: Callable[..., Any] = subprocess.run

    def here(command: Any, *rest: Any, **named: Any) -> Any:
        """Laterna's own processes: the converter in this one, the simulation of networks not at all."""
        if not isinstance(command, list) or command[:1] != [sys.executable]:
            return usual(command, *rest, **named)
        code, said = converted(command[3:5]) if CONVERTER in command else (1, "")
        return subprocess.CompletedProcess(command, code, *((said, "") if named.get("text") else (said.encode(), b"")))

    subprocess.run = here  # type: ignore[assignment]


def converted(arguments: list[str]) -> tuple[int, str]:
    """What ``engine.worker.upscaling.convert`` prints, without its hook against starting programs."""
    try:
        with torch.no_grad():
            facts = convert(Path(arguments[0]), Path(arguments[1]))
    except LaternaError as error:
        return 2, msgspec.json.encode(error.info()).decode()
    except Exception as error:
        return 2, msgspec.json.encode(failure(error).info()).decode()
    return 0, msgspec.json.encode(facts).decode()


def robot(folder: Path, seed: int, first: int, last: int, step: int) -> None:
    prepare()
    folder.mkdir(parents=True, exist_ok=True)
    home = Home(folder)
    groups = groups_of([*samples(folder), *home.samples()])
    number = first
    for group in groups.values():  # each sound file once: what is loaded at first is no case's
        for arguments in commands(group[0].kind, folder / "case" / group[0].name, folder):
            (folder / "case").mkdir(exist_ok=True)
            here = home.fresh()
            if group[0].kind != "home":
                (folder / "case" / group[0].name).write_bytes(group[0].content)
            code, said = run("--home", str(here), *arguments)
            if wrong := wrong_with(code, said, 0.0):
                tell(failed=-1, name=group[0].name, command=arguments, wrong=wrong, kept="")
    for left in folder.glob("out*"):
        left.unlink()
    gc.collect()
    limit_memory()
    while number < last:
        case(number, seed, groups, home, folder)
        number += step
    tell(done=True, peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    os.environ.pop("HF_TOKEN", None)
    robot(Path(sys.argv[1]), *map(int, sys.argv[2:6]))
