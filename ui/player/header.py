"""The line above the view: what is shown, and what can be done with it."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from engine.library.item import Item
from ui.library.captions import grouped, item_title
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, label

DETAILS_FROM = 520


class ViewHeader(QFrame):
    """Its buttons are public; the panel connects them."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.title = ElidedLabel(role="title")
        self.details = label("", "muted")
        self.star = IconButton("star", self.tr("Add to favourites"), theme=theme)
        self.copy = IconButton("copy", self.tr("Copy"), theme=theme)
        self.camera = IconButton("camera", self.tr("Save this frame as PNG, or drag it from here"), theme=theme)
        self.export = IconButton(
            "video", self.tr("Export this part as GIF, WebP or MP4, or drag it from here"), theme=theme
        )
        self.recipe = IconButton("recipe", self.tr("Show the recipe (Ctrl+Shift+I)"), theme=theme)
        self.recipe.setCheckable(True)
        self.download = IconButton("download", self.tr("Save a copy as…"), theme=theme)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.setSpacing(5)
        row.addWidget(self.title)
        row.addSpacing(10)
        row.addWidget(self.details)
        row.addStretch(1)
        for button in (self.star, self.copy, self.recipe, self.camera, self.export, self.download):
            button.setFixedSize(32, 32)
            row.addWidget(button)
        self.setFixedHeight(47)
        self.show_nothing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The title comes first; the recipe beside the view says the seed too."""
        self.details.setVisible(self.width() >= DETAILS_FROM)
        super().resizeEvent(event)

    def show_item(self, item: Item) -> None:
        self.title.set_text(item_title(item))
        seed = self.tr("seed {0}").format(grouped(item.recipe.seed)) if item.recipe is not None else item.path.name
        self.details.setText(seed)
        self.star.set_icon("star-filled" if item.favourite else "star", "accent" if item.favourite else "text")
        self.star.set_text(self.tr("Remove from favourites") if item.favourite else self.tr("Add to favourites"))
        self._enable(True, frame=item.kind == "video")

    def show_running(self, title: str, details: str) -> None:
        self.title.set_text(title)
        self.details.setText(details)
        self.star.set_icon("star", "text")
        self._enable(False, frame=False)

    def show_nothing(self) -> None:
        self.show_running("", "")

    def _enable(self, on: bool, *, frame: bool) -> None:
        for button in (self.star, self.copy, self.download):
            button.setEnabled(on)
        self.camera.setVisible(frame)
        self.export.setVisible(frame)
