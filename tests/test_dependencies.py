"""The directions that imports may take, and what must stay out of the window's process."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "diffusers", "transformers", "accelerate"}
TORCH_HOMES = ("engine/worker", "engine/training", "engine/remote")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path, top_level_only: bool = False) -> set[str]:
    """The modules that a file imports, those for type checking excluded."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[ast.AST] = set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            skipped.update(ast.walk(node))
        if top_level_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def uses(path: Path, *packages: str) -> set[str]:
    return {name for name in imported(path) if any(name == p or name.startswith(p + ".") for p in packages)}


def test_there_is_something_to_check() -> None:
    assert len(list(sources("app", "ui", "engine"))) > 50


@pytest.mark.parametrize("path", list(sources("engine")), ids=lambda path: str(path.relative_to(ROOT)))
def test_engine_knows_neither_qt_nor_window(path: Path) -> None:
    assert not uses(path, "PySide6", "ui", "app")


@pytest.mark.parametrize("path", list(sources("app", "ui", "engine")), ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_stays_in_the_worker(path: Path) -> None:
    if path.relative_to(ROOT).as_posix().startswith(TORCH_HOMES):
        return
    assert not uses(path, *HEAVY, "engine.worker", "engine.training")


@pytest.mark.parametrize("path", list(sources("engine/protocol")), ids=lambda path: path.name)
def test_protocol_needs_only_msgspec(path: Path) -> None:
    allowed = sys.stdlib_module_names | {"msgspec", "__future__"}
    assert {name for name in imported(path) if name.split(".")[0] not in allowed} <= {
        name for name in imported(path) if name.startswith("engine.protocol")
    }


@pytest.mark.parametrize("path", list(sources("ui")), ids=lambda path: str(path.relative_to(ROOT)))
def test_ui_does_not_know_app(path: Path) -> None:
    assert not uses(path, "app")


def test_no_import_cycles() -> None:
    modules = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path
        for path in sources("app", "ui", "engine")
    }
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    graph = {name: imported(path, top_level_only=True) & modules.keys() - {name} for name, path in modules.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"import cycle: {' → '.join((*trail[trail.index(name) :], name))}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_window_process_starts_light() -> None:
    """A fresh interpreter imports all of the window, and none of the heavy libraries."""
    modules = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for path in sources("app", "ui")
        if path.name != "__main__.py" and "bench" not in path.name
    ]
    code = (
        f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print([m for m in ('torch', 'diffusers', 'transformers', 'numpy', 'cv2', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
