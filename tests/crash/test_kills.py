"""Kill the engine, the window or both at random moments, again and again: afterwards nothing is lost.

The real processes and the models that ship, in two worlds at a time. 20 kills; with ``LATERNA_LONG_TESTS=1``
(``start.py test --long``) 200. ``LATERNA_CRASH_SEED`` repeats a run's choices, ``LATERNA_CRASH_REPORT`` names a file
for its figures.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import OLD_SEEDS, Promises, Result, drain, kill_at_random, make_home
from prompts import PROMPTS

from app.cli.engine_session import EngineSession
from app.cli.output import ProgressLine
from app.paths import EMBEDDED_MODELS, Paths
from engine.library.library import Library
from engine.library.naming import slug
from engine.media import metadata, pictures
from engine.media.frames import ClipReader
from engine.media.metadata import MediaInfo
from engine.protocol.recipe import Recipe

LONG = bool(os.environ.get("LATERNA_LONG_TESTS"))
KILLS = int(os.environ.get("LATERNA_CRASH_KILLS", "200" if LONG else "20"))
ALSO_COMPARED = 10 if LONG else 2
WORLDS = 2
MAX_ENGINE_DEATHS = 3


@dataclass
class World:
    """A Laterna of its own, what was promised in it, and what was done to it."""

    home: Path
    paths: Paths
    promises: Promises
    result: Result


def test_nothing_is_lost_whatever_is_killed_whenever(tmp_path: Path) -> None:
    seed = int(os.environ.get("LATERNA_CRASH_SEED") or random.randrange(1_000_000))
    print(f"LATERNA_CRASH_SEED={seed}")
    with ThreadPoolExecutor(WORLDS) as pool:
        worlds = list(pool.map(lambda n: live(tmp_path / f"home-{n}", seed + n), range(WORLDS)))
    report(seed, worlds)
    files = [everything_made(world.paths.output, world.home / "xdg" / "Trash" / "files") for world in worlds]
    states: list[str] = []
    for world, made in zip(worlds, files, strict=True):
        states += check(world, made)
    compared = check_pixels(worlds, files, tmp_path)
    report(
        seed,
        worlds,
        jobs=len(states),
        done=states.count("done"),
        set_aside_after_three_deaths=states.count("failed"),
        compared_with_an_uninterrupted_run=compared,
    )


def live(home: Path, seed: int) -> World:
    """Killed ``KILLS / WORLDS`` times, then left alone until everything is done."""
    world = World(home, make_home(home), Promises(), Result())
    kill_at_random(home, KILLS // WORLDS, seed, world.promises, world.result)
    drain(home, world.promises, 120 + 10 * len(world.promises.queued))
    return world


def check(world: World, files: dict[int, list[tuple[Path, MediaInfo]]]) -> list[str]:
    """Everything but the pixels; how the jobs ended."""
    promises, result = world.promises, world.result
    assert result.ended_by_themselves == []
    assert sum(result.kills.values()) == KILLS // WORLDS
    assert promises.queued, "no job was added: nothing was tested"
    assert promises.marked, "nothing was marked: nothing was tested"
    assert result.orphans == 0
    assert promises.bugs == []
    jobs = jobs_by_seed(world.paths.queue_database)
    check_jobs(promises, jobs, files)
    check_files(files)
    check_library(world.paths, promises)
    check_logs(world.paths.logs)
    return [state for rows in jobs.values() for state, _deaths in rows]


def jobs_by_seed(database: Path) -> dict[int, list[tuple[str, int]]]:
    """State and engine deaths of every job, by the seed of its recipe."""
    found: dict[int, list[tuple[str, int]]] = {}
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for recipe, state, deaths in connection.execute("SELECT recipe, state, engine_deaths FROM jobs"):
            found.setdefault(Recipe.from_json(recipe).seed, []).append((state, deaths))
    return found


def everything_made(*folders: Path) -> dict[int, list[tuple[Path, MediaInfo]]]:
    """All files in the library's folder and in the trash, by the seed of the recipe in them."""
    found: dict[int, list[tuple[Path, MediaInfo]]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.*")) if folder.is_dir() else ():
            if not path.name.startswith("."):
                info = metadata.read(path)
                assert info.recipe is not None, f"{path} has lost its recipe"
                found.setdefault(info.recipe.seed, []).append((path, info))
    return found


def check_jobs(promises: Promises, jobs: dict[int, list[tuple[str, int]]], files: dict[int, Any]) -> None:
    """Every queued job is there once, and done: with one file, or set aside after it was killed three times."""
    for seed in promises.queued:
        assert len(jobs.get(seed, [])) == 1, f"job {seed} is on the queue {len(jobs.get(seed, []))} times"
    assert set(jobs) <= promises.tried
    for seed, ((state, deaths),) in jobs.items():
        if state == "failed":
            assert deaths >= MAX_ENGINE_DEATHS, f"job {seed} failed"
        else:
            assert state == "done", f"job {seed} is {state}"
            assert len(files.get(seed, [])) == 1, f"job {seed} has {len(files.get(seed, []))} files"
    for seed in OLD_SEEDS:
        assert len(files.get(seed, [])) == 1, f"old picture {seed} is there {len(files.get(seed, []))} times"
    for (seed, state), count in promises.ended.items():
        assert (count, state) == (1, "done") or (seed, "done") not in promises.ended, f"job {seed} ended twice"


def check_files(files: dict[int, list[tuple[Path, MediaInfo]]]) -> None:
    for made in files.values():
        for path, info in made:
            if info.kind == "image":
                assert pictures.read(path).size == (info.width, info.height)
            else:
                with ClipReader(path) as clip:
                    assert sum(1 for _frame in clip) == info.frames


def check_pixels(worlds: list[World], files: list[dict[int, Any]], folder: Path) -> int:
    """What was interrupted, and some others, made again without interruption: the very same pixels."""
    chosen: list[tuple[Path, MediaInfo]] = []
    for world, made in zip(worlds, files, strict=True):
        ours = [seed for seed in made if seed not in OLD_SEEDS]
        seeds = sorted(world.promises.interrupted.intersection(ours))
        seeds += [seed for seed in ours if seed not in world.promises.interrupted][: ALSO_COMPARED // WORLDS]
        chosen += [file for seed in seeds for file in made[seed]]
    with EngineSession(folder / "reference.log", ProgressLine()) as engine:
        for number, (path, info) in enumerate(chosen):
            assert info.recipe is not None
            recipe = info.recipe.replace(model_hashes={})
            model, output, cache = EMBEDDED_MODELS / recipe.model, folder / "reference", folder / "cache"
            done = engine.generate(recipe, model, output, f"r{number}", cache)
            assert [file.pixels_sha256 for file in done.files] == [info.pixels_sha256], f"{path} is another picture"
    return len(chosen)


def check_library(paths: Paths, promises: Promises) -> None:
    """In order by its own check, with every mark that was promised; and the same from the files alone."""
    with closing(Library(paths.library_database, paths.output)) as library:
        library.reconcile()
        found = library.check()
        assert (found.unknown, found.damaged, found.database_problems) == ((), (), ())
        with closing(Library(paths.data / "anew.sqlite3", paths.output)) as anew:
            anew.rebuild()
            said = {item.path.name: (item.favourite, item.rating, item.tags, item.albums) for item in everything(anew)}
        for item in everything(library):
            if not item.missing:
                assert said[item.path.name] == (item.favourite, item.rating, item.tags, item.albums)
            promised = promises.marked.get(item.path.name, [])
            tried = promises.marking.get(item.path.name, [])
            assert {f"t{number}" for number in promised} <= set(item.tags) <= {f"t{number}" for number in tried}
            last = max(promised, default=-1)
            allowed = {number % 6 for number in tried if number >= last} or {0}
            assert item.rating in allowed, f"{item.path.name}: {item.rating} stars, not one of {allowed}"


def check_logs(folder: Path) -> None:
    """Within their bound, and without what was asked for: neither as it was typed nor as it is in file names."""
    words = [form for prompt in PROMPTS for form in (prompt, slug(prompt))]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"window.log", "engine.log"}
    for path in files:
        assert path.stat().st_size < 8 * 1024 * 1024
        text = path.read_text("utf-8", "replace")
        assert not [word for word in words if word in text], f"a prompt is in {path}"


def everything(library: Library) -> list[Any]:
    return library.items(library.ids())


def report(seed: int, worlds: list[World], **more: int) -> None:
    """The figures, printed and, where it is wished, kept."""
    promises, results = [world.promises for world in worlds], [world.result for world in worlds]
    figures = {
        "seed": seed,
        "kills": sum((result.kills for result in results), Counter[str]()),
        "moments": sum((result.moments for result in results), Counter[str]()),
        "windows that ended by themselves": [words for result in results for words in result.ended_by_themselves],
        "seconds of killing": round(max(result.seconds for result in results)),
        "jobs promised": sum(len(found.queued) for found in promises),
        "jobs interrupted": sum(len(found.interrupted) for found in promises),
        "marks promised": sum(len(numbers) for found in promises for numbers in found.marked.values()),
    } | more
    print(json.dumps(figures, indent=1))
    target = os.environ.get("LATERNA_CRASH_REPORT")
    if target:
        Path(target).write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s"]))
