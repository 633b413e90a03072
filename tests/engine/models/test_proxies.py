"""https through a CONNECT proxy: downloads go through it, the token does not; a bad proxy is a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.models.download import Download
from engine.models.download_plan import make_plan
from engine.models.hub import Hub
from engine.models.sources import source
from engine.models.store import Store
from engine.models.throttle import DownloadControl
from engine.models.token import Token
from engine.models.transport import HttpTransport, endpoint_from
from engine.models.verify import verify
from engine.protocol.errors import NetworkFailed
from tests.engine.models.conftest import QUICK
from tests.fakes.certificate import server_context
from tests.fakes.hub import TOKEN, FakeHub
from tests.fakes.hub_repositories import small_repository
from tests.fakes.tunnel import TunnelProxy

REPO = "stabilityai/stable-diffusion-3.5-medium"


@pytest.fixture
def secure_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub behind https, with a certificate that is trusted."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    context, certificate = server_context(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with FakeHub(context) as hub:
        hub.add(REPO, small_repository(REPO), gated=True)
        yield hub


def test_a_whole_download_through_a_tunnel(secure_hub: FakeHub, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with TunnelProxy(login="Basic YWRhOnBAc3M=") as proxy:
        monkeypatch.setenv("https_proxy", f"http://ada:p%40ss@{proxy.address}")
        transport = HttpTransport(secure_hub.url, Token(TOKEN))
        plan = make_plan(source("sd3.5-medium"), Hub(transport).listing(REPO))
        Download(store, plan, transport, DownloadControl(), QUICK).run()
        transport.close()
        assert verify(store, plan.name).is_sound
        hosts = {path.partition(":")[0] for path in proxy.seen}
        assert hosts == {"127.0.0.1", "127.0.0.2"}, "the hub and the host that it redirects to"
    assert all("Authorization" not in asked.headers for asked in secure_hub.requests(host="127.0.0.2"))
    assert all("Proxy-Authorization" not in asked.headers for asked in secure_hub.asked)
    assert TOKEN not in json.dumps(proxy.seen)


@pytest.mark.parametrize(
    ("login", "refuses", "words"), [("Basic eA==", 0, "wants a login"), ("", 403, "refuses connections to 127.0.0.1")]
)
def test_a_proxy_that_refuses_is_a_sentence_at_once(
    secure_hub: FakeHub, monkeypatch: pytest.MonkeyPatch, login: str, refuses: int, words: str
) -> None:
    with TunnelProxy(login, refuses) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        with pytest.raises(NetworkFailed, match=words):
            Hub(HttpTransport(secure_hub.url)).info(REPO)
        assert len(proxy.seen) == 1, "asking again would not help"


def test_a_proxy_that_is_not_there_is_a_sentence(secure_hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(NetworkFailed, match="proxy cannot be reached"):
        Hub(HttpTransport(secure_hub.url), first_wait=0.001).info(REPO)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:abc", "http://[::1", "http://", "ada:p@ss@h:1:2"])
def test_a_proxy_that_is_no_address_is_a_sentence_without_its_password(
    secure_hub: FakeHub, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(NetworkFailed, match="is no address") as raised:
        Hub(HttpTransport(secure_hub.url)).info(REPO)
    assert "http://host:port" in raised.value.remedy and "p@ss" not in str(raised.value)


def test_a_proxy_whose_scheme_is_the_target_s_is_a_sentence_at_once(
    secure_hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TunnelProxy() as proxy:
        monkeypatch.setenv("https_proxy", f"https://{proxy.address}")
        with pytest.raises(NetworkFailed, match="plain HTTP") as raised:
            Hub(HttpTransport(secure_hub.url)).info(REPO)
    assert "http://" in raised.value.remedy


@pytest.mark.parametrize("endpoint", ["http://h:abc", "http://[::1", "huggingface.co", "ftp://h"])
def test_an_endpoint_that_is_no_address_is_a_sentence(endpoint: str) -> None:
    with pytest.raises(NetworkFailed, match="HF_ENDPOINT is"):
        endpoint_from({"HF_ENDPOINT": endpoint})


def test_a_certificate_that_is_not_trusted_is_a_sentence(secure_hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NetworkFailed, match="is not trusted") as raised:
        Hub(HttpTransport(secure_hub.url)).info(REPO)
    assert "SSL_CERT_FILE" in raised.value.remedy
