"""Which part tells which: one function for each part that comes after the first paint, called once both sides are
there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ui.actions import Actions
from ui.compare.comparing import Comparing
from ui.engine_link import EngineLink
from ui.library.hand_over import HandOver
from ui.library.item_actions import ItemActions
from ui.library.label_actions import LabelActions
from ui.mask.masking import Masking
from ui.queue.queue_actions import QueueActions
from ui.session import Session
from ui.widgets.message_bar import MessageStack
from ui.window.answers import Answers, of_gallery, of_view
from ui.window.feed import Feed
from ui.window.notifier import Notifier
from ui.window.recipe_files import RecipeFiles

if TYPE_CHECKING:
    from ui.library.gallery import GalleryPanel
    from ui.player.view_panel import ViewPanel
    from ui.queue.queue_panel import QueuePanel
    from ui.window.services import Services


def connect_view(
    view: ViewPanel,
    *,
    feed: Feed,
    items: ItemActions,
    hand_over: HandOver,
    comparing: Comparing,
    masking: Masking,
    files: RecipeFiles,
    answers: Answers,
    messages: MessageStack,
) -> None:
    view.favourite_toggled.connect(items.toggle_favourite_of)
    view.copy_requested.connect(lambda item, frame: hand_over.copy_items([item], frame))
    view.message.connect(messages.say)
    feed.view = view
    comparing.attach_view(view)
    masking.attach_view(view)
    answers.add(of_view(view))
    answers.add({"start_from_item": lambda: files.start_from_shown(view.exports.frame_shown())})


def connect_gallery(
    gallery: GalleryPanel,
    *,
    feed: Feed,
    items: ItemActions,
    labels: LabelActions,
    hand_over: HandOver,
    actions: Actions,
    answers: Answers,
    messages: MessageStack,
) -> None:
    items.attach_selection(gallery.selected_items, gallery.selected_ids)
    labels.attach_filters(gallery.filters)
    feed.gallery = gallery
    gallery.running_selected.connect(feed.running_selected)
    gallery.delete_requested.connect(items.delete)
    gallery.recipe_requested.connect(actions.use_recipe_of)
    gallery.put_back_requested.connect(items.put_back)
    gallery.forget_requested.connect(items.forget_deleted)
    gallery.take_out_requested.connect(labels.take_out_of_album)
    gallery.album_wanted.connect(labels.add_to_album)
    gallery.filters.manage_wanted.connect(labels.manage)
    gallery.copy_requested.connect(hand_over.copy)
    gallery.message.connect(messages.say)
    answers.add(of_gallery(gallery))


def connect_gallery_and_view(gallery: GalleryPanel, view: ViewPanel, feed: Feed) -> None:
    gallery.item_selected.connect(feed.item_selected)
    gallery.item_activated.connect(lambda _item: view.toggle_play())
    view.neighbour_wanted.connect(gallery.step)
    if gallery.current_item() is not None:
        feed.item_selected(gallery.current_item())


def connect_engine(link: EngineLink, *, session: Session, feed: Feed, actions: Actions, notifier: Notifier) -> None:
    actions.attach_engine(link)
    feed.connect_link(link)
    link.job_progressed.connect(notifier.progressed)
    link.job_ended.connect(lambda ended: notifier.ended(ended, session.waiting))
    link.refused.connect(actions.engine_refused)


def connect_queue(
    queue: QueuePanel,
    link: EngineLink,
    services: Services,
    *,
    session: Session,
    feed: Feed,
    items: ItemActions,
    actions: Actions,
    answers: Answers,
    messages: MessageStack,
    parent: QObject,
) -> QueueActions:
    """What stands between the panel and the link, kept by ``parent``."""
    feed.queue = queue
    queue.set_estimate(feed.estimate.seconds)
    queue.finished.attach(services.library, services.thumbnails)
    queue.finished.message.connect(messages.say)
    queue.finished.item_wanted.connect(lambda id: feed.gallery and feed.gallery.select(id))
    items.library_changed.connect(queue.library_changed)
    link.library_changed.connect(queue.library_changed)
    between = QueueActions(session, actions, link, queue, parent=parent)
    answers.add({"pause_queue": between.toggle_pause})
    return between
