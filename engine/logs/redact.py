"""What must not be in a log or a report: tokens, prompts, and file names made from prompts. Standard library only."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path

PROMPT = "[prompt]"
_MIN_SECRET_CHARS = 4
_RULES = (
    (re.compile(r"\bhf_[A-Za-z0-9]{4,}"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{4,}"), r"\1 [token]"),
    (
        re.compile(
            r"(?i)\b(authorization|cookie|(?:[\w-]*(?:token|api[_-]?key|password|secret)))(\"?'?\s*[=:]\s*)[\"']?[^\s\"',;}]+"
        ),
        r"\1\2[token]",
    ),
    (re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+"), r"\1?[…]"),
    # <date>_<time>_<words of the prompt>_<seed>: engine.library.naming
    (re.compile(r"(\d{4}-\d\d-\d\d_\d{6})_[^_\s/\\\\]+_(\d+)"), r"\1_[prompt]_\2"),
)


def redact(text: str, prompts: Iterable[str] = ()) -> str:
    """``text`` without tokens, signed parts of addresses and file names' words, nor any of ``prompts``."""
    for prompt in sorted({prompt.strip() for prompt in prompts}, key=len, reverse=True):
        if len(prompt) >= _MIN_SECRET_CHARS:
            text = re.sub(re.escape(prompt), PROMPT, text, flags=re.IGNORECASE)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.replace(str(Path.home()), "~") if len(str(Path.home())) > 1 else text


class RedactingFormatter(logging.Formatter):
    """Time, level, module and message; tracebacks included, all of it redacted."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
