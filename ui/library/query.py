"""Asks the library for ids off the GUI thread; only the answer to the latest question counts."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol

from PySide6.QtCore import QObject, Qt, Signal

from engine.library.filters import EVERYTHING, Filter
from engine.library.item import Item
from engine.protocol.errors import LaternaError

log = logging.getLogger(__name__)


class LibrarySource(Protocol):
    """The part of ``engine.library.library.Library`` that the gallery uses; called from several threads."""

    def ids(self, text: str = "", filter: Filter = EVERYTHING) -> array[int]: ...

    def items(self, ids: Sequence[int]) -> list[Item]: ...


@dataclass(frozen=True)
class Query:
    """What the search field and the filter ask for."""

    text: str = ""
    kind: Literal["image", "video"] | None = None
    favourite: bool | None = None

    @property
    def narrows(self) -> bool:
        return bool(self.text.strip()) or self.kind is not None or self.favourite is not None


class QueryRunner(QObject):
    """Signals: ``found(Query, array)``; ``failed(str)`` with a sentence."""

    found = Signal(object, object)
    failed = Signal(str)
    _answered = Signal(int, object, object)

    def __init__(self, library: LibrarySource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._asked = 0
        self._closed = False
        self._pool = ThreadPoolExecutor(1, "library-query")
        self._future: Future[None] | None = None
        self._answered.connect(self._receive, Qt.ConnectionType.QueuedConnection)

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

    def close(self) -> None:
        """Forget what was asked and wait for what runs."""
        self._closed = True
        self._asked += 1
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, number: int, query: Query) -> None:
        if number != self._asked:
            return
        try:
            answer: object = self._library.ids(query.text, Filter(query.kind, query.favourite))
        except LaternaError as error:
            answer = str(error)
        except Exception as error:
            log.exception("The library could not be asked")
            answer = str(error)
        if not self._closed:
            self._answered.emit(number, query, answer)

    def _receive(self, number: int, query: Query, answer: object) -> None:
        if number != self._asked:
            return
        if isinstance(answer, str):
            self.failed.emit(answer)
        else:
            self.found.emit(query, answer)
