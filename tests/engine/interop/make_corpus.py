"""Writes the corpus: ``python -m tests.engine.interop.make_corpus``.

Each file lies there as a program would write it; ``expected.json`` has the recipe and the sentences of each.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.engine.interop import corpus_editor, corpus_pictures, corpus_prompts, corpus_sampling
from tests.engine.interop.corpus_parts import minimal

CORPUS = Path(__file__).parent / "corpus"


def corpus() -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files by name, and what is expected of each."""
    files: dict[str, bytes] = {}
    expected: dict[str, Any] = {}
    for make in (minimal, *corpus_prompts.GRAPHS, *corpus_sampling.GRAPHS):
        name = make.__name__.replace("_", "-")
        graph, wanted = make()
        for form, data in (("api", graph.api()), ("ui", graph.ui())):
            files[f"{name}-{form}.json"] = json.dumps(data, indent=1).encode() + b"\n"
            expected[f"{name}-{form}.json"] = asdict(wanted)
    for make_file in (*corpus_editor.FILES, *corpus_pictures.FILES):
        name = make_file.__name__.replace("_", "-")
        ending, content, wanted = make_file()
        files[f"{name}.{ending}"] = content
        expected[f"{name}.{ending}"] = asdict(wanted)
    return files, expected


def main() -> None:
    CORPUS.mkdir(exist_ok=True)
    for old in CORPUS.iterdir():
        old.unlink()
    files, expected = corpus()
    for name, content in files.items():
        (CORPUS / name).write_bytes(content)
    (CORPUS / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
