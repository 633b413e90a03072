"""start.py: standard library only, resumable, quick the second time, and never CUDA on a CPU machine."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load_start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start_under_test", ROOT / "start.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """start.py as a module, with its environment in a temporary folder and an installer that only takes notes."""
    module = load_start()
    monkeypatch.delenv("LATERNA_TORCH", raising=False)
    monkeypatch.delenv("LATERNA_TORCH_INDEX", raising=False)
    for name, path in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "STAMP": tmp_path / ".venv" / "laterna.json",
        "PYTHON": tmp_path / ".venv" / "bin" / "python",
        "APP_LOCK": tmp_path / "app.lock",
        "TEST_LOCK": tmp_path / "test.lock",
    }.items():
        monkeypatch.setattr(module, name, path)
    (tmp_path / "app.lock").write_text("a==1\n")
    (tmp_path / "test.lock").write_text("b==1\n")

    def make_venv() -> None:
        module.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        module.PYTHON.touch()

    monkeypatch.setattr(module, "make_venv", make_venv)
    monkeypatch.setattr(module, "torch_build", lambda: "cpu")
    monkeypatch.setattr(module, "check_system", lambda testing: None)
    return module


@pytest.fixture
def installed(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    def pip(*arguments: str, check: bool = True, quiet: bool = False) -> bool:
        calls.append(arguments[-1])
        return True

    monkeypatch.setattr(start, "pip", pip)
    return calls


def test_needs_only_the_standard_library() -> None:
    tree = ast.parse((ROOT / "start.py").read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_first_start_installs_and_second_does_nothing(start: ModuleType, installed: list[str]) -> None:
    start.prepare(testing=False)
    assert installed == ["torch==2.13.0+cpu", str(start.APP_LOCK)]
    start.prepare(testing=False)
    assert len(installed) == 2


def test_tests_bring_their_own_packages(start: ModuleType, installed: list[str]) -> None:
    start.prepare(testing=False)
    start.prepare(testing=True)
    assert installed[2:] == [str(start.TEST_LOCK)]


def test_interrupted_start_goes_on(start: ModuleType, installed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    note: Callable[..., bool] = start.pip

    def interrupted(*arguments: str, **options: bool) -> bool:
        if arguments[-1] == str(start.APP_LOCK):
            raise KeyboardInterrupt
        return note(*arguments, **options)

    monkeypatch.setattr(start, "pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start.prepare(testing=False)
    monkeypatch.setattr(start, "pip", note)
    start.prepare(testing=False)
    assert installed == ["torch==2.13.0+cpu", str(start.APP_LOCK)]


def test_changed_lock_is_installed_again(start: ModuleType, installed: list[str]) -> None:
    start.prepare(testing=False)
    start.APP_LOCK.write_text("a==2\n")
    start.prepare(testing=False)
    assert installed[2:] == [str(start.APP_LOCK)]


def test_damaged_stamp_is_no_obstacle(start: ModuleType, installed: list[str]) -> None:
    start.prepare(testing=False)
    start.STAMP.write_bytes(b"\xff not json")
    start.prepare(testing=False)
    assert start.is_ready(start.read_stamp(), testing=False)


def test_cpu_machine_asks_only_for_the_cpu_build(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ordinary index does not have it, torch's own CPU index is asked; never a version that could be CUDA."""
    calls: list[tuple[str, ...]] = []

    def pip(*arguments: str, check: bool = True, quiet: bool = False) -> bool:
        calls.append(arguments)
        return check

    monkeypatch.setattr(start, "pip", pip)
    start.install_torch("cpu")
    assert len(calls) == 2
    assert all("torch==2.13.0+cpu" in call for call in calls)
    assert calls[1][calls[1].index("--index-url") + 1].endswith("/whl/cpu")


def test_unknown_torch_build_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = load_start()
    monkeypatch.setenv("LATERNA_TORCH", "abacus")
    with pytest.raises(SystemExit) as stopped:
        module.torch_build()
    assert stopped.value.code == 2
    assert "abacus" in capsys.readouterr().err


def test_too_little_space_is_said_before_anything_is_made(
    start: ModuleType, installed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2**30})())
    with pytest.raises(SystemExit) as stopped:
        start.prepare(testing=False)
    assert stopped.value.code == 5
    assert "space" in capsys.readouterr().err
    assert not installed


def test_missing_libraries_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_start()
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "apt-get" else None)
    monkeypatch.setitem(module.LIBRARIES, "libsurely-not-there.so.9", ("surely9", "", "", ""))
    with pytest.raises(SystemExit):
        module.check_system(testing=False)
    assert "sudo apt-get install -y --no-install-recommends surely9" in capsys.readouterr().err
