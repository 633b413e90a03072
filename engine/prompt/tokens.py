"""How many tokens a model's text encoders make of a prompt, and where they stop reading. From the tokenizers' files.

It counts as the engine encodes (``engine.worker.conditioning``): with the reference reading a text is cut at the
encoder's length, with ComfyUI's reading nothing is cut and weights are no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from engine.interop.prompt_weights import parse
from engine.models.assembly import tokenizers_of
from engine.prompt.tokenizer_files import Tokenizer, open_tokenizer
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe

FOLDERS = ("tokenizer", "tokenizer_2", "tokenizer_3")
CLIP_LENGTH = 77
CLIP_SPECIAL, T5_SPECIAL = 2, 1  # start and end; end


@dataclass(frozen=True)
class Count:
    """``tokens`` of at most ``limit`` (0: any number), start and end not counted; from character ``cut`` on nothing is
    read (None: all of it is)."""

    encoder: str
    tokens: int
    limit: int = 0
    cut: int | None = None


class Rules(NamedTuple):
    """The settings of a recipe that decide how a text is read."""

    encoding: str = "diffusers"
    max_sequence_length: int = 256
    use_t5: bool = True

    @classmethod
    def of(cls, recipe: Recipe) -> Rules:
        return cls(recipe.text_encoding, recipe.max_sequence_length, recipe.use_t5)


class TokenCounter:
    """Counts for one model. Opening reads a few megabytes: not on the window's thread. Thread-safe after that."""

    def __init__(self, folder: Path, family: FamilyInfo) -> None:
        """``folder`` is in diffusers layout, or an import. Encoders without a tokenizer there are left out; raises
        ``ModelDamaged`` where one cannot be read."""
        self._encoders: list[tuple[str, Tokenizer]] = []
        places = tokenizers_of(folder)
        for name, component in zip(family.text_encoders, FOLDERS, strict=False):
            if component in places:
                self._encoders.append((name, open_tokenizer(places[component])))

    def count(self, text: str, rules: Rules = Rules()) -> tuple[Count, ...]:
        """One ``Count`` for each encoder that reads the text, in the family's order."""
        found = []
        for name, tokenizer in self._encoders:
            is_clip = name.startswith("CLIP")
            if not is_clip and not rules.use_t5 and len(self._encoders) > 1:
                continue
            if rules.encoding == "comfyui":
                found.append(Count(name, sum(len(tokenizer.starts(piece.text)) for piece in parse(text))))
            elif is_clip:
                length = min(tokenizer.max_length or CLIP_LENGTH, CLIP_LENGTH)  # whatever the file says
                found.append(_limited(name, tokenizer, text, length - CLIP_SPECIAL))
            else:
                found.append(_limited(name, tokenizer, text, rules.max_sequence_length - T5_SPECIAL))
        return tuple(found)


def _limited(name: str, tokenizer: Tokenizer, text: str, limit: int) -> Count:
    starts = tokenizer.starts(text)
    return Count(name, len(starts), limit, starts[limit] if len(starts) > limit else None)


def merged(counts: Sequence[Count]) -> list[tuple[str, Count]]:
    """The counts with a short name each; both CLIPs are one where they agree, as the published ones always do."""
    rows: list[tuple[str, Count]] = []
    for count in counts:
        head = count.encoder.partition("-")[0]
        if rows and rows[-1][0] == head and rows[-1][1].tokens == count.tokens and rows[-1][1].cut == count.cut:
            continue
        rows.append((head if head not in [name for name, _ in rows] else count.encoder, count))
    return rows
