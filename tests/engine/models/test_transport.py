"""The way to the hub: proxies, redirects, mirrors."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from engine.models.hub import Hub
from engine.models.token import Token
from engine.models.transport import HttpTransport, endpoint_from
from engine.protocol.errors import NetworkFailed
from tests.fakes.hub import TOKEN, FakeHub


class Proxy:
    """Forwards absolute addresses, and notes them with the login that came along."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, self.headers.get("Proxy-Authorization", "")))
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(self.path) as answer:
                    body = answer.read()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


def test_a_proxy_from_the_environment_is_used(hub: FakeHub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("ada/model", {"a.json": b"{}"})
    monkeypatch.setenv("http_proxy", f"http://ada:p%40ss@127.0.0.1:{proxy.server.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert Hub(HttpTransport(hub.url)).listing("ada/model").files
    assert proxy.seen[0] == (f"{hub.url}/api/models/ada/model", "Basic YWRhOnBAc3M=")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    proxy.seen.clear()
    assert Hub(HttpTransport(hub.url)).listing("ada/model").files
    assert not proxy.seen


@pytest.mark.parametrize(
    ("address", "words"),
    [("socks5://127.0.0.1:9", "not supported"), ("http://127.0.0.1:9", "proxy cannot|no connection")],
)
def test_a_proxy_that_does_not_work_is_a_sentence(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("http_proxy", address)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(NetworkFailed, match=words):
        Hub(HttpTransport(hub.url), first_wait=0.001).listing("ada/model")


def test_the_endpoint_comes_from_the_environment() -> None:
    assert endpoint_from({}) == "https://huggingface.co"
    assert endpoint_from({"HF_ENDPOINT": "https://mirror.example/"}) == "https://mirror.example"
    for bad in ("nonsense", "ftp://mirror.example", "https://"):
        with pytest.raises(NetworkFailed):
            endpoint_from({"HF_ENDPOINT": bad})


def test_a_redirect_to_another_host_loses_the_token(hub: FakeHub) -> None:
    hub.moved["ada/old"] = "ada/new"
    hub.add("ada/new", {"big": b"x" * 5000})
    transport = HttpTransport(hub.url, Token(TOKEN))
    response = transport.get(f"{hub.url}/ada/new/resolve/main/big", {})
    assert response.status == 200
    assert not response.from_hub
    response.close()
    first, second = hub.requests("resolve")
    assert TOKEN in first.headers["Authorization"]
    assert "Authorization" not in second.headers
    transport.close()


def test_redirects_without_end_and_to_odd_places(hub: FakeHub) -> None:
    hub.moved["ada/loop"] = "ada/loop"
    with pytest.raises(NetworkFailed, match="without end"):
        Hub(HttpTransport(hub.url)).listing("ada/loop")
