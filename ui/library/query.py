"""Asks the library for ids off the GUI thread; only the answer to the latest question counts."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from engine.library.item import Item
from engine.protocol.errors import LaternaError

log = logging.getLogger(__name__)


class LibrarySource(Protocol):
    """The part of ``engine.library.library.Library`` that the gallery uses; called from several threads."""

    def ids(
        self, text: str = "", kind: Literal["image", "video"] | None = None, favourite: bool | None = None
    ) -> array[int]: ...

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
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setExpiryTimeout(-1)  # the library keeps a connection for each thread
        self._answered.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return self._pool.activeThreadCount() > 0

    def ask(self, query: Query) -> None:
        self._asked += 1
        self._pool.clear()
        number = self._asked
        self._pool.start(QRunnable.create(lambda: self._run(number, query)))

    def close(self) -> None:
        self._asked += 1
        self._pool.clear()
        self._pool.waitForDone()

    def _run(self, number: int, query: Query) -> None:
        if number != self._asked:
            return
        try:
            answer: object = self._library.ids(query.text, query.kind, query.favourite)
        except LaternaError as error:
            answer = str(error)
        except Exception as error:
            log.exception("The library could not be asked")
            answer = str(error)
        self._answered.emit(number, query, answer)

    def _receive(self, number: int, query: Query, answer: object) -> None:
        if number != self._asked:
            return
        if isinstance(answer, str):
            self.failed.emit(answer)
        else:
            self.found.emit(query, answer)
