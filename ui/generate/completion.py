"""What completes the words before the cursor: a wildcard, a word of the model's vocabulary, or a phrase of the person's
own earlier prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, QTimer

from ui.generate.prompt_edit import PromptEdit
from ui.prompt_tools import PromptTools

ASK_AFTER_MS = 180
LEAST_CHARS = 3
MOST_CHARS = 80
PROMPTS_ASKED = 200
_WILDCARD = re.compile(r"__[\w\-./]*$")
_WORD = re.compile(r"[^\W\d_]+$")
_PHRASE = re.compile(r"[^,.;:\n{|}()]+$")
_CUT = re.compile(r"[,.;:\n{|}()]+")


class Completion(QObject):
    """Offers suggestions in ``edit`` after a pause in typing, while ``enabled``."""

    def __init__(self, edit: PromptEdit, tools: PromptTools) -> None:
        super().__init__(edit)
        self._edit = edit
        self._tools = tools
        self._vocabulary: tuple[str, ...] = ()
        self._asked = 0
        self.enabled = True
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(ASK_AFTER_MS)
        self._later.timeout.connect(self._suggest)
        edit.typed.connect(self._later.start)

    def set_vocabulary(self, words: Sequence[str]) -> None:
        self._vocabulary = tuple(words)

    def _suggest(self) -> None:
        before = self._edit.before_cursor()
        if not self.enabled or not self._edit.hasFocus():
            return
        if match := _WILDCARD.search(before):
            names = [f"__{name}__" for name in self._tools.wildcard_names]
            self._edit.suggestions.offer(match[0], matching(match[0], names))
        elif self._vocabulary:
            match = _WORD.search(before)
            typed = match[0] if match else ""
            self._edit.suggestions.offer(typed, matching(typed, self._vocabulary) if len(typed) > 1 else [])
        else:
            match = _PHRASE.search(before)
            self._ask_library(match[0].lstrip() if match else "")

    def _ask_library(self, typed: str) -> None:
        self._asked += 1
        if not LEAST_CHARS <= len(typed) <= MOST_CHARS:
            self._edit.suggestions.hide()
            return
        number = self._asked

        def found(prompts: list[str]) -> None:
            if number == self._asked and self._edit.before_cursor().endswith(typed):
                self._edit.suggestions.offer(typed, matching(typed, phrases(prompts)))

        self._tools.find_prompts(typed, PROMPTS_ASKED, found)


def phrases(prompts: Iterable[str]) -> list[str]:
    """The parts between commas and full stops, each once, those of the first prompts first."""
    parts = (part.strip() for prompt in prompts for part in _CUT.split(prompt))
    return list(dict.fromkeys(part for part in parts if part))


def matching(typed: str, texts: Iterable[str]) -> list[str]:
    """Those of ``texts`` that begin as ``typed`` does and go on."""
    low = typed.casefold()
    return [text for text in texts if len(text) > len(typed) and text.casefold().startswith(low)]
