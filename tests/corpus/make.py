"""Writes the corpus: ``python -m tests.corpus.make``."""

from __future__ import annotations

from tests.corpus import metadata_cases
from tests.corpus.reading import HERE, Case, write

FOLDERS = {"metadata": metadata_cases.cases}


def main() -> None:
    for name, cases in FOLDERS.items():
        found: list[Case] = cases()
        write(HERE / name, found)
        print(f"{name}: {len(found)}")


if __name__ == "__main__":
    main()
