"""``Loras``: the LoRAs of this machine for whatever shows or uses them. What opens files runs on a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.models.installed import InstalledModel
from engine.models.lora_shelf import KnownLora, LoraShelf, LoraState
from engine.protocol.errors import LaternaError
from engine.protocol.recipe import Adapter
from ui.background import Background


class Loras(QObject):
    """Signals: ``changed`` after ``known`` did, ``failed(LaternaError)``."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, shelf: LoraShelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self.known: tuple[KnownLora, ...] = ()
        self._background = Background(1, self)

    @property
    def folder(self) -> Path:
        """Where LoRAs are looked for."""
        return self._shelf.folder

    def load(self) -> None:
        """Look through the folder (again); ``changed`` follows where something differs."""
        self._background.run(self._shelf.known, self._loaded, self.failed.emit)

    def add(
        self,
        path: Path,
        strength: float,
        then: Callable[[Adapter], None],
        failed: Callable[[LaternaError], None] | None = None,
    ) -> None:
        """Check, hash and remember the file; ``then`` gets the recipe's entry for it."""

        def added(adapter: Adapter) -> None:
            then(adapter)
            self.load()

        self._background.run(lambda: self._shelf.add(path, strength), added, failed or self.failed.emit)

    def judge(
        self,
        adapters: Sequence[Adapter],
        model: InstalledModel | None,
        then: Callable[[list[LoraState]], None],
    ) -> None:
        """How each of them is here, for ``model``."""
        self._background.run(
            lambda: [self._shelf.state(adapter, model) for adapter in adapters], then, self.failed.emit
        )

    def close(self) -> None:
        self._background.close()

    def _loaded(self, known: tuple[KnownLora, ...]) -> None:
        if known != self.known:
            self.known = known
            self.changed.emit()
