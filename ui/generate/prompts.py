"""Prompt and negative prompt with their counters, hints and sentences, the examples and the vocabulary."""

from __future__ import annotations

import random

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.protocol.family_info import MAX_PROMPT_CHARS, ModelInfo
from ui.generate.prompt_edit import PromptEdit
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ErrorLabel, label
from ui.widgets.style import set_state

SHOWN_UNKNOWN = 6
SHOWN_EXAMPLES = 12


class Prompts(QWidget):
    """Signals: ``edited`` after the person changed one of the two texts."""

    edited = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info: ModelInfo | None = None
        self.prompt = PromptEdit(self.tr("Prompt"), self.tr("Describe what you want to see"), theme=theme)
        self.negative = PromptEdit(
            self.tr("Negative prompt"), self.tr("What to avoid, e.g. text, watermark, flicker"), theme=theme
        )
        self.prompt.setMinimumHeight(76)
        self.negative.setMinimumHeight(52)
        self.negative.setMaximumHeight(64)
        self.counter = label("", "muted")
        self.examples = IconButton("sparkle", self.tr("Examples for this model"), theme=theme, role="muted", size=16)
        self.examples.setFixedSize(26, 26)
        self.examples.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.examples)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.examples.setMenu(self._menu)
        self.unknown = label("", "muted")
        self.unknown.setWordWrap(True)
        self.unknown.hide()
        self.prompt_error = ErrorLabel()
        self.negative_error = ErrorLabel()

        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        title = label(self.tr("PROMPT"), "section")
        title.setFixedHeight(26)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.counter)
        head.addWidget(self.examples)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.prompt, 1)
        column.addWidget(self.unknown)
        column.addWidget(self.prompt_error)
        column.addSpacing(6)
        column.addWidget(label(self.tr("NEGATIVE PROMPT"), "section"))
        column.addSpacing(2)
        column.addWidget(self.negative)
        column.addWidget(self.negative_error)

        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(250)
        self._later.timeout.connect(self._tell_unknown)
        self.prompt.edited.connect(self._edited)
        self.negative.edited.connect(self._edited)
        self._count()

    def show_texts(self, prompt: str, negative: str) -> None:
        """Without ``edited``."""
        self.prompt.set_text(prompt)
        self.negative.set_text(negative)
        self._count()
        self._tell_unknown()

    def set_model(self, info: ModelInfo | None) -> None:
        self._info = info
        self.prompt.set_vocabulary(info.vocabulary if info else ())
        self.examples.setVisible(bool(info and (info.examples or info.vocabulary)))
        self._tell_unknown()

    def show_error(self, field: str, sentence: str) -> QWidget:
        edit, error = (self.prompt, self.prompt_error) if field == "prompt" else (self.negative, self.negative_error)
        error.set_sentence(sentence)
        set_state(edit, "invalid", True)
        edit.setAccessibleDescription(sentence)
        return edit

    def clear_errors(self) -> None:
        for edit, error in ((self.prompt, self.prompt_error), (self.negative, self.negative_error)):
            if error.text():
                error.set_sentence("")
                set_state(edit, "invalid", False)
                edit.setAccessibleDescription("")

    def _edited(self) -> None:
        self._count()
        self._later.start()
        self.edited.emit()

    def _count(self) -> None:
        text = self.prompt.text()
        words = len(text.split())
        if len(text) > MAX_PROMPT_CHARS // 2:
            shown = self.tr("{count} / {most} characters").format(count=f"{len(text):,}", most=f"{MAX_PROMPT_CHARS:,}")
        elif not words:
            shown = ""
        elif words == 1:
            shown = self.tr("1 word")
        else:
            shown = self.tr("{count} words").format(count=words)
        self.counter.setText(shown)
        self.counter.setToolTip(self.tr("{count} characters").format(count=f"{len(text):,}"))

    def _tell_unknown(self) -> None:
        words = self.prompt.unknown_words()
        if not words:
            self.unknown.hide()
            return
        shown = ", ".join(words[:SHOWN_UNKNOWN]) + (" …" if len(words) > SHOWN_UNKNOWN else "")
        self.unknown.setText(self.tr("This model does not know: {words}").format(words=shown))
        self.unknown.show()

    def _fill_menu(self) -> None:
        self._menu.clear()
        if self._info is None:
            return
        examples = list(self._info.examples)
        if examples:
            self._menu.addAction(self.tr("Surprise me"), lambda: self.prompt.replace_text(random.choice(examples)))
            self._menu.addSeparator()
        for text in examples[:SHOWN_EXAMPLES]:
            shown = text if len(text) <= 60 else text[:58] + " …"
            self._menu.addAction(shown.replace("&", "&&"), lambda text=text: self.prompt.replace_text(text))
        if self._info.vocabulary:
            self._menu.addSeparator()
            self._menu.addAction(self.tr("Words this model knows…"), self._show_vocabulary)

    def _show_vocabulary(self) -> None:
        assert self._info is not None
        dialog = QDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Words that {model} knows").format(model=self._info.name))
        words = QPlainTextEdit(", ".join(sorted(self._info.vocabulary)))
        words.setReadOnly(True)
        words.setAccessibleName(dialog.windowTitle())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        column = QVBoxLayout(dialog)
        column.addWidget(words)
        column.addWidget(buttons)
        dialog.resize(480, 420)
        dialog.open()
