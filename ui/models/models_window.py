"""The window of the models: a card for each, the token, imports, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from engine.models import notices
from engine.models.download import DownloadProgress
from engine.models.imports import Recognised
from engine.models.licences import LICENCES
from engine.models.service import ModelService
from engine.models.states import Card
from engine.models.store import Removal
from engine.models.token import Token
from engine.models.transport import DEFAULT_ENDPOINT
from engine.protocol.errors import ErrorInfo
from ui.models.card import ModelCard
from ui.models.dialogs import LicenceDialog, RemoveDialog, TokenDialog
from ui.models.link import ModelLink
from ui.widgets.labels import ErrorLabel, label


class ModelsWindow(QDialog):
    """Non-modal. ``link`` is started by whoever made it, and outlives this window: downloads go on when it closes."""

    def __init__(self, link: ModelLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._updates: tuple[str, ...] = ()
        self.cards: dict[str, ModelCard] = {}
        self.setWindowTitle(self.tr("Models"))
        self.resize(760, 820)
        self.said = label("", "muted")
        self.said.setWordWrap(True)
        self.error = ErrorLabel()
        self._build()
        link.changed.connect(self.reload)
        link.progressed.connect(self._progressed)
        link.queued.connect(lambda notice: self._with_card(notice.name, ModelCard.show_queued))
        link.ended.connect(self._ended)
        link.verify_progressed.connect(self._verifying)
        link.verified.connect(self._verified)
        link.move_progressed.connect(self._moving)
        link.moved.connect(self._moved)
        link.updates_found.connect(self._updates_found)
        link.failed.connect(self._failed)
        self.reload()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(label(self.tr("Models"), "heading"), 1)
        self.actions_: dict[str, QPushButton] = {}
        for name, text, call in (
            ("updates", self.tr("Look for updates"), self._link.service.check_updates),
            ("import", self.tr("Import a folder…"), self.ask_import_folder),
            ("import_file", self.tr("Import a file…"), self.ask_import_file),
            ("token", self.tr("Token…"), self.ask_token),
            ("move", self.tr("Move all…"), self.ask_folder),
        ):
            button = QPushButton(text)
            button.clicked.connect(lambda _checked=False, call=call: call())
            self.actions_[name] = button
            head.addWidget(button)
        inner = QWidget()
        inner.setProperty("role", "scrolled")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 12)
        whole.setSpacing(10)
        whole.addLayout(head)
        whole.addWidget(self.said)
        whole.addWidget(self.error)
        whole.addWidget(area, 1)

    # --- what is here

    def reload(self) -> None:
        self._link.ask(lambda service: service.cards(), self._show_cards)

    def _show_cards(self, cards: list[Card]) -> None:
        for card in cards:
            has_update = any(one.name in self._updates for one in card.installed)
            if card.id not in self.cards:
                made = ModelCard(card)
                made.wanted.connect(lambda action, what, id=card.id: self.act(id, action, what))
                self.cards[card.id] = made
                self._column.insertWidget(self._column.count() - 1, made)
            self.cards[card.id].show_card(card, has_update)
        self.said.setText(self.tr("Kept in {folder}").format(folder=self._link.service.store.root))

    # --- what a person does

    def act(self, id: str, action: str, what: str) -> None:
        """Carry out a card's button."""
        service = self._link.service
        self.error.set_sentence("")
        if action == "download":
            self.download(id, what)
        elif action == "remove":
            self._link.ask(lambda asked: asked.removal(what), lambda removal: self._confirm(id, removal))
        elif action in ("pause", "resume", "cancel", "verify", "repair"):
            call = getattr(service, action)
            self._link.ask(lambda _service: call(what))

    def download(self, id: str, precision: str = "native") -> None:
        """Show the licence where it was not accepted yet; then download."""
        card = self.cards[id].card
        licence = LICENCES[card.licence]

        def begin() -> None:
            def work(service: ModelService) -> None:
                service.acceptances.accept(licence)
                service.download(id, "fp8" if precision == "fp8" else "native")

            self._link.ask(work)

        if self._link.service.acceptances.has(licence):
            begin()
        else:
            LicenceDialog(licence, card.name, begin, self).open()

    def _confirm(self, id: str, removal: Removal) -> None:
        installed = self.cards[id].installed
        is_import = installed is not None and installed.is_import
        RemoveDialog(
            removal, is_import, lambda: self._link.ask(lambda service: service.remove(removal.name)), self
        ).open()

    def ask_token(self, model_page: str = "") -> None:
        tokens = self._link.service.tokens

        def save(text: str) -> None:
            if text.strip():
                self._link.ask(lambda _service: tokens.save(Token(text)))

        self._link.ask(
            lambda _service: tokens.find()[1],
            lambda place: TokenDialog(place, tokens.has_keyring, model_page, save, self).open(),
        )

    def ask_import_folder(self) -> None:
        self._ask_path(QFileDialog.FileMode.Directory, self.tr("Import models from a folder"), self.import_models)

    def ask_import_file(self) -> None:
        self._ask_path(QFileDialog.FileMode.ExistingFile, self.tr("Import a model file"), self.import_models)

    def ask_folder(self) -> None:
        self._ask_path(QFileDialog.FileMode.Directory, self.tr("Move all models to an empty folder"), self.move_to)

    def import_models(self, path: Path) -> None:
        self.error.set_sentence("")
        self._link.import_models(path, self._imported)

    def move_to(self, folder: Path) -> None:
        self.error.set_sentence("")
        self._link.service.move(folder)

    def _ask_path(self, mode: QFileDialog.FileMode, title: str, done: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: done(Path(name)))
        dialog.open()

    # --- what the service tells

    def _with_card(self, name: str, call: Callable[[ModelCard], None]) -> None:
        for card in self.cards.values():
            if name == card.card.id or name in {f"{card.card.id}-{p}" for p in card.card.precisions}:
                call(card)

    def _progressed(self, now: DownloadProgress) -> None:
        self._with_card(now.name, lambda card: card.show_progress(now))

    def _ended(self, notice: notices.DownloadEnded) -> None:
        self._with_card(notice.name, lambda card: card.show_ended(notice.error))
        if notice.error is not None and notice.error.kind == "AccessDenied":
            repository = next((c.card.repository for c in self.cards.values() if c.card.id == notice.name), "")
            self.ask_token(f"{DEFAULT_ENDPOINT}/{repository}" if repository else "")
        elif notice.error is not None and not notice.name:
            self._failed(notice.error)

    def _verifying(self, notice: notices.VerifyProgressed) -> None:
        self._with_card(notice.name, lambda card: card.show_checking(notice.done, notice.total))

    def _verified(self, notice: notices.VerifyEnded) -> None:
        if notice.error is not None:
            self._failed(notice.error)
        elif notice.result is not None and notice.result.is_sound:
            text = self.tr("{name}: all {count} files are as published.")
            self.said.setText(text.format(name=notice.name, count=notice.result.files))
        elif notice.result is not None:
            text = self.tr("{name}: {count} files are damaged. “Repair” fetches them anew.")
            self.error.set_sentence(text.format(name=notice.name, count=len(notice.result.bad)))

    def _moving(self, notice: notices.MoveProgressed) -> None:
        percent = 100 * notice.done // max(1, notice.total)
        self.said.setText(self.tr("Moving the models: {percent} %").format(percent=percent))

    def _moved(self, notice: notices.MoveEnded) -> None:
        if notice.error is not None:
            self._failed(notice.error)

    def _updates_found(self, notice: notices.UpdatesFound) -> None:
        self._updates = notice.names
        self.reload()

    def _imported(self, found: list[Recognised]) -> None:
        names = ", ".join(one.name for one in found)
        missing = sorted({part for one in found if not one.folder for part in one.missing})
        self.said.setText(self.tr("Imported: {names}.").format(names=names))
        if missing:
            self.error.set_sentence(self.tr("Still missing: {parts}.").format(parts=", ".join(missing)))

    def _failed(self, error: ErrorInfo) -> None:
        self.error.set_sentence(error.sentence())
