"""What the window reaches through threads: the services, the links to engine and models, and the models there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.models.installed import InstalledModel
from ui.background import Background
from ui.engine_link import EngineLink

if TYPE_CHECKING:
    from ui.models.link import ModelLink
    from ui.window.services import Services


class Links(QObject):
    """Signals:

    ``opened(Services)`` the links are there and not yet started: time to connect to them
    ``started`` the links work
    ``closed(LaternaError)`` the services could not be opened
    ``models_found(tuple)`` of ``InstalledModel``, at the start and whenever they changed
    ``failed(LaternaError)`` looking for models did not work
    """

    opened = Signal(object)
    started = Signal()
    closed = Signal(object)
    models_found = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        open_services: Callable[[], Services],
        find_models: Callable[[], tuple[InstalledModel, ...]],
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        """``open_services`` and ``find_models`` are called on threads of ``background``."""
        super().__init__(parent)
        self.find_models = find_models
        self._open_services = open_services
        self._background = background
        self._services: Services | None = None
        self.engine: EngineLink | None = None
        self.models: ModelLink | None = None

    def open(self) -> None:
        self.look_for_models()
        self._background.run(self._open_services, self._open, self.closed.emit)

    def look_for_models(self) -> None:
        """Again, where a model was downloaded, imported or removed."""
        self._background.run(self.find_models, self.models_found.emit, self.failed.emit)

    def preload(self, model: InstalledModel | None) -> None:
        """Have the engine load ``model`` while the person types."""
        if self.engine is not None and model is not None:
            self.engine.preload(str(model.folder))

    def stop(self) -> None:
        """End the links and their threads."""
        for link in (self.engine, self.models):
            if link is not None:
                link.stop()

    def close(self) -> None:
        """After ``stop``, and once nobody uses the library any more."""
        if self._services is not None:
            self._services.close()

    def _open(self, services: Services) -> None:
        from ui.models.link import ModelLink

        self._services = services
        self.engine = EngineLink(services.make_job_service, parent=self)
        self.models = ModelLink(services.make_model_service, parent=self)
        self.models.changed.connect(self.look_for_models)
        self.opened.emit(services)
        self.engine.start()
        self.models.start()
        self.started.emit()
