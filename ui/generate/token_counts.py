"""Counts tokens on a thread while one types. Only the newest question is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from engine.prompt.expand import Texts, expand
from engine.prompt.styles import Style
from engine.prompt.templates import Lines, no_wildcards
from engine.prompt.tokens import Count, Rules, TokenCounter
from engine.protocol.errors import LaternaError
from engine.protocol.family_info import FamilyInfo
from ui.background import Background

ASK_AFTER_MS = 120


@dataclass(frozen=True)
class Question:
    folder: Path
    family: FamilyInfo
    rules: Rules
    prompt: str
    negative: str
    style: Style | None = None
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    """Counts of the texts that the engine would get; ``texts`` are those."""

    question: Question
    prompt: tuple[Count, ...]
    negative: tuple[Count, ...]
    texts: Texts


class TokenCounts(QObject):
    """Signals: ``counted(Answer)``, or ``counted(None)`` where the model's tokenizers cannot be read."""

    counted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(1, self)
        self._counters: dict[Path, TokenCounter] = {}
        self._wanted: Question | None = None
        self._asked: Question | None = None
        self._busy = False
        self.lines: Lines = no_wildcards
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(ASK_AFTER_MS)
        self._later.timeout.connect(self._ask)

    def ask(self, question: Question | None) -> None:
        """``counted`` follows, a moment after the last question; None asks for nothing more."""
        self._wanted = question
        if question is None:
            self._later.stop()
        elif question != self._asked:
            self._later.start()

    def close(self) -> None:
        self._later.stop()
        self._background.close()

    def _ask(self) -> None:
        question = self._wanted
        if question is None or self._busy:
            return
        self._busy, self._asked = True, question
        self._background.run(lambda: self._answer(question), self._answered, self._failed)

    def _answer(self, question: Question) -> Answer:
        """On the thread."""
        counter = self._counters.get(question.folder)
        if counter is None:
            self._counters.clear()  # a person works with one model at a time
            counter = self._counters[question.folder] = TokenCounter(question.folder, question.family)
        try:
            texts = expand(question.prompt, question.negative, question.style, question.seed, self.lines)
        except LaternaError:  # the form says so when it is generated
            texts = Texts(question.prompt, question.negative)
        return Answer(
            question,
            counter.count(texts.prompt, question.rules),
            counter.count(texts.negative, question.rules),
            texts,
        )

    def _answered(self, answer: Answer) -> None:
        self._busy = False
        if self._wanted is not None and self._wanted != answer.question:
            self._ask()
        elif self._wanted is not None:
            self.counted.emit(answer)

    def _failed(self, _error: LaternaError) -> None:
        self._busy = False
        if self._wanted is not None:
            self.counted.emit(None)
