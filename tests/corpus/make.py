"""Writes the corpus: ``python -m tests.corpus.make``."""

from __future__ import annotations

from tests.corpus import (
    cogvideox_cases,
    container_cases,
    editor_cases,
    foreign_cases,
    metadata_cases,
    sd35_cases,
    value_cases,
)
from tests.corpus.reading import HERE, Case, write

GRAPHS = {
    "sd35": sd35_cases.case,
    "values": value_cases.case,
    "cogvideox": cogvideox_cases.case,
    "editor": editor_cases.case,
    "other": foreign_cases.case,
}
FOLDERS = {
    "metadata": lambda: [*metadata_cases.cases(), *container_cases.cases()],
    "graphs": lambda: [
        (f"{folder}-{name}", content, reading)
        for folder, collection in GRAPHS.items()
        for name, content, reading in collection.cases()
    ],
}


def main() -> None:
    for name, cases in FOLDERS.items():
        found: list[Case] = cases()
        write(HERE / name, found)
        print(f"{name}: {len(found)}")


if __name__ == "__main__":
    main()
