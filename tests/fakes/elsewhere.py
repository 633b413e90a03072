"""A real engine that shares nothing with the window but a loopback connection: another working folder, another home.

It is there to prove the border; the product listens to no network.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]
_ENGINE = """
import os, socket, sys
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, sys.argv[1])
from engine.worker.host import main
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as line:
    main(line.makefile("rb", buffering=0), line.makefile("wb", buffering=0))
"""


class Elsewhere:
    """A transport (``engine.jobs.transport.Transport``) to an engine that lives in ``folder`` alone."""

    shares_files = False
    pid = None

    def __init__(self, folder: Path) -> None:
        self.home = folder / "engine home"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        workplace = self._folder / "workplace"
        for folder in (self.home, workplace):
            folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "HOME": str(self.home),
            "LATERNA_ENGINE_HOME": str(self.home),
            "LATERNA_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        environment.pop("LATERNA_PARENT", None)
        with socket.create_server(("127.0.0.1", 0)) as server, (self._folder / "log").open("ab") as log:
            port = server.getsockname()[1]
            self._process = subprocess.Popen(
                [sys.executable, "-c", _ENGINE, str(ROOT), str(port)],
                cwd=workplace,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            server.settimeout(60)
            line, _address = server.accept()
        with line:  # the connection stays for as long as one of these is open
            self.source: BinaryIO = line.makefile("rb", buffering=0)  # type: ignore[assignment]
            self.sink: BinaryIO = line.makefile("wb", buffering=0)  # type: ignore[assignment]

    def _engine(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def is_over(self) -> bool:
        return self._engine().poll() is not None

    def wait(self, timeout: float | None = None) -> bool:
        try:
            self._engine().wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        self._engine().kill()

    def was_killed(self) -> bool:
        return False

    def epitaph(self) -> str:
        return (self._folder / "log").read_text()[-4000:]

    def cpu_seconds(self) -> float | None:
        return None
