"""What the hub says about a repository: its commit, its files with sizes and checksums, and whose token this is.

The protocol is the Hugging Face hub's (https://huggingface.co/docs/hub/api): ``/api/models/REPO`` gives the commit,
``/api/models/REPO/tree/COMMIT`` the files in pages, ``/REPO/resolve/COMMIT/PATH`` the bytes. Listing goes over the same
``HttpTransport`` as the bytes, so that time limits, proxies, stopping and the handling of the token are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec
import urllib3

from engine.models.download_plan import Listing, RemoteFile
from engine.models.hub_errors import TryAgain, no_connection, refusal
from engine.models.throttle import DownloadControl
from engine.models.transport import HttpTransport, Response
from engine.protocol.errors import LaternaError, ModelDamaged, NetworkFailed

MAX_PAGES = 200
MAX_PAGE_BYTES = 32 * 1024 * 1024
TRIES = 5
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')

_T = TypeVar("_T")


class _Lfs(msgspec.Struct):
    oid: str = ""
    size: int = 0


class _Entry(msgspec.Struct):
    path: str
    type: str = "file"
    size: int = 0
    oid: str = ""
    lfs: _Lfs | None = None


class _ModelInfo(msgspec.Struct):
    sha: str | None = None
    gated: bool | str = False


class _User(msgspec.Struct):
    name: str = ""


class RepositoryInfo(msgspec.Struct, frozen=True):
    """``revision`` is the commit that the branch points to; ``gated`` where its licence has to be accepted there."""

    revision: str
    gated: bool


class Hub:
    """Questions to the hub at ``transport.endpoint``. Every method raises a ``LaternaError`` with its remedy."""

    def __init__(
        self,
        transport: HttpTransport,
        control: DownloadControl | None = None,
        waiting: Callable[[float, LaternaError], None] = lambda seconds, error: None,
        first_wait: float = 1.0,
    ) -> None:
        self._transport = transport
        self._control = control or DownloadControl()
        self._waiting = waiting
        self._first_wait = first_wait

    def info(self, repository: str, revision: str = "main") -> RepositoryInfo:
        suffix = "" if revision == "main" else f"/revision/{quote(revision, safe='')}"
        body, _ = self._get(f"{self._transport.endpoint}/api/models/{quote(repository)}{suffix}", repository)
        info = self._decoded(body, _ModelInfo)
        return RepositoryInfo(info.sha or revision, bool(info.gated))

    def listing(self, repository: str, revision: str = "main") -> Listing:
        """All files at the commit that ``revision`` points to."""
        commit = self.info(repository, revision).revision
        query = urlencode({"recursive": "true", "expand": "false"})
        endpoint = self._transport.endpoint
        url = f"{endpoint}/api/models/{quote(repository)}/tree/{quote(commit, safe='')}?{query}"
        files: list[RemoteFile] = []
        for _ in range(MAX_PAGES):
            body, link = self._get(url, repository)
            for entry in self._decoded(body, list[_Entry]):
                if entry.type == "file":
                    sha256 = entry.lfs.oid.removeprefix("sha256:") if entry.lfs else ""
                    size = entry.lfs.size if entry.lfs else entry.size
                    files.append(RemoteFile(entry.path, size, sha256, "" if entry.lfs else entry.oid))
            following = _NEXT.search(link)
            if following is None:
                return Listing(repository, commit, tuple(files))
            url = urljoin(url, following[1])
            if urlsplit(url).netloc != urlsplit(endpoint).netloc:  # behind some mirrors it names the original's host
                url = endpoint + urlsplit(url)._replace(scheme="", netloc="").geturl()
        raise NetworkFailed(f"The file list of {repository} does not end.", "Check HF_ENDPOINT.")

    def file_url(self, repository: str, revision: str, path: str) -> str:
        return f"{self._transport.endpoint}/{quote(repository)}/resolve/{quote(revision, safe='')}/{quote(path)}"

    def user(self) -> str:
        """Whose token this is."""
        body, _ = self._get(f"{self._transport.endpoint}/api/whoami-v2", "your account")
        return self._decoded(body, _User).name

    def _decoded(self, body: bytes, type: type[_T]) -> _T:
        try:
            return msgspec.json.decode(body, type=type)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ModelDamaged(
                "The hub's answer cannot be understood.", "Check HF_ENDPOINT, and whether this network wants a login."
            ) from error

    def _get(self, url: str, repository: str) -> tuple[bytes, str]:
        """The body and the ``Link`` header of ``url``, with another try where that makes sense."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._get_once(url, repository)
            except TryAgain as failure:
                self._control.check()
                if attempt == TRIES:
                    raise failure.error from None
                if failure.was_cut and attempt == 1:
                    continue
                seconds = failure.after if failure.after is not None else self._first_wait * 2 ** (attempt - 1)
                self._waiting(seconds, failure.error)
                self._control.wait(seconds)
        raise AssertionError("unreachable")

    def _get_once(self, url: str, repository: str) -> tuple[bytes, str]:
        host = urlsplit(url).hostname or ""
        try:
            response = self._transport.get(url, {"Accept": "application/json"})
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise no_connection(host, error) from None
        with self._control.aborting(response):
            try:
                if response.status != 200:
                    raise self._refused(response, repository)
                body = b""
                while block := response.read(256 * 1024):
                    body += block
                    if len(body) > MAX_PAGE_BYTES:
                        raise NetworkFailed(f"The hub's answer about {repository} does not end.", "Check HF_ENDPOINT.")
                return body, response.headers.get("Link", "")
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise no_connection(host, error) from None
            finally:
                response.close()

    def _refused(self, response: Response, repository: str) -> LaternaError | TryAgain:
        return refusal(
            response.status,
            response.headers,
            response.message(),
            repository=repository,
            page=f"{self._transport.endpoint}/{repository}",
            has_token=self._transport.token is not None,
            what="file list",
        )
