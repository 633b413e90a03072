"""The engine's own folders, for what a window on another machine cannot name: its models, caches, checkpoints.

A window on this machine gives whole paths, and then nothing is made here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.models.installed import resolve
from engine.protocol.commands import Generate, JobCommand
from engine.protocol.errors import ProtocolError
from resources import MODELS

VARIABLE = "LATERNA_ENGINE_HOME"


@dataclass(frozen=True)
class Home:
    folder: Path

    @classmethod
    def find(cls) -> Home:
        named = os.environ.get(VARIABLE)
        return cls(Path(named) if named else Path.home() / ".cache" / "laterna" / "engine")

    @property
    def assets(self) -> Path:
        return self.folder / "assets"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def settled(self, job: JobCommand) -> JobCommand:
        """``job`` with whole paths of this machine. Raises ``ModelMissing``, and ``ProtocolError`` for a path that
        leads out of here."""
        job = msgspec.structs.replace(job, checkpoint=self._place(job.checkpoint))
        if not isinstance(job, Generate):
            return job
        return msgspec.structs.replace(
            job,
            model_folder=str(self.model(job.model_folder)),
            cache_folder=self._place(job.cache_folder),
            footprints_folder=self._place(job.footprints_folder),
            previews_folder=self._place(job.previews_folder),
            compile_folder=self._place(job.compile_folder),
        )

    def model(self, named: str) -> Path:
        """The folder of a model: ``named`` itself where that is a whole path, else the model of that id."""
        path = Path(named)
        return path if path.is_absolute() else resolve(named, (self.folder / "models", MODELS)).folder

    def _place(self, named: str) -> str:
        path = Path(named)
        if not named or path.is_absolute():
            return named
        if ".." in path.parts:
            raise ProtocolError(f"“{named[:200]}” leads out of the engine's home.")
        return str(self.folder / path)
