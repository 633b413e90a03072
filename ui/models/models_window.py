"""The window of the models: a card for each, the token, imports, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from engine.families.registry import LICENCES
from engine.models import notices
from engine.models.download import DownloadProgress
from engine.models.everything import Imported
from engine.models.sources import parts_names
from engine.models.states import Card
from engine.models.store import Removal
from engine.models.token import Token
from engine.models.transport import DEFAULT_ENDPOINT
from engine.models.trees import LeftOut
from engine.models.upscalers import Upscaler
from engine.protocol.errors import BadFile, ErrorInfo
from ui.drops import dropped
from ui.models.card import ModelCard
from ui.models.dialogs import LeftOutDialog, LicenceDialog, RemoveDialog, TokenDialog
from ui.models.link import ModelLink
from ui.models.upscaler_row import UpscalerRow
from ui.sentences import said
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import ErrorLabel, label
from ui.widgets.placing import place_over
from ui.widgets.style import set_state

SIZE = (760, 820)


class ModelsWindow(QDialog):
    """Non-modal. ``link`` is started by whoever made it, and outlives this window: downloads go on when it closes."""

    def __init__(self, link: ModelLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._updates: tuple[str, ...] = ()
        self._sought = ""
        self.cards: dict[str, ModelCard] = {}
        self.upscalers: dict[str, UpscalerRow] = {}
        self.setWindowTitle(self.tr("Models"))
        self.setMinimumWidth(380)
        self.setAcceptDrops(True)
        self._restore: Callable[[], None] | None = None
        self._is_told = False
        self._left_out: tuple[LeftOut, ...] = ()
        self.said = label("", "muted")
        self.said.setWordWrap(True)
        self.error = ErrorLabel()
        self._build()
        place_over(self, SIZE)
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
        head = FlowLayout(gap=8)
        self.actions_: dict[str, QPushButton] = {}
        for name, text, call in (
            ("import_file", self.tr("Import a file…"), self.ask_import_file),
            ("import", self.tr("Import a folder…"), self.ask_import_folder),
            ("updates", self.tr("Look for updates"), self._link.service.check_updates),
            ("token", self.tr("Token…"), self.ask_token),
            ("move", self.tr("Move all…"), self.ask_folder),
        ):
            button = QPushButton(text)
            button.clicked.connect(lambda _checked=False, call=call: call())
            self.actions_[name] = button
            head.addWidget(button)
        self.undo = QPushButton(self.tr("Undo"))
        self.undo.setProperty("role", "message")
        self.undo.hide()
        self.undo.clicked.connect(self._undo)
        said = QHBoxLayout()
        said.addWidget(self.said, 1)
        said.addWidget(self.undo)
        self.left_out = QPushButton(self.tr("What was left out…"))
        self.left_out.setProperty("role", "message")
        self.left_out.hide()
        self.left_out.clicked.connect(self._show_left_out)
        said.addWidget(self.left_out)
        inner = QWidget()
        inner.setProperty("role", "scrolled")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self.imported = label(self.tr("IMPORTED"), "section")
        self._column.addWidget(self.imported)
        self.above_upscalers = label(self.tr("UPSCALERS"), "section")
        self._column.addWidget(self.above_upscalers)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        self._area = area
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 12)
        whole.setSpacing(10)
        whole.addWidget(label(self.tr("Models"), "heading"))
        whole.addLayout(head)
        whole.addLayout(said)
        whole.addWidget(self.error)
        whole.addWidget(area, 1)

    # --- what is here

    def reload(self) -> None:
        self._link.ask(lambda service: service.cards(), self._show_cards)
        self._link.ask(lambda service: service.upscalers.all(), self._show_upscalers)

    def _show_upscalers(self, upscalers: tuple[Upscaler, ...]) -> None:
        for gone in self.upscalers.values():
            self._column.removeWidget(gone)
            gone.deleteLater()
        self.upscalers = {}
        for one in upscalers:
            row = self.upscalers[one.name] = UpscalerRow(one)
            row.removal_wanted.connect(self.remove_upscaler)
            self._column.insertWidget(self._column.count() - 1, row)

    def remove_upscaler(self, name: str) -> None:
        text = self.tr("{name} is taken out; your own file stays.").format(name=name)
        self._link.ask(lambda service: service.remove_upscaler(name), lambda restore: self._say(text, restore))

    def _show_cards(self, cards: list[Card]) -> None:
        for gone in self.cards.keys() - {card.id for card in cards}:
            self.cards.pop(gone).deleteLater()
        for card in cards:
            has_update = any(one.name in self._updates for one in card.installed)
            if card.id not in self.cards:
                made = ModelCard(card)
                made.wanted.connect(lambda action, what, id=card.id: self.act(id, action, what))
                self.cards[card.id] = made
                below = self.imported if card.role == "catalogued" else self.above_upscalers
                above = self._column.indexOf(below)
                self._column.insertWidget(above, made)
            self.cards[card.id].show_card(card, has_update)
        self.imported.setVisible(any(card.role != "catalogued" for card in cards))
        self._show_sought()
        if not self._is_told:
            self.said.setText(self.tr("Kept in {folder}").format(folder=self._link.service.store.root))

    def show_model(self, id: str) -> None:
        """Bring the card of a model into sight and mark it, now or once the cards are there."""
        self._sought = id
        self._show_sought()

    def _show_sought(self) -> None:
        found = self.cards.get(self._sought)
        if found is None:
            return
        self._sought = ""
        for card in self.cards.values():
            set_state(card, "found", card is found)
        QTimer.singleShot(0, found, lambda: self._bring(found))

    def _bring(self, card: ModelCard) -> None:
        self._area.ensureWidgetVisible(card, 0, 12)
        button = next((one for one in card.buttons.values() if one.isVisibleTo(card)), None)
        if button is not None:
            button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """``text`` stays until there is another; without one the next look at the models says where they are kept."""
        self.said.setText(text)
        self._is_told = bool(text)
        self._restore = undo
        self.undo.setVisible(undo is not None)
        self._left_out = ()
        self.left_out.hide()

    def _undo(self) -> None:
        restore = self._restore
        self._say("")
        if restore is not None:
            self._link.ask(lambda _service: restore())

    # --- files dropped on the window

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        try:
            path = dropped(event.mimeData())
        except BadFile as error:
            self._failed(error.info())
            return
        if isinstance(path, Path):
            self.import_models(path)

    # --- what a person does

    def act(self, id: str, action: str, what: str) -> None:
        """Carry out a card's button."""
        service, card = self._link.service, self.cards[id].card
        self.error.set_sentence("")
        if action in ("download", "update"):
            self.download(id, what)
        elif action == "complete":
            self._complete(what, with_t5=card.state == "ready")
        elif action == "remove" and card.role == "import":
            text = self.tr("{name} is forgotten; your own files stay.").format(name=what)
            self._link.ask(lambda asked: asked.forget(what), lambda restore: self._say(text, restore))
        elif action == "remove":
            self._link.ask(lambda asked: asked.removal(what), self._confirm)
        elif action in ("pause", "resume", "cancel", "verify", "repair"):
            call = getattr(service, action)
            self._link.ask(lambda _service: call(what))

    def download(self, id: str, precision: str = "native") -> None:
        """Show the licence where it was not accepted yet; then download."""
        card = self.cards[id].card
        self._with_licence(
            card.licence,
            card.name,
            lambda: self._link.ask(lambda service: service.download(id, "fp8" if precision == "fp8" else "native")),
        )

    def _complete(self, name: str, with_t5: bool) -> None:
        """Get what the import ``name`` lacks, under the licence of where that comes from."""

        def begin() -> None:
            self._link.ask(lambda service: service.complete(name, with_t5))

        self._link.ask(
            lambda service: service.completed_from(name, with_t5),
            lambda source: self._with_licence(source.licence, source.name, begin),
        )

    def _with_licence(self, licence_id: str, name: str, begin: Callable[[], None]) -> None:
        """Call ``begin`` once the licence of ``name`` is accepted."""
        licence = LICENCES[licence_id]
        acceptances = self._link.service.acceptances
        if acceptances.has(licence):
            begin()
        else:

            def accepted() -> None:
                self._link.ask(lambda _service: acceptances.accept(licence), lambda _: begin())

            LicenceDialog(licence, name, accepted, self).open()

    def _confirm(self, removal: Removal) -> None:
        RemoveDialog(removal, lambda: self._link.ask(lambda service: service.remove(removal.name)), self).open()

    def ask_token(self, model_page: str = "") -> None:
        tokens = self._link.service.tokens

        def save(text: str) -> None:
            if text.strip():
                self._link.ask(lambda _service: tokens.save(Token(text)))

        self._link.ask(
            lambda _service: (tokens.find()[1], tokens.has_keyring),
            lambda found: TokenDialog(*found, model_page, save, self).open(),
        )

    def ask_import_folder(self) -> None:
        self._ask_path(QFileDialog.FileMode.Directory, self.tr("Import models from a folder"), self.import_models)

    def ask_import_file(self) -> None:
        self._ask_path(QFileDialog.FileMode.ExistingFile, self.tr("Import a model file"), self.import_models)

    def ask_folder(self) -> None:
        self._ask_path(QFileDialog.FileMode.Directory, self.tr("Move all models to an empty folder"), self.move_to)

    def import_models(self, path: Path) -> None:
        self.error.set_sentence("")
        self._say(self.tr("Reading {name}…").format(name=path.name))
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
        if now.name in parts_names() and now.name not in self.cards:
            self.reload()  # its card appears with its first download
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
            self._say(text.format(name=notice.name, count=notice.result.files))
        elif notice.result is not None:
            text = self.tr("{name}: {count} files are damaged. “Repair” fetches them anew.")
            self.error.set_sentence(text.format(name=notice.name, count=len(notice.result.bad)))

    def _moving(self, notice: notices.MoveProgressed) -> None:
        percent = 100 * notice.done // max(1, notice.total)
        self._say(self.tr("Moving the models: {percent} %").format(percent=percent))

    def _moved(self, notice: notices.MoveEnded) -> None:
        self._say("")
        if notice.error is not None:
            self._failed(notice.error)

    def _updates_found(self, notice: notices.UpdatesFound) -> None:
        self._updates = notice.names
        self.reload()

    def _imported(self, found: Imported) -> None:
        parts = []
        if found.names:
            parts.append(self.tr("Imported: {names}.").format(names=", ".join(found.names)))
        if found.loras:
            parts.append(self.tr("LoRAs that are in the form's list now: {count}.").format(count=len(found.loras)))
        if found.controlnets:
            text = self.tr("ControlNets that are kept for later versions: {count}.")
            parts.append(text.format(count=len(found.controlnets)))
        if found.left_out:
            parts.append(self.tr("Files that were left out: {count}.").format(count=len(found.left_out)))
        is_copied = bool(found.upscalers)
        copied = self.tr("Upscalers were copied, models were not.") if is_copied else self.tr("Nothing was copied.")
        self._say(" ".join([*parts, copied]))
        self._left_out = found.left_out
        self.left_out.setVisible(bool(found.left_out))

    def _show_left_out(self) -> None:
        LeftOutDialog(self._left_out, self).open()

    def _failed(self, error: ErrorInfo) -> None:
        self._say("")
        self.error.set_sentence(said(error))
