"""What belongs to one family is in its folder: nothing outside names a family, one of its models or its classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.families import networks
from engine.families.networks import NetworkClass
from engine.families.registry import FAMILIES
from engine.protocol.family_info import CAPABILITIES, FamilyInfo

ROOT = Path(__file__).resolve().parents[3]
SHARED = {cls.name for cls in vars(networks).values() if isinstance(cls, NetworkClass)}
"""Classes of text encoders and of a VAE that are no family's own."""
ALLOWED = {
    "engine/training/": "the scripts that made the two models that ship are about these very models",
    "engine/worker/residency/bench_": "measurements of published networks, by their names",
    "engine/worker/bench_": "measurements of published networks, by their names",
    "engine/protocol/sampling_names.py": "what people and other programs call samplers, some after a model",
}
"""Where names of families may stand, and why."""


def own_names() -> set[str]:
    """In lower case: of each family its id, its name, its models, their pipelines, classes and kinds of files."""
    found: set[str] = set()
    for family in FAMILIES.values():
        found |= {family.info.id, family.info.name, *family.pipelines, *(model.id for model in family.models)}
        found |= {cls.name for cls in family.network_classes if cls.name not in SHARED}
        found |= {kind.name for kind in family.file_kinds if kind.name.startswith(family.preferred or family.info.id)}
    return {name.lower() for name in found}


def words(path: Path) -> Iterator[tuple[int, str]]:
    """Every identifier, module and text of a file with its line; docstrings and comments are for readers."""
    tree = ast.parse(path.read_text("utf-8"))
    bodies = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    said = {
        id(n.value) for node in ast.walk(tree) if isinstance(node, bodies) for n in node.body if isinstance(n, ast.Expr)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield line, node.value
        for field in ("id", "attr", "name", "module", "arg"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield line, value


def named(path: Path, names: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {word[:80]}"
        for line, word in words(path)
        if any(name in word.lower() for name in names)
    ]


def outside() -> list[Path]:
    found = [path for folder in ("app", "ui", "engine") for path in sorted((ROOT / folder).rglob("*.py"))]
    homes = tuple(f"engine/families/{id}/" for id in FAMILIES)
    return [path for path in found if not path.relative_to(ROOT).as_posix().startswith((*homes, *ALLOWED))]


def test_no_file_outside_names_a_family() -> None:
    names = own_names()
    assert [hit for path in outside() for hit in named(path, names)] == []


def test_there_is_something_to_find() -> None:
    names = own_names()
    assert len(names) > 15
    for id in FAMILIES:
        assert named(ROOT / "engine" / "families" / id / "info.py", names)
    assert len(outside()) > 250


def test_what_serves_every_family_is_not_allowed_to() -> None:
    """Fine-tuning is for all of them, although it lies beside what made the models that ship."""
    names = own_names()
    assert [hit for name in ("lora", "objectives") for hit in named(ROOT / f"engine/training/{name}.py", names)] == []


@pytest.mark.parametrize("place", ALLOWED)
def test_what_is_allowed_is_needed(place: str) -> None:
    names = own_names()
    paths = [path for path in (ROOT / "engine").rglob("*.py") if path.relative_to(ROOT).as_posix().startswith(place)]
    assert any(named(path, names) for path in paths)


def test_a_familys_rules_have_no_flags() -> None:
    """A new feature is one more capability, not a flag that every family and every reader must know."""
    flags = [field.name for field in msgspec.structs.fields(FamilyInfo) if field.type is bool]
    assert flags == []
    assert all(family.info.capabilities <= CAPABILITIES for family in FAMILIES.values())
