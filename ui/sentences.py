"""The engine's sentences in the person's language.

The engine speaks English: its errors are made in processes and threads that know of no window. Here a finished sentence
is recognised by its template (``resources/translations/sentences.json`` holds all of them, taken from the source), and
its values are put into the translation. A sentence that is not recognised stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from engine.protocol.errors import ErrorInfo
from resources import TRANSLATIONS

CONTEXT = "Sentences"
PLACE = "{}"
MAX_CHARS = 4000
MAX_SENTENCES = 12
T = QT_TRANSLATE_NOOP
# What stands in those sentences as a value and is a word itself.
VALUES = (
    T("Sentences", "Width"),
    T("Sentences", "Height"),
    T("Sentences", "The prompt"),
    T("Sentences", "The negative prompt"),
    T("Sentences", "The number of frames"),
    T("Sentences", "Frames per second"),
    T("Sentences", "The number of steps"),
    T("Sentences", "Guidance"),
    T("Sentences", "Shift"),
    T("Sentences", "The seed"),
    T("Sentences", "The batch"),
    T("Sentences", "The prompt length in tokens"),
    T("Sentences", "The denoise strength"),
    T("Sentences", "The tolerance of step caching"),
    T("Sentences", "saving the picture"),
    T("Sentences", "saving the clip"),
    T("Sentences", "saving the frame"),
    T("Sentences", "saving the copy"),
    T("Sentences", "saving the settings"),
    T("Sentences", "exporting the clip"),
    T("Sentences", "saving the style"),
    T("Sentences", "writing to the output folder"),
    T("Sentences", "Loading PyTorch"),
    T("Sentences", "reading the prompt"),
    T("Sentences", "denoising"),
    T("Sentences", "decoding"),
    T("Sentences", "stage by stage"),
    T("Sentences", "block streaming"),
    T("Sentences", "disk streaming"),
    T("Sentences", "more slowly"),
    T("Sentences", "a C++ compiler"),
    T("Sentences", "Triton or a C compiler"),
    T("Sentences", "support for this device"),
    T("Sentences", "in smaller pieces"),
    T("Sentences", "the result is put together from tiles, which may differ a little along their seams"),
    T("Sentences", "it was saved by another version of Laterna"),
    T("Sentences", "it was saved with other versions of the libraries"),
    T("Sentences", "it belongs to another recipe"),
    T("Sentences", "the model's files have changed since"),
    T("Sentences", "it was saved on another device"),
    T("Sentences", "the prompt is read in another way now"),
    T("Sentences", "it was saved under another memory plan"),
    T("Sentences", "it is damaged"),
    T("Sentences", "steps"),
    T("Sentences", "guidance"),
    T("Sentences", "shift"),
    T("Sentences", "Steps"),
    T("Sentences", "Results at once"),
    T("Sentences", "Tokens"),
    T("Sentences", "start"),
    T("Sentences", "first frame"),
    T("Sentences", "of this picture"),
    T("Sentences", "positive"),
    T("Sentences", "negative"),
    # what a file of another family is (engine.models.reading.strangers)
    T("Sentences", "a Flux.2 transformer"),
    T("Sentences", "a Chroma transformer"),
    T("Sentences", "a HunyuanVideo transformer"),
    T("Sentences", "a Hunyuan-DiT transformer"),
    T("Sentences", "an AuraFlow transformer"),
    T("Sentences", "a HiDream transformer"),
    T("Sentences", "a Kandinsky 5 transformer"),
    T("Sentences", "a Qwen-Image transformer"),
    T("Sentences", "a Flux transformer"),
    T("Sentences", "a Cosmos transformer"),
    T("Sentences", "a Wan video transformer"),
    T("Sentences", "a Mochi transformer"),
    T("Sentences", "a Sana transformer"),
    T("Sentences", "an LTX-Video transformer"),
    T("Sentences", "a PixArt transformer"),
    T("Sentences", "a Lumina or Z-Image transformer"),
    T("Sentences", "an OmniGen transformer"),
    T("Sentences", "a Stable Audio model"),
    T("Sentences", "an ACE-Step model"),
    T("Sentences", "a Stable Cascade model"),
    T("Sentences", "a Stable Video Diffusion model"),
    T("Sentences", "a Stable Diffusion XL checkpoint"),
    T("Sentences", "a Stable Diffusion 1, 2 or XL checkpoint"),
    T("Sentences", "an LTX-Video or PixArt transformer"),
    T("Sentences", "an IP-Adapter"),
    T("Sentences", "a motion module of AnimateDiff"),
    T("Sentences", "a PhotoMaker"),
    T("Sentences", "a GLIGEN adapter"),
    T("Sentences", "a style model of Flux"),
    T("Sentences", "a T2I-Adapter"),
    T("Sentences", "an upscaler"),
    T("Sentences", "a vision-language model"),
    T("Sentences", "a vision encoder"),
    T("Sentences", "a textual inversion"),
    T("Sentences", "a text encoder of another model"),
    T("Sentences", "a T5 of another size or kind"),
    T("Sentences", "a language model"),
    T("Sentences", "the VAE of Wan or Qwen-Image"),
    T("Sentences", "a VAE of Stable Diffusion 1, 2 or XL"),
    T("Sentences", "a small VAE for previews (TAESD)"),
    T("Sentences", "the VAE of HunyuanVideo"),
    T("Sentences", "a VAE of another model"),
    T("Sentences", "a transformer of a family that Laterna does not know"),
)
_END = re.compile(r"(?<=[.!?])\s+(?=\S)")


class Sentences:
    """``translate`` is Qt's; with the language of the source nothing is looked at."""

    def __init__(self, file: Path, translate: Callable[[str], str] | None = None) -> None:
        self._translate = translate or (lambda text: QCoreApplication.translate(CONTEXT, text))
        try:
            templates = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            templates = []
        # The longest first: "{} is missing in {}." before "{} is missing."
        ordered = sorted(templates, key=lambda template: (-len(template.replace(PLACE, "")), template))
        translated = ((template, self._translate(template)) for template in ordered)
        self._known = [(_pattern(template), text) for template, text in translated if text != template]

    def sentence(self, text: str) -> str:
        """``text``, which is one sentence or more, as far as its sentences are known."""
        if not text or not self._known or len(text) > MAX_CHARS:
            return text
        whole = self._one(text)
        if whole is not None:
            return whole
        parts = _END.split(text)
        if len(parts) < 2 or len(parts) > MAX_SENTENCES:
            return text
        return " ".join(self._one(part) or part for part in parts)

    def error(self, error: ErrorInfo) -> ErrorInfo:
        message, remedy = self.sentence(error.message), self.sentence(error.remedy)
        return ErrorInfo(error.kind, message, remedy, error.field, error.detail)

    def _one(self, text: str) -> str | None:
        for pattern, translation in self._known:
            match = pattern.fullmatch(text)
            if match is not None:
                parts = translation.split(PLACE)
                values = [self._translate(value) for value in match.groups()]
                return parts[0] + "".join(value + part for value, part in zip(values, parts[1:], strict=False))
        return None


def _pattern(template: str) -> re.Pattern[str]:
    value = r"((?:(?![.!?]\s).)+?)"  # of one sentence
    return re.compile(value.join(re.escape(part) for part in template.split(PLACE)), re.DOTALL)


@lru_cache(maxsize=1)
def shipped() -> Sentences:
    """Those that ship, in the application's language; read at the first error."""
    return Sentences(TRANSLATIONS / "sentences.json")


def said(error: ErrorInfo) -> str:
    """Message and remedy of an error as the person reads them."""
    return shipped().error(error).sentence()
