"""What became of another program's file: understood, different, left out, missing. A card among the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ui.sentences import shipped
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, label

if TYPE_CHECKING:
    from engine.interop.report import ImportResult


class ImportReport(QFrame):
    """Hidden while there is nothing to say.

    Signals: ``models_wanted(id)`` to get a model that is missing; ``id`` is the catalogue's, empty where it has none.
    """

    models_wanted = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.setProperty("role", "card")
        self.setAccessibleName(self.tr("Report of the import"))
        self.title = ElidedLabel()
        self.copy = IconButton("copy", self.tr("Copy this report"), theme=theme, role="muted", size=14)
        self.close_button = IconButton("x", self.tr("Close this report"), theme=theme, role="muted", size=14)
        self.understood = QPushButton()
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.title, 1)
        head.addWidget(self.copy)
        head.addWidget(self.close_button)
        self._lists = QVBoxLayout()
        self._lists.setSpacing(3)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 4, 6, 8)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(self._lists)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self._text))
        self.close_button.clicked.connect(self.hide)
        self.hide()

    def text(self) -> str:
        """All of it, as it is copied."""
        return self._text

    def show_result(self, result: ImportResult, file: str) -> None:
        """What was found in ``file``. One that came over whole, such as Laterna's own, needs no report."""
        self._clear()
        if not (result.approximated or result.ignored or result.missing or len(result.understood) > 1):
            self.hide()
            return
        self.title.set_text(self.tr("{file}, from {program}").format(file=file, program=result.source))
        missing = [(shipped().sentence(one.sentence()), one) for one in result.missing]
        self._text = self._plain(result, file)
        if missing:
            self._heading(self.tr("MISSING"))
            for sentence, one in missing:
                self._line(sentence)
                if one.kind == "model":
                    self._models_button(one.model)
        for heading, lines in (
            (self.tr("DIFFERENT HERE"), result.approximated),
            (self.tr("LEFT OUT"), result.ignored),
        ):
            if lines:
                self._heading(heading)
                for line in lines:
                    self._line(shipped().sentence(line))
        if result.understood:
            self._understood(tuple(map(shipped().sentence, result.understood)))
        self.show()

    def _plain(self, result: ImportResult, file: str) -> str:
        parts = [self.title.text_whole() or file]
        for heading, lines in (
            (self.tr("Missing"), [one.sentence() for one in result.missing]),
            (self.tr("Different here"), result.approximated),
            (self.tr("Left out"), result.ignored),
            (self.tr("Understood"), result.understood),
        ):
            if lines:
                parts.append("\n".join((f"{heading}:", *(f"- {shipped().sentence(line)}" for line in lines))))
        return "\n\n".join(parts) + "\n"

    def _heading(self, text: str) -> None:
        self._lists.addSpacing(2)
        self._lists.addWidget(label(text, "section"))

    def _line(self, text: str) -> QWidget:
        made = label(text)
        made.setWordWrap(True)
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lists.addWidget(made)
        return made

    def _models_button(self, model: str) -> None:
        button = QPushButton(self.tr("Get it in Models…") if model else self.tr("Open Models…"))
        button.setProperty("role", "message")
        button.clicked.connect(lambda: self.models_wanted.emit(model))
        self._lists.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _understood(self, lines: tuple[str, ...]) -> None:
        """The long list that few read: on demand."""
        button = QPushButton(self.tr("Understood: {count}").format(count=len(lines)))
        button.setProperty("role", "disclosure")
        button.setCheckable(True)
        self._lists.addSpacing(2)
        self._lists.addWidget(button)
        rows = [self._line(line) for line in lines]
        for row in rows:
            row.hide()
            button.toggled.connect(row.setVisible)
        self.understood = button

    def _clear(self) -> None:
        while (part := self._lists.takeAt(0)) is not None:
            widget = part.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
