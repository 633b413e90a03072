"""``ViewPanel``: header, canvas and player bar; shows an item, or the picture that forms."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QSize, QStandardPaths, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from engine.jobs.notices import JobEnded, JobProgressed, PreviewShown, QueueChanged
from engine.library.item import Item
from engine.protocol.errors import LaternaError
from ui.background import Background
from ui.dialogs import AskTarget, ask_target
from ui.library.captions import recipe_title
from ui.player.canvas import Canvas
from ui.player.clip_player import ClipPlayer
from ui.player.decoder import MEMORY_BOUND
from ui.player.exports import ViewExports
from ui.player.header import ViewHeader
from ui.player.live import LivePreview
from ui.player.notice import ViewNotice
from ui.player.picture import read_picture
from ui.sentences import said
from ui.theme import Theme

WARM_UP_MS = 1200
log = logging.getLogger(__name__)
SEPARATOR = "   ·   "


class ViewPanel(QWidget):
    """Signals:

    ``favourite_toggled(int)`` the id of the item shown
    ``copy_requested(Item, QImage)`` the item shown, and of a clip the frame
    ``neighbour_wanted(int)`` an arrow key on a picture: the next (1) or previous (-1) item
    ``message(str)`` a sentence for the person
    """

    favourite_toggled = Signal(int)
    copy_requested = Signal(object, QImage)
    neighbour_wanted = Signal(int)
    message = Signal(str)

    def __init__(
        self,
        *,
        theme: Theme,
        frames_folder: Path | None = None,
        memory_bound: int = MEMORY_BOUND,
        ask_target: AskTarget = ask_target,
        parent: QWidget | None = None,
    ) -> None:
        """``frames_folder`` keeps frames that were dragged out; ``memory_bound`` in bytes is for decoded frames."""
        super().__init__(parent)
        self.theme = theme
        self._item: Item | None = None
        self._loading = 0
        self._crossfade = False
        self._showing_live = False
        self._background = Background(1, self)
        self.clip = ClipPlayer(memory_bound, theme=theme, parent=self)
        self.playback, self.transport = self.clip.playback, self.clip.transport
        self.live = LivePreview(self)
        self._build()
        self.exports = ViewExports(
            lambda: None if self._showing_live else self._item,
            self.clip,
            header=self.header,
            canvas=self.canvas,
            theme=theme,
            folder=frames_folder or _cache() / "frames",
            ask_target=ask_target,
            parent=self,
        )
        self.exports.said.connect(self.message)
        self._connect()
        self._show_hint()
        QTimer.singleShot(WARM_UP_MS, self, self._warm_up)

    def _build(self) -> None:
        self.setAccessibleName(self.tr("View"))
        self.header = ViewHeader(theme=self.theme)
        self.canvas = Canvas(theme=self.theme)
        self.notice = ViewNotice(theme=self.theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.canvas)
        self._stack.addWidget(self.notice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._middle = QHBoxLayout()
        self._middle.setSpacing(1)
        self._middle.addWidget(self._stack, 1)
        layout.addWidget(self.header)
        layout.addLayout(self._middle, 1)
        layout.addWidget(self.transport)

    def _connect(self) -> None:
        self.header.star.clicked.connect(self._toggle_favourite)
        self.header.copy.clicked.connect(self._copy)
        self.canvas.copy_pressed.connect(self._copy)
        self.canvas.stepped.connect(self._arrow)
        self.canvas.zoom_changed.connect(lambda _zoom: self._tell_chip())
        self.clip.opened.connect(self._tell_chip)
        self.clip.frame_shown.connect(self._frame_shown)
        self.clip.failed.connect(self._clip_failed)
        self.live.picture_changed.connect(self._live_picture)

    def _warm_up(self) -> None:
        """Load the decoder's libraries before the first clip is chosen."""

        def load() -> None:
            import av  # noqa: F401

            from engine.media import mp4  # noqa: F401

        self._background.run(load, lambda _none: None, lambda error: log.error("%s", error))

    # what others call

    def add_side(self, panel: QWidget) -> None:
        """Beside the picture."""
        self._middle.addWidget(panel)

    @property
    def item(self) -> Item | None:
        return self._item

    def show_item(self, item: Item | None) -> None:
        """Show an item. The same one again only refreshes the header (it may have become a favourite)."""
        if item is None:
            self.clear()
            return
        same = self._item is not None and not self._showing_live and _same_file(self._item, item)
        self._item = item
        self.header.show_item(item)
        if same:
            return
        self._crossfade = self._showing_live and not self.canvas.image.isNull()
        self._showing_live = False
        self._loading += 1
        self.clip.close()
        self.transport.setVisible(item.kind == "video")
        if not self._crossfade:
            self.canvas.fit()
        self.canvas.setAccessibleName(recipe_title(item.recipe, item.path))
        missing = item.missing or not item.file.is_file()  # it may have gone since it was read
        if item.trashed is not None and missing:
            self._show_problem(
                self.tr("Not in the trash any more"),
                self.tr("The trash was emptied of {0}. Its recipe is still here, and makes it again.").format(
                    item.path.name
                ),
            )
        elif missing:
            self._show_problem(
                self.tr("The file is missing"),
                self.tr("{0} is not there any more. Put it back, or delete this entry.").format(item.path),
            )
        elif item.kind == "video":
            self._await_picture()
            self.clip.open(item.file, item.seconds)
        else:
            self._load_picture(item)

    def clear(self) -> None:
        """Nothing to show: the hint how to begin."""
        self._forget_item()
        self._showing_live = False
        self.live.end()
        self._show_hint()

    def close_down(self) -> None:
        """Wait for every thread."""
        self._loading += 1
        self.live.end()
        self.playback.wait()
        self.exports.close_down()
        self._background.close()
        self.canvas.close_down()

    # the running job

    def queue_changed(self, change: QueueChanged) -> None:
        """Optional: with it the header says which prompt forms, and previews stand for the final size."""
        self.live.set_queue(change)

    def job_progressed(self, progress: JobProgressed) -> None:
        self.live.set_progress(progress)
        self._show_live()
        self._tell_running()

    def preview_shown(self, preview: PreviewShown) -> None:
        self.live.set_preview(preview)
        self._show_live()

    def job_ended(self, ended: JobEnded) -> None:
        """A finished job's last preview stays until its item is shown; of one that failed nothing stays."""
        if ended.job.id != self.live.job:
            return
        self.live.end()
        if not self._showing_live or (ended.job.state == "done" and ended.item_ids):
            return
        self._showing_live = False
        item, self._item = self._item, None
        if item is not None:
            self.show_item(item)
        else:
            self.clear()

    def _show_live(self) -> None:
        if not self._showing_live:
            self._showing_live = True
            self._loading += 1
            self.clip.close()
            self.transport.hide()
            self.canvas.clear()
            picture = self.live.picture
            if picture is not None:
                self._live_picture(picture)
            else:
                self.notice.show_text("sparkle", self.tr("Being made"), self.tr("The picture shows as it forms."))
                self._stack.setCurrentWidget(self.notice)
        self._tell_running()

    def _live_picture(self, picture: QImage) -> None:
        if self._showing_live:
            self.canvas.set_image(picture, self.live.natural, moving=True)
            self._stack.setCurrentWidget(self.canvas)

    def _tell_running(self) -> None:
        step = self.live.step_text()
        self.header.show_running(self.live.title(), step)
        natural = self.live.natural
        size = f"{natural.width()} × {natural.height()}" if not natural.isEmpty() else ""
        self.canvas.set_chip(SEPARATOR.join(part for part in (size, step) if part))

    # a picture

    def _await_picture(self) -> None:
        """Until the next picture is there, the last one stays; instead of a text, an empty canvas."""
        if self._stack.currentWidget() is not self.canvas:
            self.canvas.clear()
            self._stack.setCurrentWidget(self.canvas)
        self.canvas.set_chip("")

    def _load_picture(self, item: Item) -> None:
        self._await_picture()
        number = self._loading

        def done(image: QImage) -> None:
            if number == self._loading:
                self.canvas.set_image(image, crossfade=self._crossfade)
                self._crossfade = False
                self._stack.setCurrentWidget(self.canvas)
                self._tell_chip()

        def failed(error: LaternaError) -> None:
            if number == self._loading:
                self._show_problem(self.tr("This picture cannot be shown"), said(error.info()))

        self._background.run(lambda: read_picture(item.file), done, failed)

    # a clip

    def toggle_play(self) -> None:
        self.playback.toggle()

    def step(self, delta: int) -> None:
        """``delta`` frames on, paused."""
        self.playback.step(delta)

    def mark(self, which: str) -> None:
        self.clip.mark(which)

    def _frame_shown(self, image: QImage) -> None:
        self.canvas.set_image(image, crossfade=self._crossfade, moving=True)
        self._crossfade = False
        if self._stack.currentWidget() is not self.canvas:
            self._stack.setCurrentWidget(self.canvas)
        self._tell_chip()

    def _clip_failed(self, sentence: str) -> None:
        if not self.clip.is_open or self.canvas.image.isNull():
            self.transport.hide()
            self._show_problem(self.tr("This clip cannot be played"), sentence)
        else:
            self.message.emit(sentence)

    def _arrow(self, delta: int) -> None:
        if self.clip.is_open:
            self.step(delta)
        else:
            self.neighbour_wanted.emit(delta)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.clip.is_open and event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.clip.go_to_end(first=event.key() == Qt.Key.Key_Home)
        else:
            super().keyPressEvent(event)

    # what can be done with it

    def _copy(self) -> None:
        if self._item is not None and not self._showing_live:
            frame = self.playback.current_image() if self.clip.is_open else None
            self.copy_requested.emit(self._item, frame if frame is not None else QImage())

    def _toggle_favourite(self) -> None:
        if self._item is not None:
            self.favourite_toggled.emit(self._item.id)

    @property
    def showing_live(self) -> bool:
        return self._showing_live

    @property
    def is_clip(self) -> bool:
        """Whether a clip is shown, opened and ready."""
        return self.clip.is_open

    def export_frame(self) -> None:
        self.exports.export_frame()

    def save_copy(self) -> None:
        self.exports.save_copy()

    def export_clip(self) -> None:
        self.exports.export_clip()

    # inner

    def _tell_chip(self) -> None:
        if self._showing_live or self._item is None:
            return
        info = self.clip.info
        natural = self.canvas.image.size() if info is None else QSize(info.width, info.height)
        parts = [f"{natural.width()} × {natural.height()}"]
        if info is not None:
            parts.append(self.tr("{0} fps").format(f"{info.fps:.4g}"))
            parts.append(self.tr("frame {0} / {1}").format(self.playback.index + 1, info.count))
        if not self.canvas.fitted:
            parts.append(f"{round(self.canvas.zoom * 100)} %")
        self.canvas.set_chip(SEPARATOR.join(parts))

    def _forget_item(self) -> None:
        self._item = None
        self._loading += 1
        self.clip.close()
        self.transport.hide()
        self.canvas.clear()
        self.header.show_nothing()

    def _show_hint(self) -> None:
        self.notice.show_text(
            "sparkle",
            self.tr("What you make shows here"),
            self.tr("Describe it in the prompt, then press Generate (Ctrl+Enter)."),
        )
        self._stack.setCurrentWidget(self.notice)

    def _show_problem(self, title: str, text: str) -> None:
        self.canvas.clear()
        self.notice.show_text("warning", title, text)
        self._stack.setCurrentWidget(self.notice)


def _same_file(old: Item, new: Item) -> bool:
    return (old.id, old.file, old.missing, old.size) == (new.id, new.file, new.missing, new.size)


def _cache() -> Path:
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)) / "laterna"
