from __future__ import annotations

import faulthandler
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import BYTES, FILES, Logs
from engine.logs.report import Circumstances
from engine.protocol.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
KNOWN = Circumstances(recipe=Recipe(family="sd35", model="mini", prompt="a hidden wish"), prompts=("a hidden wish",))


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    level = logging.getLogger().level
    was_enabled = faulthandler.is_enabled()
    found = Logs(tmp_path / "logs")
    yield found
    found.end()
    logging.getLogger().setLevel(level)
    if was_enabled:
        faulthandler.enable(sys.__stderr__)


def test_what_is_logged_is_in_the_file_without_tokens(logs: Logs) -> None:
    logs.begin()
    logging.getLogger("ui.somewhere").info("Downloaded with hf_abcdefghijk")
    text = logs.window_log.read_text()
    assert "ui.somewhere" in text and "[token]" in text and "abcdefghijk" not in text


def test_the_files_rotate_within_their_bound(logs: Logs) -> None:
    logs.begin()
    for _ in range(5 * BYTES // 10_000):
        logging.getLogger("x").info("y" * 10_000)
    files = sorted(logs.folder.glob("window.log*"))
    assert len(files) == FILES
    assert all(file.stat().st_size <= BYTES for file in files)


def test_an_orderly_end_is_no_crash(logs: Logs, tmp_path: Path) -> None:
    logs.begin()
    assert not logs.crashed
    logs.end()
    after = Logs(logs.folder)
    after.begin()
    assert after.report_of_last_crash(KNOWN) is None
    after.end()


def test_errors_in_threads_are_logged(logs: Logs) -> None:
    logs.begin()
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    assert "ZeroDivisionError" in logs.window_log.read_text()


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = Logs(tmp_path / "file" / "logs")
    found.begin()
    logging.getLogger("x").info("nobody hears it")
    assert found.report_of_engine("x", KNOWN) is None
    found.end()


CRASH = """
import ctypes, logging, os, signal, sys
from pathlib import Path
from app.logs import Logs
logs = Logs(Path(sys.argv[1]))
logs.begin()
logging.getLogger("x").info("making a hidden wish come true")
if sys.argv[2] == "segv":
    ctypes.string_at(0)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["segv", "kill"])
def test_a_crash_leaves_a_report_for_the_next_start(logs: Logs, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(logs.folder), how],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode < 0
    logs.begin()
    assert logs.crashed
    report = logs.report_of_last_crash(KNOWN)
    assert report is not None and report.parent == logs.reports
    text = report.read_text()
    assert "ended unexpectedly" in text and "come true" in text and "hidden wish" not in text
    assert ("Segmentation fault" in text) == (how == "segv")
    assert logs.report_of_last_crash(KNOWN) is None, "told once"


def test_a_long_engine_log_is_trimmed(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.begin()
    logs.engine_log.write_bytes(b"x" * (5 * 1024 * 1024))
    logs.trim()
    assert logs.engine_log.stat().st_size == 0
