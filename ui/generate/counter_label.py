"""How many tokens each text encoder reads of a prompt: "CLIP 27/75 · T5 31/255", or words where no model is here."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from engine.prompt.tokens import Count, merged
from engine.protocol.family_info import MAX_PROMPT_CHARS
from ui.widgets.labels import ElidedLabel
from ui.widgets.style import set_state

READ_CHARS = 40


class CounterLabel(ElidedLabel):
    """Red once an encoder does not read all of it; the tooltip says where it stops."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "muted", parent)

    def show_words(self, text: str) -> None:
        words = len(text.split())
        if len(text) > MAX_PROMPT_CHARS // 2:
            shown = self.tr("{count} / {most} characters").format(count=f"{len(text):,}", most=f"{MAX_PROMPT_CHARS:,}")
        elif not words:
            shown = ""
        elif words == 1:
            shown = self.tr("1 word")
        else:
            shown = self.tr("{count} words").format(count=words)
        self._show(shown, self.tr("{count} characters").format(count=f"{len(text):,}") if text else "", False)

    def show_counts(self, counts: Sequence[Count], text: str) -> None:
        """``counts`` of ``text``, which is what the engine gets."""
        parts = []
        for name, count in merged(counts):
            parts.append(f"{name} {count.tokens}/{count.limit}" if count.limit else f"{name} {count.tokens}")
        lines = [self._line(count, text) for count in counts]
        self._show("  ·  ".join(parts), "\n".join(lines), any(count.cut is not None for count in counts))

    def _line(self, count: Count, text: str) -> str:
        if not count.limit:
            return self.tr("{encoder} reads {count} tokens").format(encoder=count.encoder, count=count.tokens)
        line = self.tr("{encoder} reads {count} of at most {limit} tokens").format(
            encoder=count.encoder, count=min(count.tokens, count.limit), limit=count.limit
        )
        if count.cut is not None:
            end = " ".join(text[max(0, count.cut - READ_CHARS) : count.cut].split())
            line += ", " + self.tr("up to “…{words}”").format(words=end)
        return line

    def _show(self, text: str, tip: str, over: bool) -> None:
        self.set_text(text, tip)
        self.setAccessibleDescription(tip)
        set_state(self, "over", over)


def cuts_of(counts: Sequence[Count], offset: int | None) -> tuple[int | None, int | None]:
    """Where in the person's own text the first encoder stops reading, and where the last does (None: they read all).

    ``offset`` is where that text begins in what was counted; None where it does not stand there.
    """
    cuts = [count.cut for count in counts if count.cut is not None]
    if offset is None or not cuts:
        return None, None
    return max(0, min(cuts) - offset), max(0, max(cuts) - offset) if len(cuts) == len(counts) else None
