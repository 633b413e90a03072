"""What a ``Conditioning`` may not be, whatever the family."""

from __future__ import annotations

from collections.abc import Callable

from engine.protocol.conditioning import WHOLE, Conditioning, Entry, Range, gaps

MAX_PROMPT_CHARS = 20_000
MAX_ENTRIES = 16
MAX_STRENGTH = 10.0

Refuse = Callable[[str, str, str], None]


def check_conditioning(conditioning: Conditioning, negative_range: Range, refuse: Refuse) -> None:
    """Call ``refuse(field, sentence, remedy)`` for the first thing in ``conditioning`` that makes no sense."""
    if conditioning.negative and negative_range != WHOLE:
        refuse(
            "negative_range", "The negative prompts have ranges of their own.", "Set the range in the list of prompts."
        )
    for name, side in (("positive", conditioning.positive), ("negative", conditioning.negative)):
        if len(side) > MAX_ENTRIES:
            refuse("conditioning", f"There are {len(side)} {name} prompts.", f"Keep to {MAX_ENTRIES}.")
        if side and side[0].text is not None:
            refuse("conditioning", f"The first {name} entry does not read the prompt.", "Leave out its text.")
        for entry in side:
            _check_entry(entry, name, refuse)
        hole = next((part for part in gaps(side) if side), None)
        if hole is not None:
            refuse(
                "conditioning",
                f"No {name} prompt covers {hole.start:.0%} to {hole.end:.0%} of the schedule.",
                "Widen a range.",
            )


def _check_entry(entry: Entry, name: str, refuse: Refuse) -> None:
    everything = (entry, *(part.words for part in entry.mix))
    longest = max(len(text or "") for words in everything for text in (words.text, words.clip_l, words.clip_g))
    if longest > MAX_PROMPT_CHARS:
        refuse(
            "conditioning",
            f"A {name} prompt has {longest:,} characters; the models read at most {MAX_PROMPT_CHARS:,}.",
            "Shorten it.",
        )
    if not 0.0 <= entry.range.start <= entry.range.end <= 1.0:
        refuse("conditioning", f"A {name} prompt's range must lie within 0 and 1.", "Set its start before its end.")
    if not 0.0 < entry.strength <= MAX_STRENGTH:
        refuse(
            "conditioning",
            f"A {name} prompt has a strength of {entry.strength:g}.",
            f"Choose one above 0, up to {MAX_STRENGTH:g}.",
        )
    if len(entry.mix) > MAX_ENTRIES or not all(0.0 <= part.keep <= 1.0 for part in entry.mix):
        refuse(
            "conditioning",
            f"A {name} prompt is averaged with weights that make no sense.",
            f"Keep to {MAX_ENTRIES} averages, with weights from 0 to 1.",
        )
