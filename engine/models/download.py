"""A plan becomes a model: check the disk, fetch what is missing, put the folder together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import filelock
import msgspec

from engine.models.download_plan import DownloadPlan, PlannedFile, check_disk
from engine.models.fetch import FetchOptions, FileChanged, FileFetch
from engine.models.hub import Hub
from engine.models.manifest import StoredFile
from engine.models.store import Store
from engine.models.throttle import DownloadControl
from engine.models.transport import HttpTransport
from engine.protocol.errors import LaternaError, LibraryBusy, ModelDamaged

SPEED_SECONDS = 5.0  # the speed shown is that of this long a window
RELISTINGS = 3

Phase = Literal["fetching", "waiting", "finishing"]


class DownloadProgress(msgspec.Struct, frozen=True):
    """``done`` of ``total`` bytes; ``speed`` in bytes a second; ``seconds_left`` −1 where unknown. ``text`` is the
    reason of a wait.
    """

    name: str
    phase: Phase
    done: int
    total: int
    speed: float = 0.0
    seconds_left: float = -1.0
    file: str = ""
    text: str = ""


class Download:
    """Runs one plan. ``on_progress`` is called from several threads, at most every ``every`` seconds."""

    def __init__(
        self,
        store: Store,
        plan: DownloadPlan,
        transport: HttpTransport,
        control: DownloadControl,
        options: FetchOptions = FetchOptions(),
        on_progress: Callable[[DownloadProgress], None] = lambda progress: None,
        every: float = 0.2,
    ) -> None:
        self._store = store
        self._plan = plan
        self._transport = transport
        self._control = control
        self._options = options
        self._meter = _Meter(plan, on_progress, every)
        self._hub = Hub(transport, control, self._meter.wait, options.first_wait)

    def run(self) -> None:
        """To the end, or a ``LaternaError``; whatever was fetched stays for the next run."""
        with downloading(self._store):
            check_disk([self._plan], self._store)
            self._store.want(self._plan.name, self._plan)
            contents: dict[str, str] = {}
            planned_files = self._plan.files
            for index, planned in enumerate(planned_files):
                self._control.check()
                if planned.key not in contents:
                    contents[planned.key] = self._get(index)
            self._meter.finish()
            self._store.install(self._plan.manifest(self._stored(contents, planned_files)))
            self._store.unwant(self._plan.name)

    def _get(self, index: int) -> str:
        """Have the content of file ``index`` in the store; its SHA-256."""
        for _ in range(RELISTINGS):
            file = self._plan.files[index]
            if file.sha256 and self._store.find(file.sha256, file.size) is not None:
                self._meter.add(file.size, False)
                return file.sha256
            self._meter.file = file.source
            url = self._hub.file_url(self._plan.repository, self._plan.revision, file.source)
            fetch = FileFetch(
                self._transport,
                url,
                file,
                self._plan.repository,
                self._store.parts,
                self._control,
                self._options,
                self._meter.add,
                self._meter.wait,
            )
            try:
                part, sha256 = fetch.run()
            except FileChanged:
                self._list_again(index)
                continue
            self._store.adopt(part, sha256)
            if not file.sha256:  # now its content is known: a later start finds it in the store
                self._replace(index, msgspec.structs.replace(file, sha256=sha256))
            return sha256
        raise ModelDamaged(
            f"{self._plan.files[index].source} changes on the server while it is fetched, or is not what it lists.",
            "Try again later, or with another HF_ENDPOINT.",
        )

    def _stored(self, contents: dict[str, str], planned: tuple[PlannedFile, ...]) -> Iterator[StoredFile]:
        sizes = {file.key: now.size for file, now in zip(planned, self._plan.files, strict=True)}
        for file in planned:
            source = file.source if file.source != file.target else ""
            yield StoredFile(file.target, sizes[file.key], contents[file.key], source)

    def _list_again(self, index: int) -> None:
        """The server has another file now: take size and checksum from its list as it is now."""
        file = self._plan.files[index]
        listing = self._hub.listing(self._plan.repository, self._plan.revision)
        for remote in listing.files:
            if remote.path == file.source:
                fresh = PlannedFile(file.source, file.target, remote.size, remote.sha256, remote.git_oid)
                self._replace(index, fresh)
                return
        raise ModelDamaged(f"{file.source} is gone from {self._plan.repository}.", "Start the download again.")

    def _replace(self, index: int, file: PlannedFile) -> None:
        self._control.check()  # whoever stopped this may be writing the plan, or have taken it back
        files = list(self._plan.files)
        files[index] = file
        self._plan = msgspec.structs.replace(self._plan, files=tuple(files))
        self._meter.total = self._plan.total
        self._store.want(self._plan.name, self._plan, durable=False)


@contextmanager
def downloading(store: Store) -> Iterator[None]:
    """One download at a time in a store, between processes too."""
    store.create()
    lock = filelock.FileLock(store.folder / "download.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LibraryBusy(
            f"Another Laterna is downloading into {store.root}.", "Wait until it is done, or stop it there."
        ) from error
    try:
        yield
    finally:
        lock.release()


class _Meter:
    """Counts bytes from several threads, and says now and then how fast they come."""

    def __init__(self, plan: DownloadPlan, emit: Callable[[DownloadProgress], None], every: float) -> None:
        self.file = ""
        self.total = plan.total
        self._name = plan.name
        self._emit = emit
        self._every = every
        self._lock = threading.Lock()
        self._done = self._received = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._emitted = 0.0

    def add(self, count: int, received: bool) -> None:
        now = time.monotonic()
        with self._lock:
            self._done += count
            self._received += count if received else 0
            if now - self._emitted < self._every and self._done < self.total:
                return
            self._emitted = now
            self._samples.append((now, self._received))
            while self._samples[0][0] < now - SPEED_SECONDS and len(self._samples) > 2:
                self._samples.popleft()
            since, then = self._samples[0]
            speed = (self._received - then) / (now - since) if now > since else 0.0
            done = self._done
        left = (self.total - done) / speed if speed > 0 else -1.0
        self._emit(DownloadProgress(self._name, "fetching", done, self.total, speed, left, self.file))

    def wait(self, seconds: float, reason: LaternaError) -> None:
        text = f"{reason.message} Trying again in {seconds:.0f} s."
        self._emit(
            DownloadProgress(
                self._name, "waiting", self._done, self.total, seconds_left=-1.0, file=self.file, text=text
            )
        )

    def finish(self) -> None:
        self._emit(DownloadProgress(self._name, "finishing", self.total, self.total))
