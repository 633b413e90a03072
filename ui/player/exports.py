"""What leaves the view as a file: a frame, a copy, a part of a clip; saved where the person says, or dragged out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from engine.library.item import Item
from engine.protocol.errors import LaternaError
from ui.background import Background
from ui.dialogs import AskTarget
from ui.library.drag import drag_pixmap, make_drag, run_drag
from ui.player.canvas import Canvas
from ui.player.clip_player import ClipPlayer
from ui.player.export import clip_to_drag, copy_file, frame_name, frame_to_drag, named_as, save_frame
from ui.player.header import ViewHeader
from ui.sentences import said
from ui.theme import Theme

if TYPE_CHECKING:
    from engine.media.export import ClipExport

THUMBNAIL = QSize(192, 192)


class ViewExports(QObject):
    """The view's buttons can be pressed, or pulled out of the window.

    Signals: ``said(str)`` a sentence for the person.
    """

    said = Signal(str)

    def __init__(
        self,
        shown: Callable[[], Item | None],
        clip: ClipPlayer,
        *,
        header: ViewHeader,
        canvas: Canvas,
        theme: Theme,
        folder: Path,
        ask_target: AskTarget,
        parent: QWidget,
    ) -> None:
        """``shown`` gives the item in the view, None while a picture forms there. ``folder`` keeps what was dragged
        out: a target may read it late. Dialogs open over ``parent``."""
        super().__init__(parent)
        self._shown = shown
        self._clip = clip
        self._header = header
        self._canvas = canvas
        self._theme = theme
        self._over = parent
        self._folder = folder
        self._ask_target = ask_target
        self._background = Background(1, self)
        self._press: QPoint | None = None
        self._last: ClipExport | None = None
        header.camera.clicked.connect(self.export_frame)
        header.download.clicked.connect(self.save_copy)
        header.export.clicked.connect(self.export_clip)
        self._pulled: dict[QObject, Callable[[], None]] = {
            header.camera: self.drag_frame,
            header.export: self.drag_clip,
        }
        for button in self._pulled:
            button.installEventFilter(self)
        canvas.drag_wanted.connect(self.drag)

    def close_down(self) -> None:
        self._background.close()

    # saving

    def export_frame(self) -> None:
        """Save the frame shown as PNG, exactly as it is seen, with the clip's recipe inside."""
        item, frame = self._shown(), self.frame_shown()
        if item is None or frame is None:
            return
        image, name = frame
        self._ask_target(
            self._over,
            self.tr("Save this frame"),
            item.path.parent / name,
            lambda path: self._save(lambda: save_frame(image, named_as(path, ".png"), item.recipe)),
        )

    def frame_shown(self) -> tuple[QImage, str] | None:
        """The frame of the clip that is seen, and a name for its file; None where no clip is shown."""
        item, playback = self._shown(), self._clip.playback
        image = playback.current_image()
        if item is None or image is None:
            return None
        return image, frame_name(item.path, playback.index)

    def save_copy(self) -> None:
        """Save the item's file, recipe included, under another name."""
        item = self._shown()
        if item is not None:
            self._ask_target(
                self._over,
                self.tr("Save a copy"),
                Path.home() / item.path.name,
                lambda path: self._save(lambda: copy_file(item.file, path)),
            )

    def export_clip(self) -> None:
        """Ask how, then where; the dialog shows how far it is."""
        from ui.player.export_dialog import ExportDialog

        item = self._shown()
        if item is None or not self._clip.is_open:
            return
        export = self._clip.export_wanted(self._last)
        dialog = ExportDialog(item.file, export, self._ask_target, self._over.window())
        dialog.chosen.connect(self._remember)
        dialog.done_with.connect(self.said)
        dialog.open()

    def _remember(self, export: ClipExport) -> None:
        self._last = export

    def _save(self, work: Callable[[], Path]) -> None:
        self._background.run(
            work, lambda path: self.said.emit(self.tr("Saved as {0}.").format(path.name)), self._failed
        )

    def _failed(self, error: LaternaError) -> None:
        self.said.emit(said(error.info()))

    # dragging

    def drag(self) -> None:
        """Pull the file out; with Shift held, the frame shown as a picture."""
        item = self._shown()
        if item is None:
            return
        if self._clip.is_open and QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.drag_frame()
        else:
            self._run_drag(item.file)

    def drag_frame(self) -> None:
        """Write the frame shown, then drag that file, if the button is still held by then."""
        item, frame = self._shown(), self.frame_shown()
        if item is None or frame is None:
            return
        image, name = frame
        self._make_and_drag(lambda: frame_to_drag(image, self._folder, name, item.recipe))

    def drag_clip(self) -> None:
        """Export the part between the in and the out point as it was exported last, at first as a GIF; drag that."""
        item = self._shown()
        if item is not None and self._clip.is_open:
            export = self._clip.export_wanted(self._last, "gif")
            self._make_and_drag(lambda: clip_to_drag(item.file, self._folder, export))

    def _make_and_drag(self, make: Callable[[], Path]) -> None:
        def made(path: Path) -> None:
            if QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
                for button in (self._header.camera, self._header.export):
                    button.setDown(False)
                self._run_drag(path)

        self._background.run(make, made, self._failed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A button that is pulled drags out what it would save."""
        if isinstance(event, QMouseEvent) and (pulled := self._pulled.get(watched)) is not None:
            if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
                self._press = event.position().toPoint()
            elif event.type() == QEvent.Type.MouseButtonRelease:
                self._press = None
            elif event.type() == QEvent.Type.MouseMove and self._press is not None:
                way = event.position().toPoint() - self._press
                if way.manhattanLength() >= QApplication.startDragDistance():
                    self._press = None
                    watched.setDown(False)  # type: ignore[attr-defined]
                    pulled()
                    return True
        return super().eventFilter(watched, event)

    def _run_drag(self, path: Path) -> None:
        canvas = self._canvas
        thumb = QPixmap.fromImage(canvas.image.scaled(THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio))
        pixmap = drag_pixmap([thumb], 1, theme=self._theme, ratio=canvas.devicePixelRatioF())
        drag = make_drag(canvas, [path], pixmap)
        if drag is not None:
            run_drag(drag)
        else:
            self.said.emit(self.tr("The file is not there any more: {0}.").format(path))
