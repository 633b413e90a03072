"""Where Laterna keeps its things. ``--home DIR`` or ``LATERNA_HOME`` puts all of it into one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from resources import MODELS as EMBEDDED_MODELS


@dataclass(frozen=True)
class Paths:
    """All folders and files that Laterna writes; ``output`` holds the pictures and clips."""

    config: Path
    data: Path
    cache: Path
    logs: Path
    output: Path

    @classmethod
    def find(cls, home: str | None = None) -> Paths:
        base = home or os.environ.get("LATERNA_HOME")
        if base:
            root = Path(base).expanduser().resolve()
            return cls(root / "config", root / "data", root / "cache", root / "logs", root / "output")
        dirs = platformdirs.PlatformDirs("laterna", appauthor=False)
        pictures = Path(platformdirs.user_pictures_dir()) / "Laterna"
        return cls(dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path, dirs.user_log_path, pictures)

    @property
    def settings_file(self) -> Path:
        return self.config / "settings.json"

    @property
    def queue_database(self) -> Path:
        return self.data / "queue.sqlite3"

    @property
    def unfinished(self) -> Path:
        """What ``generate`` was stopped at."""
        return self.data / "unfinished"

    @property
    def library_database(self) -> Path:
        return self.data / "library.sqlite3"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Where models are looked for: those that ship first, then the person's own."""
        return (EMBEDDED_MODELS, self.models)

    @property
    def inputs(self) -> Path:
        """Frames of clips that pictures were started from."""
        return self.data / "inputs"

    @property
    def known_media(self) -> Path:
        """Where the pictures and clips lie that generations were given."""
        return self.data / "known-media.json"

    @property
    def adapters(self) -> Path:
        """Where LoRAs are looked for."""
        return self.data / "loras"

    @property
    def upscalers(self) -> Path:
        """The imported networks that make pictures larger."""
        return self.data / "upscalers"

    @property
    def trainings(self) -> Path:
        """Checkpoints, logs and samples of trainings, a folder each."""
        return self.data / "training"

    @property
    def styles(self) -> Path:
        """The person's own styles; those that ship are in the resources."""
        return self.data / "styles"

    @property
    def wildcards(self) -> Path:
        return self.data / "wildcards"

    @property
    def encodings(self) -> Path:
        """Cached prompt encodings; private to the person."""
        return self.cache / "encodings"

    @property
    def footprints(self) -> Path:
        """What simulated networks need of memory."""
        return self.cache / "memory"

    @property
    def compiled(self) -> Path:
        """Kernels of compiled models, and what compiling gave."""
        return self.cache / "compiled"

    @property
    def previews(self) -> Path:
        """What was learned of VAEs for live previews."""
        return self.data / "previews"

    @property
    def runs(self) -> Path:
        """What past jobs needed, for the forecasts."""
        return self.data / "runs.sqlite3"

    @property
    def thumbnails(self) -> Path:
        return self.cache / "thumbnails"

    @property
    def engine_log(self) -> Path:
        return self.logs / "engine.log"

    def create(self) -> None:
        for folder in (self.config, self.data, self.cache, self.logs, self.output):
            folder.mkdir(parents=True, exist_ok=True)
        self.encodings.mkdir(parents=True, exist_ok=True, mode=0o700)
