"""``QueuePanel``: what runs and what waits; reorder by dragging or with Alt+Up and Alt+Down, cancel with Delete."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListView, QMenu, QPushButton, QVBoxLayout, QWidget

from engine.jobs.notices import JobEnded, JobProgressed, PreviewShown, QueueChanged
from ui.library.previews import middle, split
from ui.queue.queue_delegate import QueueDelegate
from ui.queue.queue_model import QueueModel
from ui.queue.running_row import RunningRow
from ui.theme import Theme
from ui.widgets.labels import label


class QueueList(QListView):
    """Signals: ``move_pressed(int)`` Alt+Up (−1) or Alt+Down (1); ``cancel_pressed()``."""

    move_pressed = Signal(int)
    cancel_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        if alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_pressed.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.cancel_pressed.emit()
        else:
            super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        if event.source() is self:
            self.drop_at(event.position().toPoint())
            event.accept()
        else:
            event.ignore()
        self.setState(QListView.State.NoState)
        self.viewport().update()

    def drop_at(self, point: QPoint) -> None:
        """Move the chosen row to where it was let go: above or below the row under ``point``, or to the end."""
        index = self.indexAt(point)
        below = index.isValid() and point.y() > self.visualRect(index).center().y()
        before = index.row() + below if index.isValid() else self.model().rowCount()
        nowhere = QModelIndex()
        self.model().moveRows(nowhere, self.currentIndex().row(), 1, nowhere, before)


class QueuePanel(QWidget):
    """Signals: ``cancel_requested(str)`` a job's id; ``move_requested(str, int)`` a waiting job and its new place among
    those that wait (0 runs next); ``clear_requested()`` cancel all that wait."""

    cancel_requested = Signal(str)
    move_requested = Signal(str, int)
    clear_requested = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(self.tr("Queue"))
        self.model = QueueModel(self)
        self._build()
        self.clear.clicked.connect(self.clear_requested)
        self.running.cancel_requested.connect(self.cancel_requested)
        self.model.moved.connect(self.move_requested)
        self.list.move_pressed.connect(self._move)
        self.list.cancel_pressed.connect(self._cancel_chosen)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.itemDelegate().cancel_clicked.connect(self.cancel_requested)
        theme.changed.connect(self.list.viewport().update)
        self._update()

    def _build(self) -> None:
        self.heading = label(self.tr("QUEUE"), "section")
        self.count = label("", "muted")
        self.clear = QPushButton(self.tr("Clear"))
        self.clear.setProperty("role", "plain")
        self.clear.setAccessibleName(self.tr("Cancel everything that waits"))
        self.clear.setToolTip(self.tr("Cancel everything that waits"))
        head = QHBoxLayout()
        head.setContentsMargins(16, 6, 8, 4)
        head.setSpacing(8)
        head.addWidget(self.heading)
        head.addWidget(self.count)
        head.addStretch(1)
        head.addWidget(self.clear)
        self.empty = label(
            self.tr("Nothing is waiting. Press Generate as often as you like; it lines up here."), "muted"
        )
        self.empty.setWordWrap(True)
        self.empty.setContentsMargins(16, 0, 16, 12)
        self.running = RunningRow(theme=self._theme)
        self.list = QueueList()
        self.list.setModel(self.model)
        self.list.setAccessibleName(self.tr("Waiting jobs"))
        self.list.setItemDelegate(QueueDelegate(theme=self._theme, parent=self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
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

    # notices

    def queue_changed(self, change: QueueChanged) -> None:
        running = next((job for job in change.jobs if job.state == "running"), None)
        if running is not None:
            self.running.show_job(running)
        else:
            self.running.job = None
        self.model.set_jobs([job for job in change.jobs if job.state == "waiting"])
        self._update()

    def job_progressed(self, progress: JobProgressed) -> None:
        if self.running.job is not None and self.running.job.id == progress.job:
            self.running.show_progress(progress)

    def preview_shown(self, preview: PreviewShown) -> None:
        if self.running.job is not None and self.running.job.id == preview.job and self.isVisible():
            self.running.thumb.set_image(middle(split(preview)))

    def job_ended(self, ended: JobEnded) -> None:
        if self.running.job is not None and self.running.job.id == ended.job.id:
            self.running.job = None
        else:
            self.model.set_jobs([job for job in self.model.jobs if job.id != ended.job.id])
        self._update()

    # what the person does

    def _move(self, delta: int) -> None:
        row = self.list.currentIndex().row()
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(self.model.move(row, delta)))

    def _cancel_chosen(self) -> None:
        job = self.model.job(self.list.currentIndex().row())
        if job is not None:
            self.cancel_requested.emit(job.id)

    def _show_menu(self, point: QPoint) -> None:
        index = self.list.indexAt(point)
        if not index.isValid():
            return
        self.list.setCurrentIndex(index)
        row, last = index.row(), self.model.rowCount() - 1
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        up = menu.addAction(self.tr("Move up (Alt+Up)"), lambda: self._move(-1))
        up.setEnabled(row > 0)
        down = menu.addAction(self.tr("Move down (Alt+Down)"), lambda: self._move(1))
        down.setEnabled(row < last)
        menu.addAction(self._theme.icon("x"), self.tr("Cancel (Delete)"), self._cancel_chosen)
        menu.popup(self.list.viewport().mapToGlobal(point))

    def _update(self) -> None:
        waiting = self.model.rowCount()
        running = self.running.job is not None
        self.running.setVisible(running)
        self.list.setVisible(waiting > 0)
        self.empty.setVisible(not waiting and not running)
        self.clear.setEnabled(waiting > 0)
        self.count.setText(self.tr("{0} waiting").format(waiting) if waiting else "")
