"""How fast the library is with 100,000 rows. ``NAMES`` maps a benchmark to a function that returns its figures."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from engine.library.filters import Filter
from engine.library.library import Library
from engine.library.rows import FileRow
from engine.models.catalog import FAMILIES
from engine.protocol.recipe import Recipe

ROWS = 100_000
_REPEATS = 5
_WORDS = """
red blue green yellow apple car tree house boat dog cat bird star large small left right above sky grass sand sea
night snow portrait landscape mountain river city street light dark moving slowly quickly old new
"""
_TYPED = "red apple on"


def file_rows(rows: int, seed: int = 0) -> Iterator[FileRow]:
    """``rows`` rows for ``Library.insert`` as ``rows.read_file`` would make them, without any file behind them."""
    random_source = random.Random(seed)
    words = _WORDS.split()
    for number in range(rows):
        prompt = "a " + " ".join(random_source.choices(words, k=12))
        recipe = Recipe(
            family=next(iter(FAMILIES)), model="laterna-mini-image", prompt=prompt, seed=random_source.getrandbits(40)
        )
        kind, suffix = ("video", "mp4") if number % 10 == 0 else ("image", "png")
        yield (
            f"{number:06}.{suffix}",
            kind,
            1024,
            1024,
            49 if kind == "video" else 1,
            8.0 if kind == "video" else 0.0,
            1.7e9 + number,
            1_500_000,
            number,
            recipe.to_json(),
            "",
            f"bench:{number}",
            prompt,
            "",
            recipe.model,
            str(recipe.seed),
            None,
            "",
        )


def library(rows: int = ROWS) -> dict[str, Any]:
    """Milliseconds for each thing the window does, with ``rows`` rows: the median of a few runs, and the worst key."""
    with tempfile.TemporaryDirectory(prefix="laterna-bench-") as folder:
        found = Library(Path(folder) / "library.sqlite3", Path(folder) / "output")
        try:
            began = time.perf_counter()
            found.insert(file_rows(rows))
            insert_seconds = time.perf_counter() - began
            keys = [_milliseconds(partial(found.ids, _TYPED[:length])) for length in range(1, len(_TYPED) + 1)]
            ids = found.ids()
            made = count(rows)

            def newest() -> FileRow:
                number = next(made)
                row = next(file_rows(1))
                return (f"{number:06}.png", *row[1:6], 1.7e9 + number, *row[7:])

            page = list(ids[:200])
            figures = {
                "rows": rows,
                "insert rows a second": rows / insert_seconds,
                "search as you type, median of keys (ms)": statistics.median(keys),
                "search as you type, worst key (ms)": max(keys),
                "search of a word that one row has (ms)": _milliseconds(lambda: found.ids("1099511627775")),
                "all ids, in memory (ms)": _milliseconds(found.ids),
                "all ids, after a write (ms)": _milliseconds(lambda: (found.insert([newest()]), found.ids())),
                "favourites (ms)": _milliseconds(lambda: found.ids(filter=Filter(favourite=True))),
                "page of 200 items (ms)": _milliseconds(lambda: found.items(page)),
            }
            began = time.perf_counter()
            Library(Path(folder) / "library.sqlite3", Path(folder) / "output").close()
            return figures | {"open (ms)": (time.perf_counter() - began) * 1000}
        finally:
            found.close()


def _milliseconds(action: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


NAMES: dict[str, Callable[[], dict[str, Any]]] = {"library": library}
