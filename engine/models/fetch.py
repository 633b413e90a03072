"""One file from the network: several connections, resumable to the block, its SHA-256 checked while it is written.

The file is cut into segments; each connection takes the next one that nobody has, and asks for what is missing of it.
Whoever writes where the hash stands hashes too; a thread of its own hashes what was written out of order, another makes
durable what is written. Connections are added only while each makes it faster: many would slow a fast line down.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import urllib3

from engine.models.download_plan import PlannedFile
from engine.models.hashing import FileHasher
from engine.models.hub_errors import TryAgain, no_connection, refusal
from engine.models.journal import Journal, PartIdentity, Segment
from engine.models.throttle import DownloadControl
from engine.models.transport import HttpTransport, Response
from engine.protocol.errors import Cancelled, LaternaError, ModelDamaged, NetworkFailed, from_os_error

# Bytes read at once: much where one connection is fast enough, less where several share a slow line, since what is read
# and not yet written is lost with the process.
BLOCK_ALONE, BLOCK_SHARED = 1024 * 1024, 256 * 1024
RECORD_BYTES = 256 * 1024
WORTH_BYTES = 64 * 1024  # of a connection that was cut: the next one begins at once
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True)
class FetchOptions:
    """``segment_bytes`` goes over one request. Every ``look_seconds`` a connection is added, up to ``max_connections``,
    while the whole is slower than ``fast_enough`` bytes a second and the last one helped. ``tries`` failures without a
    byte in between end it; the waits between them start with ``first_wait`` seconds and double.
    """

    segment_bytes: int = 64 * 1024 * 1024
    max_connections: int = 4
    fast_enough: float = 150e6
    look_seconds: float = 1.0
    tries: int = 6
    first_wait: float = 1.0
    sync_seconds: float = 10.0


class FileChanged(Exception):
    """The server has another file than the one that was asked for."""


class _NoRanges(Exception):
    """The server sends whole files only."""


class _Wrong(Exception):
    """All bytes are there, and they are not the right ones; those that are not in doubt may be kept for another try."""

    def __init__(self, something_kept: bool) -> None:
        super().__init__()
        self.something_kept = something_kept


class FileFetch:
    """Fetches ``file`` from ``url`` into ``folder``.

    ``progress`` gets byte counts (negative where bytes are dropped) and whether they just came over the network,
    ``waiting`` the seconds and the reason of each pause before another try. Both are called from several threads.
    """

    def __init__(
        self,
        transport: HttpTransport,
        url: str,
        file: PlannedFile,
        repository: str,
        folder: Path,
        control: DownloadControl,
        options: FetchOptions = FetchOptions(),
        progress: Callable[[int, bool], None] = lambda count, received: None,
        waiting: Callable[[float, LaternaError], None] = lambda seconds, error: None,
    ) -> None:
        self._transport = transport
        self._url = url
        self._direct = ""
        self._file = file
        self._repository = repository
        self._part = folder / f"{file.key}.part"
        self._journal_path = folder / f"{file.key}.journal"
        self._outer = control
        self._options = options
        self._progress = progress
        self._waiting = waiting
        self._ranges = True

    def run(self) -> tuple[Path, str]:
        """The finished part and its SHA-256. Raises a ``LaternaError``, or ``FileChanged`` with the part dropped."""
        wrong = 0
        while True:
            self._control = DownloadControl()
            self._control.limit = self._outer.limit
            try:
                with self._outer.aborting(self._control):
                    sha256 = self._fetch()
            except _NoRanges:
                self._ranges = False
                self._drop()
            except FileChanged:
                self._drop()
                raise
            except _Wrong as failure:
                wrong += not failure.something_kept
                if not failure.something_kept:
                    self._remove()
                if wrong > 1:
                    raise ModelDamaged(
                        f"{self._file.source} arrived damaged twice: its checksum is not the published one.",
                        "Try again later, from another network, or with another HF_ENDPOINT.",
                    ) from None
            except Cancelled:
                self._outer.check()
                raise
            else:
                self._journal_path.unlink(missing_ok=True)
                return self._part, sha256

    # the whole

    def _fetch(self) -> str:
        try:
            self._journal = self._open()
            self._hasher = FileHasher(self._part, self._file.size)
        except OSError as error:
            raise from_os_error(error, "starting the download", self._part) from error
        self._lock = threading.Condition()
        self._taken: set[int] = set()
        self._error: Exception | None = None
        self._received = self._received_at_failure = 0
        self._failures = 0
        self._connections = 0
        self._allowed = self._options.max_connections if self._ranges else 1
        self._is_hashed = self._file.size == 0
        self._threads: list[threading.Thread] = []
        try:
            self._progress(sum(segment.done for segment in self._journal.segments), False)
            self._start(self._hash)
            self._start(self._sync)
            if not all(segment.is_whole for segment in self._journal.segments):
                self._start_connection()
            self._coordinate()
            self._join(30.0)
            return self._checked()
        finally:
            self._join(0.1 if self._outer.stopped else 30.0)
            self._journal.close()
            self._hasher.close()

    def _join(self, seconds: float) -> None:
        """End the threads; one that is still connecting somewhere is left behind, and writes nothing any more."""
        self._control.stop()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _coordinate(self) -> None:
        """Wait for the end; add a connection while the line is slow and the one before made it faster."""
        seen, seen_at = 0, time.monotonic()
        rate_before = 0.0
        while True:
            with self._lock:
                self._lock.wait(0.05)
                if isinstance(self._error, OSError):
                    raise from_os_error(self._error, "downloading", self._part) from self._error
                if self._error is not None:
                    raise self._error
                if self._is_hashed:
                    return
                received, connections = self._received, self._connections
            self._control.check()
            now = time.monotonic()
            if now - seen_at < self._options.look_seconds:
                continue
            rate = (received - seen) / (now - seen_at)
            seen, seen_at = received, now
            if self._control.limit.bytes_per_second > 0 or not 0 < rate < self._options.fast_enough:
                continue
            if rate > 1.1 * rate_before and connections < self._allowed and self._has_free_segment():
                rate_before = rate
                self._start_connection()

    def _checked(self) -> str:
        """Compare with what was published; a wrong part loses what is in doubt, or all of it."""
        expected, oid = self._file.sha256, self._file.git_oid
        is_right = self._hasher.sha256 == expected if expected else self._hasher.git_oid == oid
        if is_right:
            return self._hasher.sha256
        self._progress(-self._file.size, False)
        raise _Wrong(something_kept=self._journal.drop_doubtful())

    def _open(self) -> Journal:
        """Go on with what an earlier run left, or start afresh."""
        journal = Journal.open(self._journal_path, self._file.key, self._file.size)
        if journal is not None:
            reach = max((segment.position for segment in journal.segments if segment.done), default=0)
            if (self._ranges or not reach) and self._part.exists() and self._part.stat().st_size >= reach:
                return journal
            journal.close()
        self._remove()
        self._part.parent.mkdir(parents=True, exist_ok=True)
        self._part.touch()
        step = self._options.segment_bytes if self._ranges else max(1, self._file.size)
        return Journal.create(self._journal_path, PartIdentity(self._file.key, self._file.size, "", step))

    def _drop(self) -> None:
        """Throw away what was fetched, and take it back from the progress."""
        self._progress(-sum(segment.done for segment in self._journal.segments), False)
        self._remove()

    def _remove(self) -> None:
        self._journal_path.unlink(missing_ok=True)  # first: a part without a journal counts for nothing
        self._part.unlink(missing_ok=True)

    # threads

    def _start(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:
                with self._lock:
                    if self._error is None and not self._control.stopped:
                        self._error = error
                    self._lock.notify_all()

        thread = threading.Thread(target=guarded, name=f"fetch-{work.__name__}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _start_connection(self) -> None:
        with self._lock:
            self._connections += 1
        self._start(self._connect)

    def _hash(self) -> None:
        """Hash what the connections did not hash themselves: what they wrote out of order, or an earlier run."""
        while self._hasher.hashed < self._file.size:
            frontier = 0
            for segment in self._journal.segments:
                frontier = segment.position
                if not segment.is_whole:
                    break
            if frontier == self._hasher.hashed:
                self._control.wait(0.01)
                continue
            try:
                self._hasher.advance(frontier, self._control.check)
            except OSError as error:
                raise from_os_error(error, "reading the download back", self._part) from error
        with self._lock:
            self._is_hashed = True
            self._lock.notify_all()

    def _sync(self) -> None:
        """Now and then make what is written durable, and note it."""
        with self._part.open("rb+", buffering=0) as file:
            while True:
                self._control.wait(self._options.sync_seconds)
                written = [(segment, segment.done) for segment in self._journal.segments if not segment.doubtful]
                try:
                    os.fsync(file.fileno())
                    for segment, done in written:
                        if segment.synced < done:
                            segment.synced = done
                            self._journal.record(segment)
                    self._journal.sync()
                except OSError as error:
                    raise from_os_error(error, "writing the download", self._part) from error

    def _connect(self) -> None:
        """Fetch segments until there is none left that nobody works on."""
        try:
            with self._part.open("rb+", buffering=0) as out:
                while (segment := self._take_segment()) is not None:
                    try:
                        self._fetch_segment(segment, out)
                    except TryAgain as failure:
                        if self._is_spare():
                            return
                        self._back_off(failure)
                    finally:
                        with self._lock:
                            self._taken.discard(segment.index)
        finally:
            with self._lock:
                self._connections -= 1

    def _take_segment(self) -> Segment | None:
        with self._lock:
            for segment in self._journal.segments:
                if not segment.is_whole and segment.index not in self._taken:
                    self._taken.add(segment.index)
                    return segment
        return None

    def _has_free_segment(self) -> bool:
        with self._lock:
            return any(not segment.is_whole and segment.index not in self._taken for segment in self._journal.segments)

    def _is_spare(self) -> bool:
        """After a failure: others are at work, so this connection ends instead of trying again, and none is added."""
        with self._lock:
            if self._connections < 2:
                return False
            self._allowed = max(1, self._connections - 1)
            return True

    def _back_off(self, failure: TryAgain) -> None:
        self._control.check()
        with self._lock:
            came = self._received - self._received_at_failure
            self._received_at_failure = self._received
            self._failures = 1 if came else self._failures + 1
            failures = self._failures
        if failure.was_cut and came >= WORTH_BYTES:
            return  # the next connection begins at once
        if failures >= self._options.tries:
            raise failure.error
        seconds = failure.after
        if seconds is None:
            seconds = min(30.0, self._options.first_wait * 2 ** (failures - 1))
        self._waiting(seconds, failure.error)
        self._control.wait(seconds)

    # one segment

    def _fetch_segment(self, segment: Segment, out: BinaryIO) -> None:
        if not self._ranges and segment.done:
            self._progress(-segment.done, False)
            segment.done = segment.synced = 0
            self._journal.record(segment)
        url = self._direct or self._url
        try:
            response = self._request(url, segment)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._lost(url, error) from None
        with self._control.aborting(response):
            try:
                self._check(response, segment)
                self._receive(response, segment, out)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise self._lost(response.url, error) from None
            finally:
                if segment.is_whole:
                    response.release()
                else:
                    response.close()

    def _request(self, url: str, segment: Segment) -> Response:
        headers = {}
        if self._ranges:
            headers["Range"] = f"bytes={segment.position}-{segment.end - 1}"
            etag = self._journal.identity.etag
            if etag.startswith('"'):
                headers["If-Range"] = etag
        return self._transport.get(url, headers)

    def _check(self, response: Response, segment: Segment) -> None:
        """Whether this is the piece that was asked for; otherwise raises what it is instead."""
        if response.status not in (200, 206):
            self._refuse(response)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise TryAgain(NetworkFailed("Something on the way packs the file anew.", "Try another network or proxy."))
        self._check_etag(response.headers.get("ETag", ""))
        if response.status == 200:
            if self._ranges and (segment.position, segment.end) != (0, self._file.size):
                raise _NoRanges
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and int(length) != self._file.size:
                raise FileChanged
        else:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != segment.position or int(match[2]) >= segment.end:
                raise TryAgain(NetworkFailed("The server sent another part than the one asked for.", "Try again."))
            if match[3] != "*" and int(match[3]) != self._file.size:
                raise FileChanged
        self._direct = "" if response.from_hub else response.url

    def _check_etag(self, etag: str) -> None:
        with self._lock:
            known = self._journal.identity.etag
            if etag and known and etag != known:
                raise FileChanged
            if etag and not known:
                self._journal.set_etag(etag)

    def _refuse(self, response: Response) -> None:
        if self._direct and response.status < 500 and response.status != 429:
            self._direct = ""  # a signed link that has run out: the hub gives a new one
            raise TryAgain(NetworkFailed("The link to the file has run out.", "Try again."), after=0.0)
        if response.status == 416:
            raise FileChanged
        found = refusal(
            response.status,
            response.headers,
            response.message(),
            repository=self._repository,
            page=f"{self._transport.endpoint}/{self._repository}",
            has_token=self._transport.token is not None,
            what=self._file.source,
        )
        raise found

    def _receive(self, response: Response, segment: Segment, out: BinaryIO) -> None:
        recorded = segment.done
        out.seek(segment.position)
        try:
            while not segment.is_whole:
                most = BLOCK_ALONE if self._connections == 1 else BLOCK_SHARED
                block = response.read(min(most, segment.end - segment.position))
                if not block:
                    raise urllib3.exceptions.ProtocolError("ended early")
                self._control.check()
                self._write(out, block)
                self._hasher.feed(segment.position, block)
                segment.done += len(block)
                with self._lock:
                    self._received += len(block)
                self._progress(len(block), True)
                if segment.done - recorded >= RECORD_BYTES:
                    self._record(segment)
                    recorded = segment.done
                self._control.take(len(block))
        finally:
            with suppress(ValueError):  # closed already: this thread was left behind by a cancel
                self._record(segment)

    def _record(self, segment: Segment) -> None:
        try:
            self._journal.record(segment)
        except OSError as error:
            raise from_os_error(error, "noting how far the download is", self._part) from error

    def _write(self, out: BinaryIO, block: bytes) -> None:
        view = memoryview(block)
        try:
            while view:
                view = view[out.write(view) :]
        except OSError as error:
            raise from_os_error(error, "writing the download", self._part) from error

    def _lost(self, url: str, error: Exception) -> NetworkFailed | TryAgain:
        self._control.check()
        host = urlsplit(url).hostname or ""
        self._direct = ""
        return no_connection(host, error)
