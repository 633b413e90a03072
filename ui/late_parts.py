"""What the window builds after its first paint: view, queue, gallery, services. What opens files does so on threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from engine.jobs.notices import EngineStateChanged
from engine.models.installed import InstalledModel
from engine.protocol.errors import LaternaError
from ui.engine_link import EngineLink
from ui.messages import Message, of_error
from ui.queue_actions import QueueActions

if TYPE_CHECKING:
    from ui.main_window import MainWindow
    from ui.player.view_panel import ViewPanel
    from ui.services import Services

QUEUE_HEIGHT = 280


class LateParts(QObject):
    """Builds the parts and connects each pair once both are there; the window holds them."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._services: Services | None = None

    def start(self) -> None:
        window = self._window
        self.find_models_again()
        window.prompt_tools.load()
        window.loras.load()
        window.background.run(window.open_services, self._services_ready, self._services_failed)
        window.background.run(_import_panels, lambda _none: self._build_view(), window.failed)

    def close(self) -> None:
        """End the links, their threads and the services, in the order in which they use each other."""
        window = self._window
        for link in (window.link, window.model_link):
            if link is not None:
                link.stop()
        for part in (window.gallery, window.view, window.queue):
            close_down = getattr(part, "close_down", None)
            if close_down is not None:
                close_down()
        if self._services is not None:
            self._services.close()

    # --- view and queue

    def _build_view(self) -> None:
        from ui.player.view_panel import ViewPanel

        window = self._window
        view = window.view = ViewPanel(theme=window.theme, frames_folder=window.frames_folder)
        view.favourite_toggled.connect(window.item_actions.toggle_favourite_of)
        view.copy_requested.connect(lambda item, frame: window.hand_over.copy_items([item], frame))
        view.message.connect(window.say)
        window.feed.view = view
        self._build_recipe(view)
        window.centre.layout().addWidget(view)
        if not window.preferences.toured:
            self._begin_tour()
        window.messages.keep_over(view.canvas.parentWidget())  # the picture, or what stands in its place
        window.messages.raise_()
        QTimer.singleShot(0, self, self._build_queue)

    def _begin_tour(self) -> None:
        from ui.tour import Tour

        window = self._window
        tour = Tour(window.centre)

        def read() -> None:
            window.preferences.toured = True
            window.save_soon()
            tour.deleteLater()

        tour.read.connect(read)
        tour.example_wanted.connect(window.make_example)
        window.actions_.submitted.connect(tour.end)
        tour.show()

    def _build_recipe(self, view: ViewPanel) -> None:
        """Beside the view, shown by its button; what was shown last time is shown again."""
        from ui.recipe.recipe_panel import RecipePanel

        window = self._window
        panel = window.recipe_panel = RecipePanel(window.session, window.actions_)
        panel.setVisible(window.preferences.recipe_open)
        view.add_side(panel)
        button = view.header.recipe
        button.setChecked(window.preferences.recipe_open)
        button.toggled.connect(panel.setVisible)
        panel.shown.connect(button.setChecked)
        panel.shown.connect(lambda on: setattr(window.preferences, "recipe_open", on))
        panel.shown.connect(window.save_soon)
        panel.shown.connect(window.show_beside_view)
        window.show_beside_view(window.preferences.recipe_open)

    def _build_queue(self) -> None:
        from ui.queue.queue_panel import QueuePanel

        window = self._window
        window.queue = QueuePanel(theme=window.theme)
        window.queue.setVisible(window.preferences.queue_open)
        window.queue.setMaximumHeight(QUEUE_HEIGHT)
        window.right.layout().addWidget(window.queue)
        self._connect_queue()
        self._connect_gallery()

    # --- models and services

    def find_models_again(self) -> None:
        """A model was downloaded, imported or removed."""
        window = self._window
        window.background.run(window.find_models, self._models_found, window.failed)

    def _models_found(self, models: tuple[InstalledModel, ...]) -> None:
        window = self._window
        window.session.set_models(models)
        if not models:
            text = self.tr("No model was found. Download or import one: Models… in the menu.")
            window.messages.show_message(Message(text, "warning", seconds=0.0))
        self._preload()

    def _services_ready(self, services: Services) -> None:
        from ui.library.gallery import GalleryPanel
        from ui.menu import ITEM_MENU
        from ui.models.link import ModelLink

        window = self._window
        self._services = services
        actions = [window.actions_.action(name) for name in ITEM_MENU if name]
        window.gallery = GalleryPanel(services.library, services.thumbnails, theme=window.theme, actions=actions)
        window.right.layout().insertWidget(0, window.gallery, 1)
        window.item_actions.attach(services.library, window.gallery.selected_items, window.gallery.selected_ids)
        window.prompt_tools.attach_library(services.library)
        window.feed.estimate.set_source(services.forecasts)
        window.link = EngineLink(services.make_job_service, parent=window)
        window.actions_.attach_engine(window.link)
        window.feed.gallery = window.gallery
        window.feed.connect_link(window.link)
        window.link.job_progressed.connect(window.notifier.progressed)
        window.link.job_ended.connect(lambda ended: window.notifier.ended(ended, window.session.waiting))
        window.link.refused.connect(window.actions_.engine_refused)
        self._connect_gallery()
        self._connect_queue()
        window.link.start()
        window.model_link = ModelLink(services.make_model_service, parent=window)
        window.model_link.changed.connect(self.find_models_again)
        window.model_link.start()
        self._preload()
        window.ready.emit()

    def _services_failed(self, error: LaternaError) -> None:
        window = self._window
        window.messages.show_message(of_error(error.info(), "services"))
        window.session.set_engine(EngineStateChanged("stopped", error.message, error=error.info()))

    def _preload(self) -> None:
        """Have the engine load what the form shows, while the person types."""
        window = self._window
        model = window.session.model
        if window.link is not None and model is not None:
            window.link.preload(str(model.folder))

    # --- pairs

    def _connect_gallery(self) -> None:
        """Once the gallery and the view are both there."""
        window = self._window
        gallery, view = window.gallery, window.view
        if gallery is None or view is None or gallery.property("connected"):
            return
        gallery.setProperty("connected", True)
        gallery.item_selected.connect(window.feed.item_selected)
        gallery.running_selected.connect(window.feed.running_selected)
        gallery.item_activated.connect(lambda _item: view.toggle_play())
        gallery.delete_requested.connect(window.item_actions.delete)
        gallery.recipe_requested.connect(
            lambda item: item.recipe and window.actions_.restore(item.recipe, item.path.name)
        )
        gallery.put_back_requested.connect(window.item_actions.put_back)
        gallery.forget_requested.connect(window.item_actions.forget_deleted)
        gallery.take_out_requested.connect(window.label_actions.take_out_of_album)
        gallery.album_wanted.connect(window.label_actions.add_to_album)
        gallery.filters.manage_wanted.connect(window.label_actions.manage)
        gallery.copy_requested.connect(window.hand_over.copy)
        gallery.message.connect(window.say)
        view.neighbour_wanted.connect(gallery.step)
        if gallery.current_item() is not None:
            window.feed.item_selected(gallery.current_item())

    def _connect_queue(self) -> None:
        """Once the queue panel and the link are both there."""
        queue, link = self._window.queue, self._window.link
        if queue is None or link is None or queue.property("connected"):
            return
        queue.setProperty("connected", True)
        self._window.feed.queue = queue
        window = self._window
        queue.set_estimate(window.feed.estimate.seconds)
        if self._services is not None:
            queue.finished.attach(self._services.library, self._services.thumbnails)
        queue.finished.message.connect(window.say)
        queue.finished.item_wanted.connect(lambda id: window.gallery and window.gallery.select(id))
        window.item_actions.library_changed.connect(queue.library_changed)
        link.library_changed.connect(queue.library_changed)
        window.queue_actions = QueueActions(window.session, window.actions_, link, queue, parent=window)


def _import_panels() -> None:
    """What the window builds next, imported on a thread: reading it takes longer than a frame."""
    import ui.player.view_panel
    import ui.queue.queue_panel  # noqa: F401
