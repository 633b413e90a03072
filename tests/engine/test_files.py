"""Files from outside: ordinary ones only, to a limit, without waiting; and every reader goes through here."""

from __future__ import annotations

import ast
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.files import check_regular, open_regular, read_regular
from engine.interop.open_file import Importer
from engine.library.rows import read_file
from engine.media import animation, metadata, mp4, pictures
from engine.models.gguf_header import read_gguf
from engine.models.imports import recognise
from engine.models.lora_shelf import hash_of
from engine.models.safetensors_header import read_header
from engine.protocol.errors import LaternaError
from engine.worker.pictures import read_picture

ROOT = Path(__file__).resolve().parents[2]
# Files of the system or of Laterna's own code, which nobody else writes.
OWN = {
    "engine/files.py",
    "app/logs.py",
    "engine/worker/device.py",
    "engine/memory/observed.py",
    "engine/models/journal.py",
    "ui/theme/theme.py",
    "ui/sentences.py",
}


@pytest.fixture(params=["pipe", "zero", "folder", "socket"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "thing.png"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "zero":
        path = Path("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            yield path
            return
    yield path


READERS = {
    "open_regular": lambda path: open_regular(path).close(),
    "read_regular": lambda path: read_regular(path, 1000),
    "check_regular": check_regular,
    "recipe": metadata.read_recipe,
    "metadata": metadata.read,
    "picture": pictures.read,
    "size": pictures.size_of,
    "mp4": mp4.open_clip,
    "animation": animation.read_recipe,
    "workflow": lambda path: Importer().open(path),
    "start picture": lambda path: read_picture(path, 64, 64),
    "lora": hash_of,
    "safetensors": read_header,
    "gguf": read_gguf,
    "model import": recognise,
    "library": lambda path: read_file(path, path.parent),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_what_is_no_file_at_once_and_takes_no_memory(name: str, no_file: Path) -> None:
    if name == "model import" and no_file.is_dir():
        return  # a folder is what it looks through
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises((OSError, LaternaError)):
        READERS[name](no_file)
    assert time.monotonic() - began < 1
    assert psutil.Process().memory_info().rss - before < 64 * 2**20


def test_more_than_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(2**36)
    with pytest.raises(OSError, match="larger than 1 MiB"):
        read_regular(path, 2**20)
    path.write_bytes(b"abc")
    assert read_regular(path, 3) == b"abc"


def test_a_zero_byte_in_a_name_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="zero byte"):
        open_regular(tmp_path / "a\0b")


def direct_reads(path: Path) -> Iterator[int]:
    """Lines that read a file by its name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        mode = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        if node.func.attr in ("read_bytes", "read_text") or (node.func.attr == "open" and mode in ("rb", "r")):
            yield node.lineno


def test_nothing_reads_files_in_another_way() -> None:
    found = [
        f"{name}:{line}"
        for folder in ("app", "ui", "engine")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (name := path.relative_to(ROOT).as_posix()) not in OWN
        and not name.startswith("engine/training/")
        and "bench" not in path.name
        for line in direct_reads(path)
    ]
    assert found == []


def test_who_expects_broken_json_expects_what_is_no_text_too() -> None:
    """msgspec raises Python's own ``UnicodeDecodeError``, which is no ``DecodeError``, at a string that is no UTF-8."""
    enough = {"UnicodeDecodeError", "UnicodeError", "ValueError", "Exception"}
    found = []
    for folder in ("engine", "app", "ui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ExceptHandler) and node.type is not None:
                    expected = ast.unparse(node.type)
                elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                    expected = ", ".join(map(ast.unparse, node.args))
                else:
                    continue
                names = set(expected.replace("(", "").replace(")", "").split(", "))
                if "msgspec.DecodeError" in names and not names & enough:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
