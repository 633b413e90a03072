"""The dialogs of the models page: a licence to accept, a model to remove, the hub's token, what an import left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from engine.families.source import Licence
from engine.models.store import Removal
from engine.models.token import TokenPlace
from engine.models.trees import LeftOut
from ui.formats import file_size
from ui.models.catalogue_texts import told
from ui.sentences import shipped
from ui.widgets.labels import label

TOKEN_PAGE = "https://huggingface.co/settings/tokens"


class _Question(QDialog):
    """A sentence or more, and two buttons; ``yes`` is called when it is accepted. Non-blocking."""

    def __init__(self, title: str, yes: str, accepted: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 20, 24, 16)
        self.column.setSpacing(10)
        if title:
            self.column.addWidget(label(title, "heading"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.yes = self.buttons.addButton(yes, QDialogButtonBox.ButtonRole.AcceptRole)
        self.yes.setProperty("role", "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.accepted.connect(accepted)

    def add_text(self, text: str, role: str = "") -> QLabel:
        shown = label(text, role)
        shown.setWordWrap(True)
        self.column.addWidget(shown)
        return shown

    def add_link(self, address: str) -> None:
        link = QLabel(f'<a href="{address}">{address}</a>')
        link.setOpenExternalLinks(True)
        link.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.column.addWidget(link)


class LicenceDialog(_Question):
    """Shown before the first download of a model; the button works once the box is ticked."""

    def __init__(self, licence: Licence, model: str, accepted: Callable[[], None], parent: QWidget) -> None:
        super().__init__(licence.name, "", accepted, parent)
        self.yes.setText(self.tr("Accept and download"))
        self.add_text(self.tr("{model} comes under this licence. In short:").format(model=model), "muted")
        for term in licence.terms:
            self.add_text("•  " + told(term))
        self.add_text(self.tr("What binds is the full text:"), "muted")
        self.add_link(licence.url)
        self.tick = QCheckBox(self.tr("I have read the licence and accept it"))
        self.column.addWidget(self.tick)
        self.column.addWidget(self.buttons)
        self.yes.setEnabled(False)
        self.tick.toggled.connect(self.yes.setEnabled)


class RemoveDialog(_Question):
    def __init__(self, removal: Removal, accepted: Callable[[], None], parent: QWidget) -> None:
        super().__init__("", "", accepted, parent)
        title = self.tr("Remove {name}?").format(name=removal.name)
        self.setWindowTitle(title)
        self.add_text(title, "title")
        self.yes.setText(self.tr("Remove"))
        self.add_text(self.tr("This frees {size}.").format(size=file_size(removal.frees)))
        if removal.shared:
            text = self.tr("{size} stay, since other models use them.")
            self.add_text(text.format(size=file_size(removal.shared)), "muted")
        self.column.addWidget(self.buttons)


class TokenDialog(_Question):
    """For gated models. ``save`` gets the text; an empty one deletes the token that is kept."""

    def __init__(
        self, place: TokenPlace, has_keyring: bool, model_page: str, save: Callable[[str], None], parent: QWidget
    ) -> None:
        super().__init__("", "", lambda: save(self.field.text()), parent)
        title = self.tr("Token for gated models")
        self.setWindowTitle(title)
        self.add_text(title, "heading")
        self.yes.setText(self.tr("Keep"))
        self.add_text(self.tr("1.  Open the model's page, sign in, and accept its licence there."))
        if model_page:
            self.add_link(model_page)
        self.add_text(self.tr("2.  Make a token of the kind “read”."))
        self.add_link(TOKEN_PAGE)
        self.add_text(self.tr("3.  Paste it here."))
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(self.tr("Token"))
        self.field.setPlaceholderText(self.tr("A token is kept already") if place in ("keyring", "file") else "hf_…")
        self.column.addWidget(self.field)
        kept = (
            self.tr("It is kept in the system's keyring.")
            if has_keyring
            else self.tr(
                "This system has no keyring that Laterna can use: it is kept in a file that only you can read."
            )
        )
        self.add_text(kept, "muted")
        self.column.addWidget(self.buttons)
        self.field.setFocus()


class LeftOutDialog(QDialog):
    """The files that an import left out, by folder, each with its reason; can be copied."""

    def __init__(self, left_out: Sequence[LeftOut], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("What was left out"))
        self.resize(640, 480)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(10)
        column.addWidget(label(self.tr("What was left out"), "heading"))
        folders: dict[str, list[str]] = {}
        for one in left_out:
            folders.setdefault(str(Path(one.path).parent), []).append(shipped().sentence(one.why))
        text = "\n\n".join("\n".join([folder, *(f"  •  {why}" for why in whys)]) for folder, whys in folders.items())
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(self.tr("What was left out"))
        column.addWidget(self.text, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
