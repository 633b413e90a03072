"""``ViewPanel``: header, canvas and player bar; shows an item, or the picture that forms."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, QStandardPaths, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from engine.jobs.notices import JobEnded, JobProgressed, PreviewShown, QueueChanged
from engine.library.item import Item
from engine.protocol.errors import BadFile, LaternaError
from ui.background import Background
from ui.library.captions import recipe_title
from ui.library.drag import drag_pixmap, make_drag, run_drag
from ui.player.canvas import Canvas
from ui.player.decoder import MEMORY_BOUND, ClipInfo
from ui.player.export import copy_file, frame_name, frame_to_drag, save_frame
from ui.player.header import ViewHeader
from ui.player.live import LivePreview
from ui.player.notice import ViewNotice
from ui.player.playback import Playback
from ui.player.transport import Transport
from ui.theme import Theme

WARM_UP_MS = 1200
log = logging.getLogger(__name__)
SEPARATOR = "   ·   "
AskTarget = Callable[[QWidget, str, Path, Callable[[Path], None]], None]
"""``ask(parent, title, suggestion, then)`` calls ``then`` with the path that the person chose, if any."""


class ViewPanel(QWidget):
    """Signals:

    ``favourite_toggled(int)`` the id of the item shown
    ``copy_requested(Item)``
    ``neighbour_wanted(int)`` an arrow key on a picture: the next (1) or previous (-1) item
    ``message(str)`` a sentence for the person
    """

    favourite_toggled = Signal(int)
    copy_requested = Signal(object)
    neighbour_wanted = Signal(int)
    message = Signal(str)

    def __init__(
        self,
        *,
        theme: Theme,
        frames_folder: Path | None = None,
        memory_bound: int = MEMORY_BOUND,
        ask_target: AskTarget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """``frames_folder`` keeps frames that were dragged out; ``memory_bound`` in bytes is for decoded frames."""
        super().__init__(parent)
        self._theme = theme
        self._frames_folder = frames_folder or _cache() / "frames"
        self._ask_target = ask_target or _ask_target
        self._item: Item | None = None
        self._info: ClipInfo | None = None
        self._loading = 0
        self._crossfade = False
        self._resume = False
        self._showing_live = False
        self._camera_press: QPoint | None = None
        self._background = Background(1, self)
        self.playback = Playback(bound=memory_bound, parent=self)
        self.live = LivePreview(self)
        self._build()
        self._connect()
        self._show_hint()
        QTimer.singleShot(WARM_UP_MS, self, self._warm_up)

    def _build(self) -> None:
        self.setAccessibleName(self.tr("View"))
        self.header = ViewHeader(theme=self._theme)
        self.canvas = Canvas(theme=self._theme)
        self.notice = ViewNotice(theme=self._theme)
        self.transport = Transport(theme=self._theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.canvas)
        self._stack.addWidget(self.notice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.header, self._stack, self.transport):
            layout.addWidget(part)
        layout.setStretch(1, 1)
        self.transport.hide()

    def _connect(self) -> None:
        header, transport, playback = self.header, self.transport, self.playback
        header.star.clicked.connect(self._toggle_favourite)
        header.copy.clicked.connect(lambda: self._item and self.copy_requested.emit(self._item))
        header.camera.clicked.connect(self.export_frame)
        header.camera.installEventFilter(self)
        header.download.clicked.connect(self.save_copy)
        self.canvas.drag_wanted.connect(self._drag)
        self.canvas.stepped.connect(self._arrow)
        self.canvas.zoom_changed.connect(lambda _zoom: self._tell_chip())
        transport.play_toggled.connect(self.toggle_play)
        transport.step_wanted.connect(self.step)
        transport.seek_wanted.connect(playback.seek)
        transport.loop_changed.connect(self._set_loop)
        transport.speed_changed.connect(playback.set_speed)
        transport.scrub_started.connect(self._begin_scrub)
        transport.scrub_ended.connect(self._end_scrub)
        playback.opened.connect(self._clip_opened)
        playback.frame_shown.connect(self._frame_shown)
        playback.playing_changed.connect(transport.set_playing)
        playback.failed.connect(self._clip_failed)
        self.live.picture_changed.connect(self._live_picture)

    def _warm_up(self) -> None:
        """Load the decoder's libraries before the first clip is chosen."""

        def load() -> None:
            import av  # noqa: F401

            from engine.media import mp4  # noqa: F401

        self._background.run(load, lambda _none: None, lambda error: log.error("%s", error))

    # what others call

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
        self.playback.close()
        self._info = None
        self.transport.setVisible(item.kind == "video")
        if not self._crossfade:
            self.canvas.fit()
        self.canvas.setAccessibleName(recipe_title(item.recipe, item.path))
        if item.missing or not item.path.is_file():
            self._show_problem(
                self.tr("The file is missing"),
                self.tr("{0} is not there any more. Put it back, or delete this entry.").format(item.path),
            )
        elif item.kind == "video":
            self.transport.set_times((0.0, item.seconds))
            self._await_picture()
            self.playback.open(item.path)
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
            self.playback.close()
            self._info = None
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
        recipe, progress = self.live.recipe, self.live.progress
        title = recipe_title(recipe) if recipe is not None else self.tr("Being made")
        step = ""
        if progress is not None and progress.steps and progress.stage == "denoising":
            step = self.tr("step {0} / {1}").format(progress.step, progress.steps)
        elif progress is not None:
            step = self._stage_text(progress.stage)
        self.header.show_running(title, step)
        natural = self.live.natural
        size = f"{natural.width()} × {natural.height()}" if not natural.isEmpty() else ""
        self.canvas.set_chip(SEPARATOR.join(part for part in (size, step) if part))

    def _stage_text(self, stage: str) -> str:
        texts = {
            "waiting": self.tr("waiting"),
            "loading": self.tr("loading the model"),
            "encoding": self.tr("reading the prompt"),
            "denoising": self.tr("making"),
            "decoding": self.tr("decoding"),
            "saving": self.tr("saving"),
        }
        return texts.get(stage, "")

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

        def load() -> QImage:
            reader = QImageReader(str(item.path))
            reader.setAutoTransform(True)
            image = reader.read()
            if image.isNull():
                raise BadFile(
                    QApplication.translate("ViewPanel", "{0} cannot be shown: it is damaged.").format(item.path.name),
                    QApplication.translate("ViewPanel", "Get a fresh copy of it."),
                )
            # What the screen is painted in, so that no paint has to convert.
            return image.convertToFormat(
                QImage.Format.Format_ARGB32_Premultiplied if image.hasAlphaChannel() else QImage.Format.Format_RGB32
            )

        def done(image: QImage) -> None:
            if number == self._loading:
                self.canvas.set_image(image, crossfade=self._crossfade)
                self._crossfade = False
                self._stack.setCurrentWidget(self.canvas)
                self._tell_chip()

        def failed(error: LaternaError) -> None:
            if number == self._loading:
                self._show_problem(self.tr("This picture cannot be shown"), f"{error.message} {error.remedy}".strip())

        self._background.run(load, done, failed)

    # a clip

    def toggle_play(self) -> None:
        self.playback.toggle()

    def step(self, delta: int) -> None:
        """``delta`` frames on, paused."""
        self.playback.step(delta)

    def _clip_opened(self, info: ClipInfo) -> None:
        index = self.playback.index
        self._info = info
        self.transport.set_times(info.times)
        self.transport.set_frame(index)
        self._tell_chip()

    def _frame_shown(self, index: int, image: QImage) -> None:
        self.canvas.set_image(image, crossfade=self._crossfade, moving=True)
        self._crossfade = False
        if self._stack.currentWidget() is not self.canvas:
            self._stack.setCurrentWidget(self.canvas)
        self.transport.set_frame(index)
        self._tell_chip()

    def _clip_failed(self, sentence: str) -> None:
        if self._info is None or self.canvas.image.isNull():
            self.transport.hide()
            self._show_problem(self.tr("This clip cannot be played"), sentence)
        else:
            self.message.emit(sentence)

    def _set_loop(self, on: bool) -> None:
        self.playback.loop = on

    def _begin_scrub(self) -> None:
        self._resume = self.playback.playing
        self.playback.pause()

    def _end_scrub(self) -> None:
        if self._resume:
            self.playback.play()

    def _arrow(self, delta: int) -> None:
        if self._info is not None:
            self.step(delta)
        else:
            self.neighbour_wanted.emit(delta)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._info is not None and event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.playback.pause()
            self.playback.seek(0 if event.key() == Qt.Key.Key_Home else self._info.count - 1)
        else:
            super().keyPressEvent(event)

    # what can be done with it

    def export_frame(self) -> None:
        """Save the frame shown as PNG, exactly as it is seen, with the clip's recipe inside."""
        item, image, index = self._item, self.playback.current_image(), self.playback.index
        if item is None or image is None or self._showing_live:
            return
        suggestion = item.path.parent / frame_name(item.path, index)
        self._ask_target(
            self,
            self.tr("Save this frame"),
            suggestion,
            lambda path: self._save(lambda: save_frame(image, path.with_suffix(".png"), item.recipe)),
        )

    def frame_shown(self) -> tuple[QImage, str] | None:
        """The frame of the clip that is seen, and a name for its file; None where no clip is shown."""
        item, image = self._item, self.playback.current_image()
        if item is None or image is None or self._showing_live:
            return None
        return image, frame_name(item.path, self.playback.index)

    def save_copy(self) -> None:
        """Save the item's file, recipe included, under another name."""
        item = self._item
        if item is not None and not self._showing_live:
            self._ask_target(
                self,
                self.tr("Save a copy"),
                Path.home() / item.path.name,
                lambda path: self._save(lambda: copy_file(item.path, path)),
            )

    def _save(self, work: Callable[[], Path]) -> None:
        self._background.run(
            work,
            lambda path: self.message.emit(self.tr("Saved as {0}.").format(path.name)),
            lambda error: self.message.emit(f"{error.message} {error.remedy}".strip()),
        )

    def _toggle_favourite(self) -> None:
        if self._item is not None:
            self.favourite_toggled.emit(self._item.id)

    def _drag(self) -> None:
        """Pull the file out; with Shift held, the frame shown as a picture."""
        if self._item is None or self._showing_live:
            return
        if self._info is not None and QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._drag_frame()
        else:
            self._run_drag(self._item.path)

    def _drag_frame(self) -> None:
        """Write the frame shown, then drag that file, if the button is still held by then."""
        item, image = self._item, self.playback.current_image()
        if item is None or image is None:
            return
        name = frame_name(item.path, self.playback.index)

        def made(path: Path) -> None:
            if QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
                self.header.camera.setDown(False)
                self._run_drag(path)

        self._background.run(
            lambda: frame_to_drag(image, self._frames_folder, name, item.recipe),
            made,
            lambda error: self.message.emit(f"{error.message} {error.remedy}".strip()),
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The camera button can be pulled: that drags the frame shown out as a picture."""
        if watched is self.header.camera and isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
                self._camera_press = event.position().toPoint()
            elif event.type() == QEvent.Type.MouseButtonRelease:
                self._camera_press = None
            elif event.type() == QEvent.Type.MouseMove and self._camera_press is not None:
                way = event.position().toPoint() - self._camera_press
                if way.manhattanLength() >= QApplication.startDragDistance():
                    self._camera_press = None
                    self.header.camera.setDown(False)
                    self._drag_frame()
                    return True
        return super().eventFilter(watched, event)

    def _run_drag(self, path: Path) -> None:
        thumb = QPixmap.fromImage(self.canvas.image.scaled(QSize(192, 192), Qt.AspectRatioMode.KeepAspectRatio))
        pixmap = drag_pixmap([thumb], 1, theme=self._theme, ratio=self.devicePixelRatioF())
        drag = make_drag(self.canvas, [path], pixmap)
        if drag is not None:
            run_drag(drag)
        else:
            self.message.emit(self.tr("The file is not there any more: {0}.").format(path))

    # inner

    def _tell_chip(self) -> None:
        if self._showing_live or self._item is None:
            return
        natural = self.canvas.image.size() if self._info is None else QSize(self._info.width, self._info.height)
        parts = [f"{natural.width()} × {natural.height()}"]
        if self._info is not None:
            parts.append(self.tr("{0} fps").format(f"{self._info.fps:.4g}"))
            parts.append(self.tr("frame {0} / {1}").format(self.playback.index + 1, self._info.count))
        if not self.canvas.fitted:
            parts.append(f"{round(self.canvas.zoom * 100)} %")
        self.canvas.set_chip(SEPARATOR.join(parts))

    def _forget_item(self) -> None:
        self._item = None
        self._info = None
        self._loading += 1
        self.playback.close()
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
    return (old.id, old.path, old.missing, old.size) == (new.id, new.path, new.missing, new.size)


def _cache() -> Path:
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)) / "laterna"


def _ask_target(parent: QWidget, title: str, suggestion: Path, then: Callable[[Path], None]) -> None:
    from ui.dialogs import ask_target

    ask_target(parent, title, suggestion, then)
