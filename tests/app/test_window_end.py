from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST_PAINT_AND_END = """
import sys
from pathlib import Path
from PySide6.QtCore import qInstallMessageHandler
from app.composition import open_window
from app.paths import Paths
code = open_window(Paths.find(sys.argv[1]), ["laterna"])
print("ended with", code, qInstallMessageHandler(None))
"""


def test_a_window_that_is_closed_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not even a way for Qt to call a Python that has gone, which would be a crash in the very last moment."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT_AND_END, str(tmp_path / "home")],
        env=os.environ
        | {"LATERNA_BENCH_FIRST_PAINT": str(time.time()), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ended with 0 None"
    assert not (tmp_path / "home" / "logs" / "running.json").exists()
