"""HTTP to the hub: proxies, redirects that never carry the token along, responses that can be cut short."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import ssl
from collections.abc import Container, Mapping
from contextlib import suppress
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from engine.models.token import Token
from engine.protocol.errors import NetworkFailed

DEFAULT_ENDPOINT = "https://huggingface.co"
MAX_REDIRECTS = 8
# Data on its way to us is what a killed process fetches twice: four connections with at most this much each, in bytes.
WINDOW = 1_800_000
USER_AGENT = "laterna/0.1"
_REDIRECTS = (301, 302, 303, 307, 308)


def endpoint_from(environment: Mapping[str, str] = os.environ) -> str:
    """The hub's address: ``HF_ENDPOINT`` or the usual one."""
    endpoint = (environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
    if not _is_address(endpoint, ("http", "https")):
        raise NetworkFailed(f"HF_ENDPOINT is {endpoint[:200]!r}, which is no address.", "Set it to https://….")
    return endpoint


def _is_address(url: str, schemes: Container[str]) -> bool:
    """Whether it has one of ``schemes``, a host, and a port that is one, if any."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port


def may_carry_token(url: str, endpoint: str) -> bool:
    """The token goes to the hub's own origin only, and unencrypted only within this machine."""
    return origin(url) == origin(endpoint) and (urlsplit(url).scheme == "https" or _is_loopback(url))


class Response:
    """A response whose body is read in blocks; ``abort`` from another thread ends a read at once."""

    def __init__(self, raw: urllib3.BaseHTTPResponse, url: str, from_hub: bool) -> None:
        self._raw = raw
        self.url = url
        self.from_hub = from_hub
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers

    def read(self, most: int) -> bytes:
        """What has arrived, up to ``most`` bytes; b"" at the end. Raises ``urllib3.exceptions.HTTPError``, OSError."""
        return self._raw.read1(most)

    def message(self) -> str:
        """What the server says in words: the hub's header, else the beginning of the body."""
        text = self.headers.get("X-Error-Message", "")
        if not text:
            with suppress(urllib3.exceptions.HTTPError, OSError):
                text = self._raw.read(2000).decode("utf-8", "replace")
        return text[:500]

    def abort(self) -> None:
        with suppress(Exception):  # it may be closed, or being closed, by its reader
            self._raw.shutdown()

    def close(self) -> None:
        self._raw.close()

    def release(self) -> None:
        """Give the connection back for the next request; the body must have been read to its end."""
        self._raw.release_conn()


class HttpTransport:
    """Requests to ``endpoint`` and to wherever it redirects. Thread-safe."""

    def __init__(
        self,
        endpoint: str,
        token: Token | None = None,
        *,
        small_window: bool = False,
        connect_timeout: float = 10.0,
        read_timeout: float = 30.0,
    ) -> None:
        self.endpoint = endpoint
        self.token = token
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._proxies = getproxies()
        self._socket_options = list(urllib3.connection.HTTPConnection.default_socket_options)
        if small_window:
            self._socket_options.append((socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024))
        elif hasattr(socket, "TCP_WINDOW_CLAMP"):
            self._socket_options.append((socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, WINDOW))
        self._pools: dict[str, urllib3.PoolManager] = {}

    def get(self, url: str, headers: Mapping[str, str]) -> Response:
        """Follow redirects to a response. Raises ``urllib3.exceptions.HTTPError``, ``OSError``, ``NetworkFailed``."""
        for _ in range(MAX_REDIRECTS):
            sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
            if self.token is not None and may_carry_token(url, self.endpoint):
                sent["Authorization"] = f"Bearer {self.token.reveal()}"
            raw = self._pool(url).urlopen(
                "GET",
                url,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout,
                assert_same_host=False,
            )
            if raw.status not in _REDIRECTS:
                return Response(raw, url, origin(url) == origin(self.endpoint))
            target = urljoin(url, raw.headers.get("Location", ""))
            raw.close()
            schemes = (urlsplit(url).scheme, urlsplit(target).scheme)
            if schemes[1] not in ("http", "https") or schemes == ("https", "http"):
                raise NetworkFailed(
                    f"{urlsplit(url).hostname} redirects to an address that is not safe.", "Try another network."
                )
            url = target
        raise NetworkFailed(f"{urlsplit(url).hostname} redirects without end.", "Try again later.")

    def close(self) -> None:
        for pool in self._pools.values():
            pool.clear()

    def _pool(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = self._proxies.get(parts.scheme) or self._proxies.get("all") or ""
        if not proxy or _is_bypassed(host):
            proxy = ""
        if proxy not in self._pools:
            self._pools[proxy] = self._make_pool(proxy)
        return self._pools[proxy]

    def _make_pool(self, proxy: str) -> urllib3.PoolManager:
        if not proxy:
            return urllib3.PoolManager(
                maxsize=8, socket_options=self._socket_options, ssl_context=_tls_context(), retries=False
            )
        whole = proxy if "://" in proxy else f"http://{proxy}"
        scheme = whole.partition("://")[0].lower()
        if scheme not in ("http", "https"):
            raise NetworkFailed(f"{scheme[:20]} proxies are not supported.", "Use an HTTP proxy, or none.")
        if not _is_address(whole, ("http", "https")):
            said = re.sub(r"//[^/]*@", "//", whole)[:200]  # without the password
            raise NetworkFailed(
                f"The proxy that is set, {said!r}, is no address.", "Set HTTPS_PROXY to http://host:port."
            )
        parts = urlsplit(whole)
        headers = {}
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = urllib3.make_headers(proxy_basic_auth=login)
        return urllib3.ProxyManager(
            f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}",
            maxsize=8,
            proxy_headers=headers,
            socket_options=self._socket_options,
            ssl_context=_tls_context(),
            retries=False,
        )


def _is_bypassed(host: str) -> bool:
    try:
        return bool(proxy_bypass(host))
    except OSError:
        return False


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls_context() -> ssl.SSLContext:
    """The certificates that the person names, else those that the operating system trusts."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if os.environ.get(name):
            return ssl.create_default_context(cafile=os.environ[name])
    try:
        import truststore
    except ImportError:
        return ssl.create_default_context()
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
