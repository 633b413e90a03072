"""Models in the background: downloads run beside generation, in a thread of their own, and outlive the window.

What is wanted is kept on disk as a plan; the next start goes on with every plan that was not paused. Work is done one
piece after another: a second download would only share the line with the first.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.families.source import ModelSource
from engine.models import moving
from engine.models.completion import completion_plan, lacking
from engine.models.download import Download
from engine.models.download_plan import DownloadPlan, make_plan
from engine.models.everything import Imported, import_everything
from engine.models.fetch import FetchOptions
from engine.models.hub import Hub
from engine.models.imports import restore_import, unregister
from engine.models.licences import Acceptances, licence
from engine.models.location import locate
from engine.models.lora_shelf import LoraShelf
from engine.models.manifest import Precision, check_name
from engine.models.notices import (
    DownloadEnded,
    DownloadQueued,
    ModelNotice,
    ModelsChanged,
    MoveEnded,
    MoveProgressed,
    UpdatesFound,
    VerifyEnded,
    VerifyProgressed,
)
from engine.models.reference import read_reference
from engine.models.sources import parts_name, source
from engine.models.states import Card, cards, unfinished
from engine.models.store import Removal, Store
from engine.models.throttle import DownloadControl
from engine.models.token import TokenStore
from engine.models.transport import HttpTransport, endpoint_from
from engine.models.updates import has_update
from engine.models.upscaler_import import remove_upscaler
from engine.models.upscalers import Upscalers
from engine.models.verify import repair_plan, verify
from engine.protocol.errors import Cancelled, LaternaError, UnknownFailure

PATIENT = FetchOptions(tries=20)


class ModelService:
    """The models below ``root``, with acceptances and token in ``config``. Methods return at once, unless they say so;
    what comes of them is told to ``on_notice``, from the service's threads.
    """

    def __init__(
        self,
        root: Path,
        config: Path,
        on_notice: Callable[[ModelNotice], None],
        endpoint: str = "",
        options: FetchOptions = PATIENT,
        upscalers: Path | None = None,
        loras: LoraShelf | None = None,
    ) -> None:
        """``upscalers``: the folder of the imported ones, beside the models' where it is None. ``loras`` remembers
        where imported LoRAs lie."""
        self._loras = loras
        self._given_root = root
        self._tell = on_notice
        self._endpoint = endpoint or endpoint_from()
        self._options = options
        self.upscalers = Upscalers(upscalers or root.parent / "upscalers")
        self.acceptances = Acceptances(config / "licences.json")
        self.tokens = TokenStore(config / "hub-token")
        self.store = Store(root)
        self._tasks: queue.Queue[tuple[str, Callable[[DownloadControl], None]] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._current = ("", DownloadControl())
        self._dropped: set[str] = set()
        self._bytes_per_second = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="models", daemon=True)

    # from start to end

    def start(self) -> None:
        """Bring the folder in order and go on with what was not finished."""
        self._thread.start()
        self._enqueue("", self._begin)

    def close(self, seconds: float = 2.0) -> None:
        """Stop; unfinished downloads go on at the next start. Waits for the thread."""
        with self._lock:
            self._closing = True
            self._current[1].stop()
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _begin(self, control: DownloadControl) -> None:
        moving.clear_old(self._given_root)
        self.store = Store(locate(self._given_root))
        self.store.recover()
        for plan in unfinished(self.store):
            if not plan.paused:
                self._enqueue_plan(plan)
        self._tell(ModelsChanged())

    # what a person asks for

    def cards(self) -> list[Card]:
        """Reads the models folder; milliseconds."""
        return cards(self.store)

    def download(self, model: str, precision: Precision = "native") -> None:
        """Raises ``AccessDenied`` where the licence is not accepted yet, ``ModelMissing`` for an unknown id."""
        wanted = source(model)
        self.acceptances.require(licence(wanted.licence), wanted.name)
        name = model if precision == "native" else f"{model}-{precision}"
        self._undrop(name)

        def plan_and_fetch(control: DownloadControl) -> None:
            plan = make_plan(wanted, self._hub(control).listing(wanted.repository), precision)
            self._fetch(plan, control)

        self._enqueue_download(name, plan_and_fetch)

    def completed_from(self, name: str, with_t5: bool = False) -> ModelSource:
        """Whose repository ``complete`` would ask."""
        return lacking(self.store, name, with_t5)[0]

    def complete(self, name: str, with_t5: bool = False) -> None:
        """Download what the import ``name`` lacks. Raises as ``download`` and ``lacking`` do."""
        wanted, components = lacking(self.store, name, with_t5)
        if not components:
            return
        self.acceptances.require(licence(wanted.licence), wanted.name)
        self._undrop(parts_name(wanted))

        def plan_and_fetch(control: DownloadControl) -> None:
            plan = completion_plan(self.store, self._hub(control), name, with_t5)
            if plan is not None:
                self._fetch(plan, control)

        self._enqueue_download(parts_name(wanted), plan_and_fetch)

    def pause(self, name: str) -> None:
        """Keep what is there; ``resume`` goes on."""
        self._stop(name)
        self._set_paused(name, True)
        self._tell(ModelsChanged())

    def resume(self, name: str) -> None:
        self._undrop(name)
        for plan in unfinished(self.store):
            if plan.name == name:
                self._set_paused(name, False)
                self._enqueue_plan(msgspec.structs.replace(plan, paused=False))

    def cancel(self, name: str) -> None:
        """Stop, and throw away what was fetched, unless another unfinished download uses it."""
        self._stop(name)
        plans = {plan.name: plan for plan in unfinished(self.store)}
        self.store.unwant(name)
        if name in plans:
            kept = {file.key for other in plans.values() if other.name != name for file in other.files}
            dropped = {file.key for file in plans[name].files} - kept

            def clear(control: DownloadControl) -> None:
                for key in dropped:
                    (self.store.parts / f"{key}.journal").unlink(missing_ok=True)
                    (self.store.parts / f"{key}.part").unlink(missing_ok=True)
                self.store.remove_unused()
                self._tell(ModelsChanged())

            self._enqueue("", clear)
        self._tell(ModelsChanged())

    def verify(self, name: str) -> None:
        def run(control: DownloadControl) -> None:
            def progress(done: int, total: int) -> None:
                control.check()
                self._tell(VerifyProgressed(name, done, total))

            try:
                result = verify(self.store, name, _seldom(progress))
                self._tell(VerifyEnded(name, result))
            except LaternaError as error:
                self._tell(VerifyEnded(name, error=error.info()))
            self._tell(ModelsChanged())

        self._enqueue(name, run)

    def repair(self, name: str) -> None:
        """Verify, and fetch what is damaged."""

        def run(control: DownloadControl) -> None:
            result = verify(self.store, name, _seldom(lambda done, total: control.check()))
            if not result.is_sound:
                self._fetch(repair_plan(self.store, result), control)

        self._undrop(name)
        self._enqueue_download(name, run)

    def removal(self, name: str) -> Removal:
        """What ``remove`` would free."""
        return self.store.removal(name)

    def remove(self, name: str) -> Removal:
        """Waits until it is done: renames and unlinks."""
        removal = self.store.removal(name)
        self.store.remove(name)
        self._tell(ModelsChanged())
        return removal

    def forget(self, name: str) -> Callable[[], None]:
        """Forget an import; the person's files stay. What is returned takes that back."""
        reference = read_reference(self.store.model_folder(name))
        unregister(self.store, name)
        self._tell(ModelsChanged())

        def restore() -> None:
            if reference is not None:
                restore_import(self.store, name, reference)
                self._tell(ModelsChanged())

        return restore

    def import_models(self, path: Path) -> Imported:
        """Use models, LoRAs and ControlNets at ``path`` where they lie, which waits until their headers are read (under
        a second for a file), and take in the upscalers, which takes seconds for each."""
        found = import_everything(path, self.store, self.upscalers.folder, loras=self._loras)
        self._tell(ModelsChanged())
        return found

    def remove_upscaler(self, name: str) -> Callable[[], None]:
        """Take an imported one out. What is returned puts it back."""
        put_back = remove_upscaler(name, self.upscalers.folder)
        self._tell(ModelsChanged())

        def restore() -> None:
            put_back()
            self._tell(ModelsChanged())

        return restore

    def move(self, folder: Path) -> None:
        """Move all models to ``folder``; downloads wait, and go on there."""

        def run(control: DownloadControl) -> None:
            def progress(done: int, total: int) -> None:
                control.check()
                self._tell(MoveProgressed(done, total))

            try:
                moving.move(self.store.root, folder, _seldom(progress))
                self.store = Store(locate(self._given_root))
                self._tell(MoveEnded(str(self.store.root)))
            except LaternaError as error:
                self._tell(MoveEnded(str(folder), error.info()))
            self._tell(ModelsChanged())

        self._enqueue("move", run)

    def check_updates(self) -> None:
        def run(control: DownloadControl) -> None:
            hub = self._hub(control)
            names = [found.name for found in self.store.models() if has_update(hub, self.store, found)]
            self._tell(UpdatesFound(tuple(names)))

        self._enqueue("", run)

    def set_limit(self, bytes_per_second: float) -> None:
        """At most this much over the network; 0 for as much as there is. Holds at once."""
        with self._lock:
            self._bytes_per_second = bytes_per_second
            self._current[1].limit.bytes_per_second = bytes_per_second

    # the thread

    def _enqueue(self, name: str, task: Callable[[DownloadControl], None]) -> None:
        self._tasks.put((name, task))

    def _enqueue_plan(self, plan: DownloadPlan) -> None:
        self._enqueue_download(plan.name, lambda control: self._fetch(plan, control))

    def _enqueue_download(self, name: str, task: Callable[[DownloadControl], None]) -> None:
        def run(control: DownloadControl) -> None:
            if name in self._dropped:
                return
            try:
                task(control)
            except Cancelled:
                self._tell(DownloadEnded(name, None if self._closing else Cancelled("Stopped.").info()))
            except LaternaError as error:
                self._tell(DownloadEnded(name, error.info()))
            else:
                self._tell(DownloadEnded(name))
            self._tell(ModelsChanged())

        self._tell(DownloadQueued(check_name(name)))
        self._enqueue(name, run)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            name, run = task
            with self._lock:
                if self._closing:
                    return
                control = DownloadControl(self._bytes_per_second)
                self._current = (name, control)
            try:
                run(control)
            except LaternaError as error:
                self._tell(DownloadEnded(name, error.info()))
            except Exception as error:  # a bug must not end all downloads without a word
                self._tell(DownloadEnded(name, UnknownFailure("A bug stopped this.", detail=repr(error)).info()))
            with self._lock:
                self._current = ("", DownloadControl())

    def _fetch(self, plan: DownloadPlan, control: DownloadControl) -> None:
        transport = self._transport()
        try:
            Download(self.store, plan, transport, control, self._options, self._tell).run()
        finally:
            transport.close()

    def _stop(self, name: str) -> None:
        with self._lock:
            self._dropped.add(name)
            if self._current[0] == name:
                self._current[1].stop()

    def _undrop(self, name: str) -> None:
        with self._lock:
            self._dropped.discard(name)

    def _set_paused(self, name: str, paused: bool) -> None:
        for plan in unfinished(self.store):
            if plan.name == name:
                self.store.want(name, msgspec.structs.replace(plan, paused=paused))

    def _hub(self, control: DownloadControl) -> Hub:
        return Hub(self._transport(), control)

    def _transport(self) -> HttpTransport:
        token, _ = self.tokens.find()
        return HttpTransport(self._endpoint, token, small_window=self._bytes_per_second > 0)


def _seldom(progress: Callable[[int, int], None], bytes_between: int = 16 * 1024 * 1024) -> Callable[[int, int], None]:
    """Pass on one call for each ``bytes_between`` done, and the last."""
    told = -bytes_between

    def call(done: int, total: int) -> None:
        nonlocal told
        if done - told >= bytes_between or done >= total:
            told = done
            progress(done, total)

    return call
