"""The gallery's first tile: the job that runs. It stays until its result takes its place, so that nothing jumps."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.jobs.notices import JobEnded, JobProgressed, PreviewShown, QueueChanged
from ui.library.captions import recipe_title
from ui.library.model import LibraryModel, RunningTile
from ui.library.previews import middle, split


class Making(QObject):
    """Signals: ``changed()`` the tile came or went; ``results_wanted()`` a result is there that the model lacks."""

    changed = Signal()
    results_wanted = Signal()

    def __init__(self, model: LibraryModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._titles: dict[str, str] = {}
        self._ended = ""

    def queue_changed(self, change: QueueChanged) -> None:
        running = next((job for job in change.jobs if job.state == "running"), None)
        if running is not None:
            self._titles = {running.id: recipe_title(running.recipe)}
            self._tile(running.id)

    def job_progressed(self, progress: JobProgressed) -> None:
        tile = self._tile(progress.job)
        tile.fraction = progress.fraction
        self._model.running_changed()

    def preview_shown(self, preview: PreviewShown) -> None:
        tile = self._tile(preview.job)
        tile.preview = middle(split(preview)) or tile.preview
        self._model.running_changed()

    def job_ended(self, ended: JobEnded, *, narrowed: bool) -> None:
        """``narrowed``: the gallery shows a choice, in which the result need not come."""
        tile = self._model.running
        if tile is None or tile.job != ended.job.id:
            return
        if any(self._model.row_of(item_id) < 0 for item_id in ended.item_ids) and not narrowed:
            self._ended = tile.job
            tile.fraction = 1.0
            self._model.running_changed()
            self.results_wanted.emit()
        else:
            self.drop()

    def results_shown(self) -> None:
        """The rows are those of now: a tile whose job has ended goes."""
        if self._ended:
            self.drop()

    def drop(self) -> None:
        self._ended = ""
        self._model.set_running(None)
        self.changed.emit()

    def _tile(self, job: str) -> RunningTile:
        tile = self._model.running
        if tile is None or tile.job != job:
            tile = RunningTile(job, self._titles.get(job) or self.tr("Being made"))
            self._ended = ""
            self._model.set_running(tile)
            self.changed.emit()
        return tile
