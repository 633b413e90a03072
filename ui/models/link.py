"""``ModelLink``: the model service's notices as Qt signals, and its slower answers from other threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.models import notices
from engine.models.download import DownloadProgress
from engine.protocol.errors import LaternaError
from ui.background import Background

if TYPE_CHECKING:
    from engine.models.service import ModelService

Done = Callable[[Any], None]
MakeModelService = Callable[[Callable[[object], None]], "ModelService"]


class ModelLink(QObject):
    """Signals: ``changed`` when the cards should be read again; ``progressed``, ``queued``, ``ended``,
    ``verify_progressed``, ``verified``, ``move_progressed``, ``moved`` and ``updates_found`` carry one notice each
    (``engine.models.notices``); ``failed`` the ``ErrorInfo`` of a call that did not work.
    """

    changed = Signal()
    progressed = Signal(object)
    queued = Signal(object)
    ended = Signal(object)
    verify_progressed = Signal(object)
    verified = Signal(object)
    move_progressed = Signal(object)
    moved = Signal(object)
    updates_found = Signal(object)
    failed = Signal(object)

    _told = Signal(object)

    def __init__(self, make_service: MakeModelService, parent: QObject | None = None) -> None:
        """``make_service`` gets the function that takes notices; it opens no file."""
        super().__init__(parent)
        self._signals: dict[type, Any] = {
            DownloadProgress: self.progressed,
            notices.DownloadQueued: self.queued,
            notices.DownloadEnded: self.ended,
            notices.VerifyProgressed: self.verify_progressed,
            notices.VerifyEnded: self.verified,
            notices.MoveProgressed: self.move_progressed,
            notices.MoveEnded: self.moved,
            notices.UpdatesFound: self.updates_found,
        }
        self._told.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._background = Background(threads=1, parent=self)
        self.service = make_service(self._told.emit)

    def start(self) -> None:
        self.service.start()

    def stop(self) -> None:
        """End the service (its downloads go on at the next start) and wait for the threads."""
        self.service.close()
        self._background.close()

    def ask(self, work: Callable[[ModelService], Any], done: Done = lambda _: None) -> None:
        """Call ``work(service)`` on another thread; ``done(result)`` or ``failed`` follows on this one."""
        self._background.run(lambda: work(self.service), done, self._fail)

    def import_models(self, path: Path, done: Done) -> None:
        self.ask(lambda service: service.import_models(path), done)

    def _fail(self, error: LaternaError) -> None:
        self.failed.emit(error.info())

    @Slot(object)
    def _deliver(self, notice: object) -> None:
        if isinstance(notice, notices.ModelsChanged):
            self.changed.emit()
        else:
            self._signals[type(notice)].emit(notice)
