"""Downloading against ``curl`` from the same loopback server, and verifying against ``sha256sum``, in one run.

Rounds alternate, so that what else the machine does falls on both; the medians are compared. The ratio of processor
time is independent of that.
"""

from __future__ import annotations

import hashlib
import http.server
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.models.disk import free_bytes
from engine.models.download_plan import PlannedFile
from engine.models.fetch import FileFetch
from engine.models.hashing import hash_file
from engine.models.throttle import DownloadControl
from engine.models.transport import HttpTransport
from engine.protocol.errors import Cancelled

ROUNDS = 5
SIZE = 512 * 1024 * 1024
_SERVER = "import sys; from engine.models.bench_downloads import serve; serve(sys.argv[1])"


def download() -> dict[str, float]:
    """Throughput in MB/s of a 512 MiB file with its SHA-256 checked, to the verified file; ``cores`` is processor time
    over wall time while it runs. ``synced`` counts the time until it is safe from a power cut, which curl leaves out.
    ``stop_worst_s``: from the wish to stop in the middle of a file until nothing runs any more.
    """
    curl = _program("curl")
    with tempfile.TemporaryDirectory(prefix="laterna-bench-") as name:
        folder = Path(name)
        sha256 = _make_file(folder / "file")
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(folder / "file")], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            ours, theirs, synced, cores, curl_cores = [], [], [], [], []
            stops = [_stop(url, folder / "stopped", sha256, 0.02 * (turn + 1)) for turn in range(ROUNDS)]
            for _ in range(ROUNDS):
                wall, used = _run_curl(curl, f"{url}/a/b/resolve/main/file", folder / "curl")
                theirs.append(wall)
                curl_cores.append(used / wall)
                wall, used, durable = _run_fetch(url, folder / "ours", sha256)
                ours.append(wall)
                cores.append(used / wall)
                synced.append(durable)
        finally:
            server.terminate()
            server.communicate()
    mine, curls = statistics.median(ours), statistics.median(theirs)
    return {
        "laterna_MB_per_s": SIZE / mine / 1e6,
        "curl_MB_per_s": SIZE / curls / 1e6,
        "throughput_against_curl": curls / mine,
        "laterna_cores": statistics.median(cores),
        "curl_cores": statistics.median(curl_cores),
        "laterna_synced_MB_per_s": SIZE / statistics.median(synced) / 1e6,
        "stop_worst_s": max(stops),
    }


def verify() -> dict[str, float]:
    """Hashing speed of the file check in MB/s against ``sha256sum`` (read from the page cache)."""
    program = _program("sha256sum")
    with tempfile.TemporaryDirectory(prefix="laterna-bench-") as name:
        path = Path(name) / "file"
        expected = _make_file(path)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            subprocess.run([program, str(path)], check=True, capture_output=True)
            theirs.append(time.perf_counter() - start)
            start = time.perf_counter()
            assert hash_file(path)[0] == expected
            ours.append(time.perf_counter() - start)
    mine, sums = statistics.median(ours), statistics.median(theirs)
    return {
        "laterna_MB_per_s": SIZE / mine / 1e6,
        "sha256sum_MB_per_s": SIZE / sums / 1e6,
        "speed_against_sha256sum": sums / mine,
    }


def serve(path: str) -> None:
    """Serve one file with ranges on a free port, which is printed; until the process is ended."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            start, end = 0, os.path.getsize(path)
            whole = end
            if wanted := self.headers.get("Range"):
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, end = int(first), int(last) + 1 if last else end
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{whole}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(end - start))
            self.send_header("ETag", '"bench"')
            self.end_headers()
            with open(path, "rb") as file:
                self.wfile.flush()
                self.connection.sendfile(file, start, end - start)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever).run()


def _run_curl(curl: str, url: str, target: Path) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([curl, "--silent", "--fail", "--output", str(target), url], check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    target.unlink()
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run_fetch(url: str, folder: Path, sha256: str) -> tuple[float, float, float]:
    folder.mkdir(exist_ok=True)
    transport = HttpTransport(url)
    file = PlannedFile("file", "file", SIZE, sha256)
    start, used = time.perf_counter(), time.process_time()
    part, _ = FileFetch(transport, f"{url}/a/b/resolve/main/file", file, "a/b", folder, DownloadControl()).run()
    wall, used = time.perf_counter() - start, time.process_time() - used
    with part.open("rb+") as durable:
        os.fsync(durable.fileno())
    synced = time.perf_counter() - start
    transport.close()
    part.unlink()
    return wall, used, synced


def _stop(url: str, folder: Path, sha256: str, after: float) -> float:
    """Seconds to stop a download that has run for ``after``."""
    folder.mkdir(exist_ok=True)
    transport, control = HttpTransport(url), DownloadControl(bytes_per_second=SIZE // 8)  # it would take eight seconds
    fetch = FileFetch(
        transport, f"{url}/a/b/resolve/main/file", PlannedFile("file", "file", SIZE, sha256), "a/b", folder, control
    )
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.perf_counter())
        control.stop()

    timer = threading.Timer(after, stop)
    timer.start()
    with suppress(Cancelled):
        fetch.run()
    ended = time.perf_counter()
    timer.join()
    transport.close()
    shutil.rmtree(folder)
    return ended - asked[0]


def _make_file(path: Path) -> str:
    if free_bytes(path.parent) < 3 * SIZE:
        raise OSError(f"the benchmark needs {3 * SIZE} bytes in {path.parent}")
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE // (1 << 20)):
            block = os.urandom(1 << 20)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"the benchmark needs {name}")
    return found


NAMES: dict[str, Callable[[], dict[str, float]]] = {"download": download, "verify": verify}
