"""Every argument that names a file or a folder is seen from where the person stands."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.generate import lora_argument
from app.cli.parser import build_parser

WORDS = ("FILE", "DIR", "PATH", "FOLDER")
# Ids or paths: made absolute where it is known which of them it is; words to search for are no paths.
ELSEWHERE = {"ID|PATH", "ID|FOLDER", "TEXT|FILE"}


def path_arguments(parser: argparse.ArgumentParser, trail: str = "") -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from path_arguments(child, f"{trail} {name}")
        elif any(word in str(action.metavar or "") for word in WORDS) and action.metavar not in ELSEWHERE:
            yield f"{trail} {action.dest}", action


@pytest.mark.parametrize(("name", "action"), list(path_arguments(build_parser())), ids=lambda value: str(value)[:40])
def test_relative_paths_become_absolute(
    name: str, action: argparse.Action, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert action.type is not None, name
    assert action.type("ink.safetensors:0.8") == str(tmp_path / "ink.safetensors:0.8")  # type: ignore[operator]
    assert action.type("~/cat.png") == str(tmp_path / "home" / "cat.png")  # type: ignore[operator]


def test_there_are_path_arguments() -> None:
    assert len(list(path_arguments(build_parser()))) > 15


def test_a_lora_beside_the_person_keeps_its_strength(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = build_parser().parse_args(["generate", "--lora", "ink.safetensors:0.8"])
    assert lora_argument(arguments.lora[0]) == (tmp_path / "ink.safetensors", 0.8)
