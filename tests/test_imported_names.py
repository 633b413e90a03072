"""Every name that a module imports from Laterna's own packages is there, imports inside of functions included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "engine", "ui")


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, those in branches included."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield node.name


@cache
def _names(module: str) -> frozenset[str]:
    file = _file(module)
    return frozenset(_bound(ast.parse(file.read_text("utf-8")).body)) if file is not None else frozenset()


def _missing(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in PACKAGES:
            module = str(node.module)
            for alias in node.names:
                inside = f"{module}.{alias.name}"
                is_module = _file(inside) is not None or ROOT.joinpath(*inside.split(".")).is_dir()
                if alias.name not in _names(module) and not is_module:
                    yield f"{file.relative_to(ROOT)}:{node.lineno} imports {inside}, which is not there"


def test_every_imported_name_is_there() -> None:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    assert len(files) > 100
    assert [line for file in files for line in _missing(file)] == []
