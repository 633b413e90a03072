"""A model hub on the loopback that speaks the real protocol, and can misbehave.

The hub answers on 127.0.0.1 and sends large files by redirect to a second host, 127.0.0.2, as the real one does with
its CDN. Every request is recorded with its headers, and every byte that was sent is counted.
"""

from __future__ import annotations

import email.utils
import hashlib
import http.server
import json
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_sesame_open"
NO_ACCESS_TOKEN = "hf_nobody"
NARROW_TOKEN = "hf_narrow"
LFS_BYTES = 4096  # files from here on are LFS files in this hub
PAGE = 1000
CHUNK = 64 * 1024


@dataclass
class Fault:
    """How answers for one file's bytes go wrong. ``times`` counts down; 0 means from now on it is well."""

    times: int = 1
    cut_after: int = -1  # close the connection after this many bytes of the body
    stall_after: int = -1  # then nothing more, until the hub closes
    corrupt_at: int = -1  # the byte at this offset of the file is another
    length_offset: int = 0  # Content-Length is wrong by this
    status: int = 0  # an error instead
    headers: dict[str, str] = field(default_factory=dict)
    change_to: bytes | None = None  # from the next request on the file is this
    wrong_range: bool = False  # a 206 with other bytes than asked for


@dataclass
class Asked:
    host: str
    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0


@dataclass
class Repo:
    files: dict[str, bytes]
    gated: bool = False
    revision: str = ""
    lists: dict[str, int] = field(default_factory=dict)  # further files in the list that have a size only

    def __post_init__(self) -> None:
        self.revision = self.revision or hashlib.sha1(repr(sorted(self.files)).encode()).hexdigest()


class FakeHub:
    """Use as a context manager. ``url`` is what ``HF_ENDPOINT`` would be; with ``tls`` both hosts speak https."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.repos: dict[str, Repo] = {}
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Fault]] = {}
        self.api_faults: list[Fault] = []
        self.expired_links: set[str] = set()
        self.moved: dict[str, str] = {}
        self.ranges = True
        self.bytes_per_second = 0.0
        self.page_size = PAGE
        self.release = threading.Event()
        self.lock = threading.Lock()
        self._links = 0
        self._servers = [_Server(("127.0.0.1", 0), self), _Server(("127.0.0.2", 0), self)]
        for server in self._servers if tls else []:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._servers[0].server_port}"
        self.cdn_url = f"{scheme}://127.0.0.2:{self._servers[1].server_port}"
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in self._servers]

    def __enter__(self) -> FakeHub:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def add(self, name: str, files: dict[str, bytes], **options: Any) -> Repo:
        self.repos[name] = Repo(files, **options)
        return self.repos[name]

    def fault(self, path: str, **how: Any) -> Fault:
        fault = Fault(**how)
        self.faults.setdefault(path, []).append(fault)
        return fault

    def sent(self, path: str = "") -> int:
        """Bytes of file bodies sent so far, of ``path`` or of all."""
        with self.lock:
            return sum(asked.sent for asked in self.asked if path in asked.path)

    def requests(self, path: str = "", host: str = "") -> list[Asked]:
        with self.lock:
            return [asked for asked in self.asked if path in asked.path and host in asked.host]

    def new_link(self, path: str) -> str:
        with self.lock:
            self._links += 1
            return f"{self.cdn_url}{path}?signature=secret-{self._links}"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], hub: FakeHub) -> None:
        self.hub = hub
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        pass

    @property
    def hub(self) -> FakeHub:
        return self.server.hub

    @property
    def is_hub(self) -> bool:
        return self.server.server_address[0] == "127.0.0.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.asked = Asked(str(self.server.server_address[0]), self.path, dict(self.headers))
        with self.hub.lock:
            self.hub.asked.append(self.asked)
        if path == "/api/whoami-v2":
            self._whoami()
        elif path.startswith("/api/models/"):
            self._api(path.removeprefix("/api/models/"), parse_qs(url.query))
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(match[1], match[2], match[3], url.query)
        else:
            self._error(404, "EntryNotFound", "Entry not found")

    # the hub

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _whoami(self) -> None:
        if self.token in (TOKEN, NO_ACCESS_TOKEN, NARROW_TOKEN):
            self._json({"type": "user", "name": "ada"})
        else:
            self._error(401, "", "Invalid credentials in Authorization header")

    def _api(self, rest: str, query: dict[str, list[str]]) -> None:
        fault = self._fault_of(self.hub.api_faults)
        if fault is not None:
            self._error(fault.status, "", "Busy", fault.headers)
            return
        match = re.fullmatch(r"([^/]+/[^/]+)(?:/(tree|revision)/([^/]+))?", rest)
        name = match[1] if match else rest
        if name in self.hub.moved:
            self._redirect(self.path.replace(name, self.hub.moved[name]), 307)
            return
        repo = self.hub.repos.get(name)
        if match is None or repo is None:
            self._error(401 if not self.token else 404, "RepoNotFound", "Repository not found")
        elif match[3] not in (None, "main", repo.revision):
            self._error(404, "RevisionNotFound", "Invalid rev id")
        elif match[2] != "tree":
            self._json({"id": name, "sha": repo.revision, "gated": "auto" if repo.gated else False, "private": False})
        else:
            self._tree(name, repo, int(query.get("cursor", ["0"])[0]))

    def _tree(self, name: str, repo: Repo, start: int) -> None:
        entries: list[dict[str, Any]] = []
        for path, data in sorted(repo.files.items()):
            oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            entry: dict[str, Any] = {"type": "file", "oid": oid, "size": len(data), "path": path}
            if len(data) >= LFS_BYTES:
                entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            entries.append(entry)
        entries += [{"type": "file", "oid": "0" * 40, "size": size, "path": path} for path, size in repo.lists.items()]
        entries += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "vae"}]
        end = start + self.hub.page_size
        link = {}
        if end < len(entries):
            link = {"Link": f'<{self.hub.url}/api/models/{name}/tree/main?recursive=true&cursor={end}>; rel="next"'}
        self._json(entries[start:end], link)

    def _resolve(self, name: str, revision: str, path: str, query: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._error(404, "RepoNotFound", "Repository not found")
            return
        if not self.is_hub and query in self.hub.expired_links:
            self._error(403, "", "AccessDenied: Request has expired")
            return
        if self.is_hub and repo.gated and not self._may_enter(name):
            return
        if revision not in ("main", repo.revision):
            self._error(404, "RevisionNotFound", "Invalid rev id")
            return
        if path not in repo.files:
            self._error(404, "EntryNotFound", "Entry not found")
            return
        fault = None
        is_lfs = len(repo.files[path]) >= LFS_BYTES
        if not (self.is_hub and is_lfs):
            fault = self._fault_of(self.hub.faults.get(path, []))
        if fault is not None and fault.change_to is not None:
            repo.files[path] = fault.change_to
            fault = None
        data = repo.files[path]
        if self.is_hub and is_lfs:
            linked = {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"'}
            self._redirect(self.hub.new_link(self.path), 302, linked)
        elif fault is not None and fault.status:
            self._error(fault.status, "", "Something is wrong", fault.headers)
        else:
            self._send_file(data, fault)

    def _may_enter(self, name: str) -> bool:
        if not self.token:
            self._error(401, "GatedRepo", f"Access to model {name} is restricted. You must be authenticated.")
        elif self.token == NO_ACCESS_TOKEN:
            self._error(
                403, "GatedRepo", f"Access to model {name} is restricted and you are not in the authorized list."
            )
        elif self.token == NARROW_TOKEN:
            text = "Please enable access to public gated repositories in your fine-grained token settings."
            self._error(403, "GatedRepo", text)
        elif self.token != TOKEN:
            self._error(401, "", "Invalid credentials in Authorization header")
        else:
            return True
        return False

    # answers

    def _fault_of(self, faults: list[Fault]) -> Fault | None:
        with self.hub.lock:
            for fault in faults:
                if fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def _send_file(self, data: bytes, fault: Fault | None) -> None:
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if_range = self.headers.get("If-Range")
        start, end = 0, len(data)
        if self.hub.ranges and wanted and (if_range is None or if_range == etag):
            start = int(wanted[1])
            end = min(end, int(wanted[2]) + 1) if wanted[2] else end
            if start >= len(data):
                self._error(416, "", "Range not satisfiable", {"Content-Range": f"bytes */{len(data)}"})
                return
            if fault is not None and fault.wrong_range:
                start += 1
            self._begin(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        else:
            self._begin(200)
        offset = fault.length_offset if fault else 0
        self.send_header("Content-Length", str(end - start + offset))
        self.send_header("ETag", etag)
        if self.hub.ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self._send_body(data, start, end, fault)

    def _send_body(self, data: bytes, start: int, end: int, fault: Fault | None) -> None:
        view = memoryview(data)
        position = start
        while position < end:
            if self.hub.release.is_set():
                self.close_connection = True
                return
            stop = min(end, position + CHUNK)
            if fault is not None:
                for limit in (fault.cut_after, fault.stall_after):
                    if limit >= 0:
                        stop = min(stop, start + limit)
            block = bytes(view[position:stop])
            if fault is not None and position <= fault.corrupt_at < stop:
                at = fault.corrupt_at - position
                block = block[:at] + bytes([block[at] ^ 0xFF]) + block[at + 1 :]
            if block:
                self.wfile.write(block)
                with self.hub.lock:
                    self.asked.sent += len(block)
            position = stop
            if fault is not None and fault.cut_after >= 0 and position - start >= fault.cut_after:
                self.close_connection = True
                return
            if fault is not None and fault.stall_after >= 0 and position - start >= fault.stall_after:
                self.hub.release.wait(60)
                self.close_connection = True
                return
            if self.hub.bytes_per_second:
                time.sleep(len(block) / self.hub.bytes_per_second)
        if fault is not None and fault.length_offset > 0:
            self.close_connection = True

    def _begin(self, status: int) -> None:
        self.asked.status = status
        self.send_response(status)

    def _redirect(self, target: str, status: int, headers: dict[str, str] | None = None) -> None:
        self._begin(status)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self._begin(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(body)

    def _error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"error": message}).encode()
        self._begin(status)
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(body)


def http_date(seconds_from_now: float) -> str:
    return email.utils.formatdate(time.time() + seconds_from_now, usegmt=True)


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes without a pattern, always the same for a seed."""
    return hashlib.shake_128(seed.to_bytes(8, "little")).digest(size)
