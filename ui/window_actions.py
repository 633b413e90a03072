"""The actions that need a widget: what ``Actions.wanted`` asks the window for, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices

from ui.compare.comparing import Comparing
from ui.draft import Preset
from ui.generate.presets import settings_of
from ui.menu import build_menu
from ui.messages import Message

if TYPE_CHECKING:
    from ui.compare.compare_view import CompareView
    from ui.main_window import MainWindow
    from ui.models.models_window import ModelsWindow
    from ui.settings_page.settings_window import SettingsWindow


class WindowActions(QObject):
    """``run(name)`` carries out one action of ``ui.action_table``; each is also a method."""

    def __init__(self, window: MainWindow, output_folder: Path, version: str) -> None:
        super().__init__(window)
        self._window = window
        self._output_folder = output_folder
        self._version = version
        self._models_window: ModelsWindow | None = None
        self._comparing = Comparing(window)
        self._settings_window: SettingsWindow | None = None
        window.form.parameters.presets.kept.connect(self.keep_preset)
        window.form.parameters.presets.removed.connect(self.remove_preset)
        self._answers: dict[str, Callable[[], object]] = {
            "focus_prompt": window.form.prompts.prompt.setFocus,
            "prompt_history": window.form.prompts.open_history,
            "edit_styles": window.form.prompts.edit_styles_wanted.emit,
            "open_wildcards": self.open_wildcards,
            "open_file": self.open_file,
            "reset_field": window.form.reset_focused,
            "export_frame": lambda: window.view and window.view.export_frame(),
            "export_copy": lambda: window.view and window.view.save_copy(),
            "export_clip": lambda: window.view and window.view.export_clip(),
            "compare": self._comparing.toggle,
            "toggle_recipe": lambda: (
                window.recipe_panel and window.recipe_panel.setVisible(window.recipe_panel.isHidden())
            ),
            "zoom_in": lambda: window.view and window.view.canvas.zoom_by(1.25),
            "zoom_out": lambda: window.view and window.view.canvas.zoom_by(0.8),
            "zoom_fit": lambda: window.view and window.view.canvas.fit(),
            "zoom_full": lambda: window.view and window.view.canvas.set_zoom(1.0),
            "mark_in": lambda: window.view and window.view.mark("in"),
            "mark_out": lambda: window.view and window.view.mark("out"),
            "mark_none": lambda: window.view and window.view.mark("none"),
            "play_pause": lambda: window.view and window.view.toggle_play(),
            "next_item": lambda: window.gallery and window.gallery.step(1),
            "previous_item": lambda: window.gallery and window.gallery.step(-1),
            "focus_search": lambda: window.gallery and window.gallery.focus_search(),
            "toggle_queue": self.toggle_queue,
            "pause_queue": lambda: window.queue_actions and window.queue_actions.toggle_pause(),
            "vary": self.show_variations,
            "vary_texts": self.show_combinations,
            "toggle_wait_after_start": self.toggle_wait_after_start,
            "toggle_advanced": window.form.disclosure.toggle,
            "start_from_item": self.start_from_item,
            "show_models": self.show_models,
            "show_settings": self.show_settings,
            "choose_output_folder": self.choose_output_folder,
            "open_output_folder": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder()))),
            "toggle_previews": self.toggle_previews,
            "toggle_a1111": self.toggle_a1111,
            "show_menu": self.show_menu,
            "show_shortcuts": self.show_shortcuts,
            "save_report": lambda: window.reports and window.reports.show(),
            "show_about": self.show_about,
            "quit": window.close,
        }
        for part in (window.item_actions, window.label_actions, window.hand_over):
            self._answers |= part.answers

    def run(self, name: str) -> None:
        self._answers[name]()

    def open_file(self) -> None:
        from ui.dialogs import ask_file

        ask_file(self._window, self._folder(), self._window.files.read_file)

    def open_wildcards(self) -> None:
        """The folder, made now, with a word on what goes into it."""
        folder = self._window.prompt_tools.wildcards.folder
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        text = self.tr("Each text file there is a wildcard: __name__ in a prompt draws one of its lines.")
        self._window.messages.show_message(Message(text))

    def start_from_item(self) -> None:
        """The picture shown, or of a clip the frame shown, as what the next picture starts from."""
        window, item = self._window, self._window.session.item
        if item is None or window.view is None:
            return
        if item.kind == "image":
            window.files.start_from(item.file)
            return
        frame = window.view.exports.frame_shown()
        if frame is not None:
            image, name = frame
            window.files.start_from_frame(image, name, item.recipe)

    @property
    def comparing(self) -> CompareView | None:
        """The comparison, while one is shown."""
        return self._comparing.shown

    def close(self) -> None:
        self._comparing.close()

    def show_models(self, model: str = "") -> None:
        """The models page, one at a time; with the card of ``model``, a catalogued id, in sight."""
        page = self._models_page()
        if page is not None and model:
            page.show_model(model)

    def import_model(self, path: Path) -> None:
        page = self._models_page()
        if page is not None:
            page.import_models(path)

    def _models_page(self) -> ModelsWindow | None:
        link = self._window.model_link
        if link is None:
            return None
        if self._models_window is None:
            from ui.models.models_window import ModelsWindow

            self._models_window = ModelsWindow(link, self._window)
        self._models_window.show()
        self._models_window.raise_()
        self._models_window.activateWindow()
        return self._models_window

    def keep_preset(self, name: str) -> None:
        """The form's settings under ``name``, for its model; one of that name is replaced."""
        recipe = settings_of(self._window.session.draft.recipe)
        others = [
            one for one in self._window.preferences.presets if (one.name, one.recipe.model) != (name, recipe.model)
        ]
        self._set_presets((*others, Preset(name, recipe)))
        self._window.say(self.tr("Kept as “{name}”.").format(name=name))

    def remove_preset(self, name: str) -> None:
        before, model = self._window.preferences.presets, self._window.session.draft.recipe.model
        self._set_presets(tuple(one for one in before if (one.name, one.recipe.model) != (name, model)))
        text = self.tr("“{name}” is removed.").format(name=name)
        undo = Message(text, button=self.tr("Undo"), action=lambda: self._set_presets(before), topic="action")
        self._window.messages.show_message(undo)

    def _set_presets(self, presets: tuple[Preset, ...]) -> None:
        self._window.preferences.presets = presets
        self._window.form.set_presets(presets)
        self._window.save_soon()

    def show_settings(self) -> None:
        """The settings page; one at a time."""
        window = self._window
        if self._settings_window is None:
            from ui.settings_page.settings_window import SettingsWindow

            self._settings_window = SettingsWindow(
                window.preferences, self.set_preference, self._output_folder, theme=window.theme, parent=window
            )
        self._settings_window.refresh()
        self._settings_window.show()
        self._settings_window.raise_()
        self._settings_window.activateWindow()

    def set_preference(self, field: str, value: object) -> None:
        from ui.settings_page.apply import apply_setting

        apply_setting(self._window, field, value)

    def choose_output_folder(self) -> None:
        from ui.dialogs import ask_folder

        ask_folder(self._window, self._folder(), self.set_output_folder)

    def set_output_folder(self, folder: Path) -> None:
        self._window.preferences.output_folder = "" if folder == self._output_folder else str(folder)
        self._window.save_soon()
        self._window.messages.show_message(Message(self.tr("New files go to {folder}.").format(folder=folder)))

    def toggle_previews(self) -> None:
        """Previews vanish at once; the engine makes none from the next job on."""
        window = self._window
        self.set_preference("previews", not window.preferences.previews)
        text = self.tr("Previews are shown.") if window.preferences.previews else self.tr("Previews are not shown.")
        window.messages.show_message(Message(text))

    def toggle_a1111(self) -> None:
        """From the next job on."""
        preferences = self._window.preferences
        preferences.a1111_parameters = not preferences.a1111_parameters
        self._window.save_soon()
        if preferences.a1111_parameters:
            text = self.tr("New PNGs carry Automatic1111's settings beside Laterna's recipe.")
        else:
            text = self.tr("New PNGs carry Laterna's recipe alone.")
        self._window.messages.show_message(Message(text))

    def toggle_wait_after_start(self) -> None:
        preferences = self._window.preferences
        preferences.wait_after_start = not preferences.wait_after_start
        self._window.save_soon()

    def show_combinations(self) -> None:
        """The variations, with every text that the prompt's alternatives can become."""
        self.show_variations(every_text=True)

    def show_variations(self, every_text: bool = False) -> None:
        from ui.queue.variations import Variations

        window = self._window
        dialog = Variations(
            window.session, window.feed.estimate.seconds, window.prompt_tools, every_text=every_text, parent=window
        )
        dialog.wanted.connect(self._window.actions_.generate_variations)
        dialog.show()

    def toggle_queue(self) -> None:
        queue = self._window.queue
        if queue is not None:
            queue.setVisible(queue.isHidden())
            self._window.preferences.queue_open = not queue.isHidden()

    def show_menu(self) -> None:
        button = self._window.menu_button
        menu = build_menu(self._window.actions_, self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))

    def show_shortcuts(self) -> None:
        from ui.shortcut_sheet import ShortcutSheet

        ShortcutSheet(self._window).open()

    def show_about(self) -> None:
        from ui.dialogs import AboutDialog

        AboutDialog(self._version, self._window.session.engine, self._window).open()

    def _folder(self) -> Path:
        chosen = self._window.preferences.output_folder
        return Path(chosen) if chosen else self._output_folder
