"""Asks the library for ids off the GUI thread; only the answer to the latest question counts."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal

from engine.library.facets import Facets, Stacks
from engine.library.filters import EVERYTHING, Filter
from engine.library.item import Item
from engine.protocol.errors import LaternaError

log = logging.getLogger(__name__)


class LibrarySource(Protocol):
    """The part of ``engine.library.library.Library`` that the gallery uses; called from several threads."""

    def ids(self, text: str = "", filter: Filter = EVERYTHING) -> array[int]: ...
    def stacks(self, text: str = "", filter: Filter = EVERYTHING) -> Stacks: ...
    def facets(self) -> Facets: ...
    def items(self, ids: Sequence[int]) -> list[Item]: ...


@dataclass(frozen=True)
class Query:
    """What the search field and the filters ask for; ``stacked``: one tile for all that have the same prompt."""

    text: str = ""
    filter: Filter = EVERYTHING
    stacked: bool = False

    @property
    def narrows(self) -> bool:
        return bool(self.text.strip()) or self.filter != EVERYTHING


class QueryRunner(QObject):
    """Signals: ``found(Query, Stacks)``, whose counts are empty unless it was stacked; ``facets_found(Facets)``;
    ``failed(str)`` with a sentence."""

    found = Signal(object, object)
    facets_found = Signal(object)
    failed = Signal(str)
    _answered = Signal(int, object, object)
    _facets = Signal(object)

    def __init__(self, library: LibrarySource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._asked = 0
        self._closed = False
        self._pool = ThreadPoolExecutor(1, "library-query")
        self._future: Future[None] | None = None
        self._facets_asked: Future[None] | None = None
        self._answered.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        self._facets.connect(self._receive_facets, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return self._future is not None and not self._future.done()

    def ask(self, query: Query) -> None:
        if self._closed:
            return
        self._asked += 1
        if self._future is not None:
            self._future.cancel()
        self._future = self._pool.submit(self._run, self._asked, query)

    def ask_facets(self) -> None:
        """What there is to filter by; asked again while it waits, it is answered once."""
        if not self._closed and (
            self._facets_asked is None or self._facets_asked.running() or self._facets_asked.done()
        ):
            self._facets_asked = self._pool.submit(self._run_facets)

    def close(self) -> None:
        """Forget what was asked and wait for what runs."""
        self._closed = True
        self._asked += 1
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, number: int, query: Query) -> None:
        if number != self._asked:
            return
        answer = _guarded(lambda: self._answer(query))
        if not self._closed:
            self._answered.emit(number, query, answer)

    def _answer(self, query: Query) -> Stacks:
        if query.stacked:
            return self._library.stacks(query.text, query.filter)
        return Stacks(self._library.ids(query.text, query.filter), {})

    def _run_facets(self) -> None:
        answer = _guarded(self._library.facets)
        if not self._closed:
            self._facets.emit(answer)

    def _receive(self, number: int, query: Query, answer: object) -> None:
        if number != self._asked:
            return
        if isinstance(answer, str):
            self.failed.emit(answer)
        else:
            self.found.emit(query, answer)

    def _receive_facets(self, answer: object) -> None:
        if isinstance(answer, Facets) and not self._closed:
            self.facets_found.emit(answer)


def _guarded(ask: Callable[[], object]) -> object:
    """What ``ask`` answers, or a sentence about its failure."""
    try:
        return ask()
    except LaternaError as error:
        return str(error)
    except Exception as error:
        log.exception("The library could not be asked")
        return str(error)
