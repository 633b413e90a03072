"""One name means one thing: no two public classes share theirs."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TRAINING = "engine/training/"
"""A workshop with words of its own (an item there stands in a picture): its names are held against each other."""


def public_classes(in_training: bool) -> dict[str, list[str]]:
    """Names of public classes at the top of modules, and the modules."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(file for folder in ("app", "engine", "ui") for file in (ROOT / folder).rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(TRAINING) is not in_training:
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(place)
    return found


@pytest.mark.parametrize(("in_training", "least"), [(False, 300), (True, 20)])
def test_no_two_public_classes_have_the_same_name(in_training: bool, least: int) -> None:
    found = public_classes(in_training)
    assert len(found) > least
    assert not {name: places for name, places in found.items() if len(places) > 1}
