"""``QueuePanel``: what runs and what waits, what was stopped, and everything that can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListView, QMenu, QPushButton, QVBoxLayout, QWidget

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobProgressed, LibraryChanged, MemoryShown, PreviewShown, QueueChanged
from engine.protocol.recipe import Recipe
from ui.formats import about
from ui.library.previews import middle, split
from ui.queue.finished import FinishedStrip
from ui.queue.queue_delegate import QueueDelegate
from ui.queue.queue_list import QueueList
from ui.queue.queue_model import QueueModel
from ui.queue.queue_rows import QueueRow
from ui.queue.running_row import RunningRow
from ui.queue.time_left import TimeLeft
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, label


class QueuePanel(QWidget):
    """Signals: ``cancel_requested(str)`` the running job's id; with a list of ids ``remove_requested``,
    ``pause_requested``, ``resume_requested``, ``duplicate_requested`` and ``move_requested(list, int)``, the new place
    in the line (0 runs next); ``edit_requested(Job)``; ``clear_requested()``; ``queue_paused(bool)``."""

    cancel_requested = Signal(str)
    remove_requested = Signal(list)
    pause_requested = Signal(list)
    resume_requested = Signal(list)
    duplicate_requested = Signal(list)
    move_requested = Signal(list, int)
    edit_requested = Signal(object)
    clear_requested = Signal()
    queue_paused = Signal(bool)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._paused = False
        self._held = 0  # jobs that are paused themselves
        self._time_left = TimeLeft()
        self.setAccessibleName(self.tr("Queue"))
        self.model = QueueModel(self)
        self._build()
        self.clear.clicked.connect(self.clear_requested)
        self.pause.clicked.connect(lambda: self.queue_paused.emit(not self._paused))
        self.running.cancel_requested.connect(self.cancel_requested)
        self.running.pause_requested.connect(lambda id: self.pause_requested.emit([id]))
        self.model.moved.connect(self.move_requested)
        self.list.pressed_key.connect(lambda name: getattr(self, name)())
        self.list.customContextMenuRequested.connect(self._show_menu)
        delegate = self.list.itemDelegate()
        delegate.remove_clicked.connect(lambda row: self.remove_requested.emit(row.ids))
        delegate.resume_clicked.connect(lambda row: self.resume_requested.emit(row.ids))
        delegate.toggle_clicked.connect(self.list.toggle)
        theme.changed.connect(self.list.viewport().update)
        self._update()

    def _build(self) -> None:
        self.heading = label(self.tr("QUEUE"), "section")
        self.count = ElidedLabel("", "muted")
        self.pause = IconButton("pause", self.tr("Pause the queue"), theme=self._theme, role="muted", size=16)
        self.clear = QPushButton(self.tr("Clear"))
        self.clear.setProperty("role", "plain")
        self.clear.setAccessibleName(self.tr("Take out everything that waits"))
        self.clear.setToolTip(self.tr("Take out everything that waits"))
        head = QHBoxLayout()
        head.setContentsMargins(16, 6, 8, 4)
        head.setSpacing(8)
        head.addWidget(self.heading)
        head.addWidget(self.count, 1)
        head.addWidget(self.pause)
        head.addWidget(self.clear)
        self.empty = label(
            self.tr("Nothing is waiting. Press Generate as often as you like; it lines up here."), "muted"
        )
        self.empty.setWordWrap(True)
        self.empty.setContentsMargins(16, 0, 16, 12)
        self.running = RunningRow(theme=self._theme)
        self.finished = FinishedStrip(theme=self._theme)
        self.list = QueueList(self.model)
        self.list.setAccessibleName(self.tr("Waiting jobs"))
        self.list.setItemDelegate(QueueDelegate(theme=self._theme, parent=self.list))
        self.list.setProperty("role", "bare")
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setDragDropMode(QListView.DragDropMode.InternalMove)
        self.list.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.viewport().setAutoFillBackground(False)
        line = QFrame()
        line.setProperty("role", "line")
        line.setFixedHeight(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(line)
        layout.addLayout(head)
        layout.addWidget(self.running)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        below = QHBoxLayout()
        below.setContentsMargins(12, 0, 12, 0)
        below.addWidget(self.finished)
        layout.addLayout(below)

    # --- notices

    def queue_changed(self, change: QueueChanged) -> None:
        at = next((at for at, job in enumerate(change.jobs) if job.state != "running"), len(change.jobs))
        self._show_running(change.jobs[0] if at else None)
        self._paused = change.paused
        keys = [row.key for row in self.list.chosen_rows()]
        self.model.set_jobs(change.jobs[at:], change.stopped)
        self._held = sum(job.state == "paused" for job in change.jobs)
        self.list.choose(keys)
        self._update()

    def job_progressed(self, progress: JobProgressed) -> None:
        if self.running.job is not None and self.running.job.id == progress.job:
            self.running.show_progress(progress)
            self._tell()

    def preview_shown(self, preview: PreviewShown) -> None:
        if self.running.job is not None and self.running.job.id == preview.job and self.isVisible():
            self.running.thumb.set_image(middle(split(preview)))

    def job_ended(self, ended: JobEnded) -> None:
        self.finished.job_ended(ended)
        if self.running.job is not None and self.running.job.id == ended.job.id:
            self._show_running(None)
            self._update()

    def memory_shown(self, shown: MemoryShown) -> None:
        self.running.show_memory(shown.memory)

    def library_changed(self, change: LibraryChanged) -> None:
        self.finished.library_changed(change)

    def close_down(self) -> None:
        """Wait for its thread."""
        self.finished.close_down()

    def set_estimate(self, seconds: Callable[[Recipe], float | None]) -> None:
        """How long a job of a recipe takes; None where that is not known."""
        self._time_left.seconds = seconds
        self._tell()

    # --- what the person does

    def remove(self) -> None:
        self._emit(self.remove_requested, self.list.chosen())

    def duplicate(self) -> None:
        self._emit(self.duplicate_requested, self.list.chosen())

    def toggle_pause(self) -> None:
        """Pause what waits; where nothing of what is chosen waits, go on with it."""
        chosen = self.list.chosen()
        waiting = [job for job in chosen if job.state == "waiting"]
        self._emit(self.pause_requested if waiting else self.resume_requested, waiting or chosen)

    def resume(self) -> None:
        self._emit(self.resume_requested, [job for job in self.list.chosen() if job.state != "waiting"])

    def edit(self) -> None:
        chosen = self.list.chosen()
        if len(chosen) == 1 and chosen[0].derivation is None:
            self.edit_requested.emit(chosen[0])

    @staticmethod
    def _emit(signal: Signal, jobs: list[Job]) -> None:
        if jobs:
            signal.emit([job.id for job in jobs])  # type: ignore[attr-defined]

    def _show_menu(self, point: QPoint) -> None:
        menu = self.make_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(point))

    def make_menu(self) -> QMenu:
        """What can be done with the chosen rows, and with the whole queue."""
        menu, rows = QMenu(self), self.list.chosen_rows()
        jobs = self.list.chosen()
        if rows:
            self._add_moves(menu, rows)
            edit = menu.addAction(self.tr("Edit…\tE"), self.edit)
            edit.setEnabled(len(jobs) == 1 and jobs[0].derivation is None)
            menu.addAction(self._theme.icon("copy"), self.tr("Duplicate with the next seed\tD"), self.duplicate)
            if any(job.state == "waiting" for job in jobs):
                menu.addAction(self._theme.icon("pause"), self.tr("Pause\tP"), self.toggle_pause)
            if any(job.state != "waiting" for job in jobs):
                menu.addAction(self._theme.icon("play"), self.tr("Go on"), self.resume)
            menu.addAction(self._theme.icon("x"), self.tr("Remove\tDelete"), self.remove)
            menu.addSeparator()
        text = self.tr("Go on with the queue") if self._paused else self.tr("Pause the queue")
        menu.addAction(self._theme.icon("play" if self._paused else "pause"), text, self.pause.click)
        clear = menu.addAction(self.tr("Take out everything that waits"), self.clear.click)
        clear.setEnabled(self.clear.isEnabled())
        return menu

    def _add_moves(self, menu: QMenu, rows: list[QueueRow]) -> None:
        moves = (
            (self.tr("Run next\tAlt+Home"), -2),
            (self.tr("Move up\tAlt+Up"), -1),
            (self.tr("Move down\tAlt+Down"), 1),
            (self.tr("Run last\tAlt+End"), 2),
        )
        if all(row.is_stopped for row in rows):
            return
        first, last = rows[0].place == 0, rows[-1].place + len(rows[-1].jobs) >= len(self.model.jobs)
        for text, delta in moves:
            action = menu.addAction(text, lambda delta=delta: self.list.move_chosen(delta))
            action.setEnabled(not (first if delta < 0 else last))
        menu.addSeparator()

    # --- inner

    def _show_running(self, job: Job | None) -> None:
        if job is not None:
            self.running.show_job(job)
        else:
            self.running.job = None

    def _update(self) -> None:
        waiting, running = len(self.model.jobs), self.running.job is not None
        self.running.setVisible(running)
        self.list.setVisible(self.model.rowCount() > 0)
        self.empty.setVisible(not self.model.rowCount() and not running)
        self.clear.setEnabled(waiting > 0)
        self.pause.set_icon("play" if self._paused else "pause", "accent" if self._paused else "muted")
        self.pause.set_text(self.tr("Go on with the queue") if self._paused else self.tr("Pause the queue"))
        self._tell()

    def _tell(self) -> None:
        held, waiting = self._held, len(self.model.jobs) - self._held
        parts = [self.tr("paused")] if self._paused else []
        if waiting:
            parts.append(self.tr("{0} waiting").format(waiting))
        if held:
            parts.append(self.tr("{0} paused").format(held))
        progress = self.running.progress
        seconds = self._time_left.of(self.model.jobs, self.running.job, progress)
        if seconds is not None and (self.running.job or (waiting and not self._paused)):
            parts.insert(0, self.tr("≈ {0} left").format(about(seconds)))  # what is cut is what the list shows too
        self.count.set_text(" · ".join(parts))
