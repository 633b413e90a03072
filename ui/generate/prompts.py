"""Prompt and negative prompt with their token counts, style, history, examples and sentences."""

from __future__ import annotations

import re

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.models.installed import InstalledModel
from engine.prompt.known_words import unknown_words
from engine.prompt.templates import is_template
from engine.prompt.tokens import Rules
from engine.protocol.family_info import MAX_PROMPT_CHARS, ModelInfo
from ui.draft import Draft
from ui.generate.completion import Completion
from ui.generate.counter_label import CounterLabel, cuts_of
from ui.generate.examples import ExamplesButton
from ui.generate.history import PromptHistory
from ui.generate.prompt_edit import PromptEdit
from ui.generate.style_menu import StyleButton
from ui.generate.token_counts import Answer, Question, TokenCounts
from ui.generate.unknown_words import UnknownWordsLabel
from ui.prompt_tools import PromptTools
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ErrorLabel, label
from ui.widgets.style import set_state

HINT_MS = 6000
LORA_TAG = re.compile(r"<lora:[^<>]{1,200}>", re.IGNORECASE)  # as Automatic1111 writes them
ROW_HEIGHT = 24


class Prompts(QWidget):
    """Signals: ``edited`` after the person changed one of the two texts, ``style_chosen(id)``, ``write_style_wanted``
    and ``edit_styles_wanted`` by the style's menu, ``weights_wanted`` after a weight was set by key,
    ``combinations_wanted`` for a job of every text that the alternatives can become."""

    edited = Signal()
    style_chosen = Signal(str)
    write_style_wanted = Signal()
    edit_styles_wanted = Signal()
    weights_wanted = Signal()
    combinations_wanted = Signal()

    def __init__(self, *, theme: Theme, tools: PromptTools, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self._model: InstalledModel | None = None
        self._draft = Draft()
        self.prompt = PromptEdit(self.tr("Prompt"), self.tr("Describe what you want to see"), theme=theme)
        self.negative = PromptEdit(
            self.tr("Negative prompt"), self.tr("What to avoid, e.g. text, watermark, flicker"), theme=theme
        )
        self.prompt.setMinimumHeight(76)
        self.negative.setMinimumHeight(52)
        self.negative.setMaximumHeight(64)
        self.counter = CounterLabel()
        self.negative_counter = CounterLabel()
        self.style_button = StyleButton(tools)
        self.examples = ExamplesButton(theme=theme)
        self.history_button = IconButton(
            "history", self.tr("Your prompts (Ctrl+H)"), theme=theme, role="muted", size=16
        )
        self.history_button.setFixedSize(26, 26)
        self.history = PromptHistory(tools, self)
        self.combinations = QPushButton()
        self.combinations.setProperty("role", "quiet")
        self.combinations.hide()
        self.unknown = UnknownWordsLabel(theme=theme)
        self.unknown.chosen.connect(self._replace_word)
        self.prompt_error = ErrorLabel()
        self.negative_error = ErrorLabel()
        self.completion = Completion(self.prompt, tools)
        self.counts = TokenCounts(self)
        self.counts.lines = tools.wildcards.lines
        self._lay_out()
        self._connect()
        self._ask()

    def _lay_out(self) -> None:
        head = self._row(label(self.tr("PROMPT"), "section"), self.history_button, self.examples)
        foot = self._row(self.style_button, self.counter)
        self._negative_title = label(self.tr("NEGATIVE PROMPT"), "section")
        negative_head = self._row(self._negative_title, self.negative_counter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.prompt, 1)
        column.addLayout(foot)
        column.addWidget(self.combinations, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.unknown)
        column.addWidget(self.prompt_error)
        column.addLayout(negative_head)
        column.addWidget(self.negative)
        column.addWidget(self.negative_error)

    @staticmethod
    def _row(left: QWidget, *right: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        left.setFixedHeight(ROW_HEIGHT)
        row.addWidget(left)
        row.addStretch(1)
        for part in right:
            row.addWidget(part)
        return row

    def _connect(self) -> None:
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(250)
        self._later.timeout.connect(self._tell_unknown)
        self._later.timeout.connect(self._count_combinations)
        self._unhint = QTimer(self)
        self._unhint.setSingleShot(True)
        self._unhint.setInterval(HINT_MS)
        self._unhint.timeout.connect(self._tell_unknown)
        for edit in (self.prompt, self.negative):
            edit.edited.connect(self._edited)
            edit.weighed.connect(self._weighed)
        self.combinations.clicked.connect(self.combinations_wanted)
        self.examples.chosen.connect(self.prompt.replace_text)
        self.history_button.clicked.connect(self.open_history)
        self.history.chosen.connect(self._use_prompt)
        self.style_button.style_chosen.connect(self.style_chosen)
        self.style_button.write_wanted.connect(self.write_style_wanted)
        self.style_button.edit_wanted.connect(self.edit_styles_wanted)
        self.counts.counted.connect(self._counted)
        self._tools.changed.connect(self._ask)

    def close_down(self) -> None:
        """Wait for the thread that counts."""
        self.counts.close()

    # --- what is shown

    def show_draft(self, draft: Draft, model: InstalledModel | None) -> None:
        """Without ``edited``."""
        kind = "video" if draft.recipe.frames > 1 else "image"
        key = model.info.kind if model is not None else kind
        self.set_reading(draft, model)
        self.prompt.set_text(draft.recipe.prompt, key)
        self.negative.set_text(draft.recipe.negative_prompt, key)
        self.style_button.set_style_id(draft.style)
        self._changed()
        self._tell_unknown()
        self._count_combinations()

    def set_reading(self, draft: Draft, model: InstalledModel | None) -> None:
        """How the texts are read: the model, and the settings of the draft that decide it."""
        self._draft, self._model = draft, model
        info = model.info if model is not None else None
        vocabulary = info.vocabulary if info is not None else ()
        takes_negative = model is None or model.family.takes("negative_prompt")
        for part in (self._negative_title, self.negative_counter, self.negative):
            part.setVisible(takes_negative)
        self.prompt.set_vocabulary(vocabulary)
        self.completion.set_vocabulary(vocabulary)
        self.examples.set_model(info)
        self.prompt.setPlaceholderText(self._invitation(info))
        for edit in (self.prompt, self.negative):
            edit.reads_weights = model is None or "comfyui" in model.family.text_encodings
        self._ask()

    def _invitation(self, info: ModelInfo | None) -> str:
        text = self.tr("Describe what you want to see")
        if info is not None and info.examples:
            text += "\n" + self.tr("for example: {prompt}").format(prompt=info.examples[0])
        return text

    def open_history(self) -> None:
        self.history.open_below(self.history_button)

    def show_hint(self, text: str) -> None:
        """A sentence under the prompt, for a moment."""
        self.unknown.show_hint(text)
        self._unhint.start()

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

    # --- what the person does

    def _edited(self) -> None:
        self._later.start()
        self.edited.emit()
        self._changed()

    def _use_prompt(self, text: str) -> None:
        self.prompt.replace_text(text)
        self.prompt.setFocus()

    def _weighed(self, done: bool) -> None:
        if done:
            self.weights_wanted.emit()
        else:
            self.show_hint(self.tr("This model reads no weights."))

    def _changed(self) -> None:
        text = self.prompt.text()
        self.prompt.marks.set_templates(is_template(text))
        self.negative.marks.set_templates(is_template(self.negative.text()))
        self._ask()

    # --- counts

    def _ask(self) -> None:
        model = self._model
        length = max(len(self.prompt.text()), len(self.negative.text()))
        if model is None or not 0 < length <= MAX_PROMPT_CHARS // 2:
            self.counts.ask(None)
            self._counted(None)
            return
        recipe = self._draft.recipe
        self.counts.ask(
            Question(
                model.folder,
                model.family,
                Rules.of(recipe),
                self.prompt.text(),
                self.negative.text(),
                self._tools.style(self._draft.style),
                recipe.seed,
            )
        )

    def _counted(self, answer: Answer | None) -> None:
        prompt, negative = self.prompt.text(), self.negative.text()
        if answer is None:
            self.counter.show_words(prompt)
            self.negative_counter.show_words(negative)
            for edit in (self.prompt, self.negative):
                edit.marks.set_cuts(None, None)
            return
        self.counter.show_counts(answer.prompt, answer.texts.prompt)
        self.negative_counter.show_counts(answer.negative if negative else (), answer.texts.negative)
        self.prompt.marks.set_cuts(*cuts_of(answer.prompt, answer.texts.offset))
        is_typed = answer.texts.negative.startswith(negative.strip().rstrip(","))
        self.negative.marks.set_cuts(*cuts_of(answer.negative, 0 if is_typed else None))

    def _count_combinations(self) -> None:
        """On a thread: wildcards are files."""
        draft = self._draft

        def counted(count: int) -> None:
            if draft is self._draft:
                text = self.tr("Make all {count} combinations…").format(count=QLocale().toString(count))
                self.combinations.setText(text)
                self.combinations.setAccessibleName(text)
                self.combinations.setVisible(count > 1)

        self._tools.count_combinations(draft, counted)

    def _tell_unknown(self) -> None:
        if LORA_TAG.search(self.prompt.text()):
            self.unknown.show_hint(
                self.tr("“<lora:…>” in a prompt is plain text here. LoRAs are added under Advanced.")
            )
            return
        unknown = " ".join(self.prompt.unknown_words())
        self.unknown.show_words(unknown_words(unknown, self.prompt.vocabulary), self._drawn_as())

    def _drawn_as(self) -> str:
        """What the model is asked instead of the text, where that holds something that it cannot draw."""
        recipe, info = self._draft.recipe, self._model.info if self._model is not None else None
        text = self.prompt.text()
        if info is None or not info.vocabulary or not text.strip() or is_template(text):
            return ""
        from engine.prompt.adapt import adapt_recipe  # not before the window is shown: it knows three languages

        adapted = adapt_recipe(recipe.replace(prompt=text), info)[1]
        return adapted.text if adapted.text != text and not adapted.surprise else ""

    def _replace_word(self, word: str, instead: str) -> None:
        """All of its places; it can be undone."""
        written = re.escape(word).replace("'", "['’]")
        pattern = re.compile(rf"(?<!\w){written}(?!\w)", re.IGNORECASE)
        self.prompt.replace_text(pattern.sub(lambda match: instead, self.prompt.text()))
        self.prompt.setFocus()
