"""The directions that imports may take, and what must stay out of the window's process."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "diffusers", "transformers", "accelerate"}
UI_LAYERS = (
    *("ui.theme", "ui", "ui.widgets", "ui.library", "ui.recipe", "ui.models", "ui.generate", "ui.player"),
    *("ui.queue", "ui.compare", "ui.mask", "ui.settings_page", "ui.window"),
)
"""From the lowest to the highest; ``ui`` are the files beside the folders, which draw nothing."""
TORCH_HOMES = ("engine/worker", "engine/training", "engine/remote")
TORCH_HALF = re.compile(r"engine/families/\w+/network/")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")


def imported(path: Path, for_types: bool = False) -> set[str]:
    """The modules that a file imports, within functions too; those for type checking only where ``for_types``."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[ast.AST] = set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if not for_types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module_of(path.parents[node.level - 1]) if node.level else ""
            module = ".".join(part for part in (package, node.module) if part)
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
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
    name = path.relative_to(ROOT).as_posix()
    if name.startswith(TORCH_HOMES) or TORCH_HALF.match(name):
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


@pytest.mark.parametrize("path", list(sources("app", "ui", "engine")), ids=lambda path: str(path.relative_to(ROOT)))
def test_resources_are_found_through_one_place(path: Path) -> None:
    """``resources`` says where they lie; no file reckons it from where it lies itself."""
    names = {node.id for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Name)}
    assert "__file__" not in names


def test_no_import_cycles() -> None:
    """Whatever an import is for, and wherever it stands."""
    modules = {module_of(path): path for path in sources("app", "ui", "engine")}
    graph = {name: imported(path, for_types=True) & modules.keys() - {name} for name, path in modules.items()}
    assert cycle_in(graph) == ()


def cycle_in(graph: dict[str, set[str]]) -> tuple[str, ...]:
    """The names along one circle, the first again at the end; empty where there is none."""
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        if name not in done:
            for other in sorted(graph[name]):
                if circle := visit(other, (*trail, name)):
                    return circle
            done.add(name)
        return ()

    return next((circle for name in sorted(graph) if (circle := visit(name, ()))), ())


def test_a_cycle_would_be_found(tmp_path: Path) -> None:
    """However it hides: an import for types, one within a function, and one through a third file."""
    (tmp_path / "a.py").write_text("if TYPE_CHECKING:\n    from b import B\n")
    (tmp_path / "b.py").write_text("def f():\n    import c\n")
    (tmp_path / "c.py").write_text("import a\n")
    graph = {name: imported(tmp_path / f"{name}.py", for_types=True) & {"a", "b", "c"} for name in "abc"}
    assert cycle_in(graph) == ("a", "b", "c", "a")
    assert cycle_in(graph | {"c": set()}) == ()


def layer_of(module: str) -> str:
    """``ui.theme`` for all in that folder, ``ui`` for the files beside the folders."""
    return ".".join(module.split(".")[:2]) if (ROOT / Path(*module.split(".")[:2])).is_dir() else "ui"


@pytest.mark.parametrize("path", list(sources("ui")), ids=lambda path: str(path.relative_to(ROOT)))
def test_layers_of_the_window(path: Path) -> None:
    """A file imports from its own layer and those below it: see ``UI_LAYERS``."""
    layer = layer_of(module_of(path))
    assert layer in UI_LAYERS, f"{layer} has no place among the layers"
    above = UI_LAYERS[UI_LAYERS.index(layer) + 1 :]
    names = {name for name in imported(path, for_types=True) if name.startswith("ui.")}
    assert not {name for name in names if layer_of(name) in above}


def test_window_process_starts_light() -> None:
    """A fresh interpreter imports all of the window, and none of the heavy libraries."""
    modules = [
        module_of(path) for path in sources("app", "ui") if path.name != "__main__.py" and "bench" not in path.name
    ]
    code = (
        f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print([m for m in ('torch', 'diffusers', 'transformers', 'numpy', 'cv2', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_what_no_window_shows_at_once_is_not_read_before_it() -> None:
    """Recognising files and knowing three languages take a tenth of the time to the first paint."""
    late = (
        *("engine.models.recognise", "engine.models.reading.strangers", "engine.media.colour", "engine.prompt.adapt"),
        *("engine.world", "engine.worker", "engine.training"),
    )
    code = (
        f"import sys, ui.window.main_window, app.composition\nprint([name for name in {late!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
