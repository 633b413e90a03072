"""The pages of ``docs/screenshots.py``: one process for a language and a scale. Not meant to be started by hand."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer  # noqa: E402 - the path above leads to the rest
from PySide6.QtGui import QPainter, QPixmap  # noqa: E402
from PySide6.QtWidgets import QApplication, QWidget  # noqa: E402

from app.composition import make_application, make_window  # noqa: E402
from app.paths import Paths  # noqa: E402
from app.settings import SettingsFile  # noqa: E402
from engine.library.filters import Filter  # noqa: E402
from engine.models.lora_shelf import LoraState  # noqa: E402
from engine.protocol.recipe import Adapter  # noqa: E402
from ui.draft import SwitchedOff  # noqa: E402
from ui.library.head import DELETED  # noqa: E402
from ui.messages import Message  # noqa: E402
from ui.theme import Theme  # noqa: E402
from ui.window.main_window import MainWindow  # noqa: E402
from ui.window.tour import Tour  # noqa: E402

CRASH = "Laterna ended by itself last time. Nothing you made is lost. A report can be looked at and saved."
USUAL_SIZE = "1440x900"
PATIENCE = 120.0


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for {what}")
        pause(0.02)


def pause(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


class Pages:
    """One method a page; it brings the window there. What floats over the window is drawn into its picture."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def run(self, name: str) -> None:
        self.window.actions_.action(name).trigger()

    def newest(self, kind: str) -> None:
        """Look at the newest picture or clip."""
        window = self.window
        library = window.prompt_tools._library
        ids: list[int] = []
        until(lambda: ids.extend(one.id for one in _items(library) if one.kind == kind) or ids, f"a result: {kind}")
        window.gallery.select(ids[0])
        until(lambda: window.session.item is not None and window.session.item.id == ids[0], "the item")
        pause(0.8)

    def image(self) -> None:
        self.run("make_images")
        self.newest("image")

    def first_start(self) -> None:
        self.image()
        tour = Tour(self.window.centre)
        tour.read.connect(tour.deleteLater)
        tour.show()
        pause(0.2)

    def clip(self) -> None:
        self.run("make_clips")
        self.window.form.prompts.prompt.replace_text("a red apple moving down, pink background")
        self.newest("video")
        if self.window.view.playback.playing:
            self.window.view.toggle_play()
        self.window.view.step(-2)
        pause(0.3)

    def prompt(self) -> None:
        self.image()
        edit = self.window.form.prompts.prompt
        edit.replace_text("a {red|blue} apple on the left, __animal__, " + "a big owl at the top, " * 3)
        self.window.form.prompts.style_button.style_chosen.emit("line-art")
        pause(1.0)

    def styles(self) -> None:
        self.image()
        menu = self.window.form.prompts.style_button.menu()
        menu.popup(self.window.form.prompts.style_button.mapToGlobal(QPoint(0, 24)))
        pause(0.4)

    def style_editor(self) -> None:
        self.run("edit_styles")
        pause(0.4)

    def history(self) -> None:
        self.run("prompt_history")
        pause(0.6)

    def advanced(self) -> None:
        self.image()
        self.window.form.disclosure.setChecked(True)
        pause(0.4)
        bar = self.window.form._scroll.verticalScrollBar()
        bar.setValue(bar.maximum())
        pause(0.2)

    def loras(self) -> None:
        """One that is used, one that is off, one that is not here."""
        self.image()
        window = self.window
        window.form.disclosure.setChecked(True)
        recipe = window.session.draft.recipe
        ink = Adapter("Ink and watercolour, loose lines.safetensors", "", 0.8)
        away = (SwitchedOff(1, Adapter("grain.safetensors", "", 0.35)),)
        window.session.replace(window.session.draft.replace(recipe=recipe.replace(adapters=(ink,)), loras_off=away))
        window.form.advanced.loras.rows[1].show_state(LoraState(), "")
        pause(0.4)

    def dropping(self) -> None:
        self.image()
        self.window.form.drop_targets.offer(("recipe", "start"))
        self.window.form.drop_targets.use_at(self.window.mapToGlobal(QPoint(100, 200)))
        pause(0.2)

    def variations(self) -> None:
        self.image()
        self.window.form.prompts.prompt.replace_text("a {red|blue|green} apple {on the left|on the right}")
        self.run("vary")
        pause(0.4)

    def messages(self) -> None:
        """What stays until it is closed, beside the recipe."""
        self.recipe()
        self.window.messages.show_message(Message(CRASH, "warning", "The log.", "Make a report…", lambda: None, 0.0))
        self.window.messages.show_message(Message("Moved to the trash.", "info", "", "Undo", lambda: None, 0.0))
        pause(0.3)

    def no_results(self) -> None:
        self.image()
        self.window.gallery.focus_search()
        self.window.gallery.search.setText("nothing has this")
        pause(0.8)

    def generating(self) -> None:
        window = self.window
        until(lambda: window.session.engine.state == "ready", "the engine")
        self.image()
        window.form.prompts.style_button.style_chosen.emit("")
        window.form.prompts.prompt.replace_text("a big owl at the top, night background")
        window.form.parameters.count.setValue(3)
        window.form.parameters.steps.spin.setValue(60)
        self.run("generate")
        until(lambda: window.session.progress is not None and window.session.progress.step > 8, "a step")
        window.messages.clear()  # of the jobs that were cancelled before
        pause(0.3)

    def recipe(self) -> None:
        self.image()
        self.window.form.parameters.steps.spin.setValue(33)
        self.window.recipe_panel.show()
        pause(0.5)

    def settings(self) -> None:
        self.window.pages.output_folder = Path("Pictures", "Laterna")
        self.run("show_settings")
        pause(0.4)

    def compare(self) -> None:
        self._compare(4)

    def compare_slider(self) -> None:
        self._compare(2)
        self.window.comparing.shown._set_mode("slider")
        pause(0.5)

    def _compare(self, count: int) -> None:
        window = self.window
        library = window.prompt_tools._library
        items = [item for item in _items(library) if item.kind == "image"][:count]
        window.item_actions.items = lambda: items
        self.run("compare")
        until(lambda: all(not cell.image.isNull() for cell in window.comparing.shown.cells), "the pictures")
        pause(0.6)

    def deleted(self) -> None:
        """The two newest, in the trash until the page is left."""
        gallery, items = self.window.gallery, self.window.item_actions
        gone = list(items.library.ids())[:2]
        items.delete(gone)
        until(lambda: all(item.trashed for item in items.library.items(gone)), "the trash")
        gallery.filter.setCurrentIndex(DELETED)
        until(lambda: set(gone) <= set(gallery.grid.model().ids), "what was deleted")
        gallery.step(0)
        pause(0.8)

    def albums(self) -> None:
        self.image()
        self.run("edit_albums")
        pause(0.4)

    def export(self) -> None:
        self.clip()
        self.window.view.mark("in")
        self.run("export_clip")
        pause(0.4)

    def queue(self) -> None:
        self.generating()
        if self.window.queue.isHidden():
            self.run("toggle_queue")
        pause(0.6)

    def models(self) -> None:
        self.run("show_models")
        pause(1.5)
        page = self.window.pages.models
        page.said.setText(page.tr("Kept in {folder}").format(folder=Path("Laterna", "models")))

    def shortcuts(self) -> None:
        self.run("show_shortcuts")
        pause(0.3)

    def about(self) -> None:
        self.run("show_about")
        pause(0.3)

    def menu(self) -> None:
        self.run("show_menu")
        pause(0.3)

    def names(self) -> list[str]:
        return [name for name in vars(type(self)) if name not in ("run", "newest", "names") and name[0] != "_"]


def _items(library: Any) -> list[Any]:
    return list(library.items(list(library.ids())))


def picture(window: MainWindow) -> QPixmap:
    """The window, and over it whatever else is open."""
    shown = window.grab()
    painter = QPainter(shown)
    for other in QApplication.topLevelWidgets():
        if other is not window and other.isVisible() and not _is_tip(other):
            place = other.pos() - window.pos()
            if other.windowType() in (Qt.WindowType.Dialog, Qt.WindowType.Window):
                place = QPoint((window.width() - other.width()) // 2, (window.height() - other.height()) // 2)
            painter.drawPixmap(place, other.grab())
    painter.end()
    return shown


def _is_tip(widget: QWidget) -> bool:
    return widget.metaObject().className() == "QTipLabel"


def close_others(window: MainWindow) -> None:
    for other in QApplication.topLevelWidgets():
        if other is not window and other.isVisible():
            other.close()
    window.form.disclosure.setChecked(False)
    window.form.drop_targets.hide()
    window.gallery.search.clear()
    if window.gallery.filter.currentIndex() == DELETED:
        library = window.item_actions.library
        window.item_actions.put_back(list(library.ids(filter=Filter(deleted=True))))
        until(lambda: not library.ids(filter=Filter(deleted=True)), "what was deleted back in its place")
        window.gallery.filter.setCurrentIndex(0)
    window.session.replace(window.session.draft.with_recipe(adapters=()).replace(loras_off=()))
    window.recipe_panel.hide()
    if window.comparing.shown is not None:
        window.actions_.action("compare").trigger()
    for tour in window.findChildren(Tour):
        tour.end()
    window.messages.clear()
    if window.session.jobs:
        window.actions_.clear_queue()
        window.actions_.cancel()
        until(lambda: not window.session.jobs, "the queue's end")
    if not window.queue.isHidden():
        window.actions_.action("toggle_queue").trigger()
    pause(0.3)


def main() -> None:
    home, folder, language, size, direction, *wanted = sys.argv[1:]
    app = make_application(["laterna"], language)
    if direction == "mirrored":
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    app.styleHints().setCursorFlashTime(0)
    paths = Paths.find(home)
    file = SettingsFile(paths.settings_file)
    settings = file.load()
    settings.toured = True
    settings.drafts, settings.geometry, settings.splitter = {}, "", ""
    theme = Theme("dark")
    theme.apply(app)
    window = make_window(paths, theme, settings, file)
    setting = f"{language}.{round(app.devicePixelRatio() * 100)}"
    if size != USUAL_SIZE or direction != "usual":
        setting += f".{size}.{direction}"
    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        window.show()
        window.resize(*map(int, size.split("x")))
        until(lambda: window.gallery is not None and window.queue is not None, "the gallery")
        until(lambda: window.session.model is not None, "the model")
        pages = Pages(window)
        for name in wanted or pages.names():
            for mode in ("dark", "light"):
                theme.set_mode(mode)
                getattr(pages, name)()
                picture(window).save(str(Path(folder) / f"{name}-{mode}.{setting}.png"))
                close_others(window)
    finally:
        window.shut_down()


if __name__ == "__main__":
    main()
