"""What the model is told, as data: the prompts of a generation beyond one positive and one negative.

A recipe's ``prompt``, ``negative_prompt`` and ``negative_range`` say the usual case. ``Conditioning`` takes over where
they do not reach: several texts, their parts of the schedule, a text of its own for each encoder, averages, zeros.
``Recipe.positive_entries()`` and ``negative_entries()`` give either case in one form: that is what the worker reads.
"""

from __future__ import annotations

import msgspec


class Range(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the schedule: 0 is its start (most noise), 1 its end.

    In noise levels, as ComfyUI's ConditioningSetTimestepRange: it holds where ``sigma(end) <= sigma <= sigma(start)``
    with ``sigma(p) = shift (1 - p) / (1 + (shift - 1) (1 - p))``.
    """

    start: float = 0.0
    end: float = 1.0


WHOLE = Range()


class Words(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the text encoders read. ``text`` goes to T5, and to each CLIP that has no text of its own; None stands for
    the recipe's ``prompt`` (or ``negative_prompt`` among the negative entries). ``zero`` puts zeros in place of the
    encoded text, the pooled vector included, and keeps its length (ComfyUI's ConditioningZeroOut).
    """

    text: str | None = None
    clip_l: str | None = None
    clip_g: str | None = None
    zero: bool = False


class Mix(msgspec.Struct, frozen=True, omit_defaults=True):
    """One average: ``keep`` of what was there and ``1 - keep`` of ``words``, pooled vectors included.

    As ComfyUI's ConditioningAverage: ``words`` is cut or zero-padded to the length of what was there.
    """

    words: Words = Words()
    keep: float = 1.0


class Entry(Words, frozen=True, omit_defaults=True):
    """One conditioning: its words, averaged with others in turn, in a part of the schedule.

    At each step every entry whose ``range`` holds is run, and the result is the mean of the denoised predictions,
    weighted by ``strength``.
    """

    mix: tuple[Mix, ...] = ()
    range: Range = WHOLE
    strength: float = 1.0


class Conditioning(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a side has entries, they take the place of its prompt, and the first of them reads that prompt."""

    positive: tuple[Entry, ...] = ()
    negative: tuple[Entry, ...] = ()


class GuidancePoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """The guidance scale at a fraction of the steps, above 0 and up to 1: step ``i`` of ``n`` begins at ``i / n``."""

    at: float
    scale: float


def guidance_at(position: float, start: float, points: tuple[GuidancePoint, ...]) -> float:
    """The guidance scale at ``position`` (0 … 1): straight lines from ``start`` at 0 through ``points``, constant after
    the last. Where two points share a position, the later one holds from there on.
    """
    left, scale = 0.0, start
    for point in points:
        if position < point.at:
            return scale + (point.scale - scale) * (position - left) / (point.at - left)
        left, scale = point.at, point.scale
    return scale


def guidance_points(scales: list[float]) -> tuple[GuidancePoint, ...]:
    """The points that give exactly ``scales[i]`` at step ``i``, from ``scales[0]`` on; inverse of ``guidance_at``."""
    steps = len(scales)
    return tuple(
        GuidancePoint(i / steps, scales[i])
        for i in range(1, steps)
        if scales[i] != scales[i - 1] or (i + 1 < steps and scales[i + 1] != scales[i])
    )


def complement(range_: Range) -> tuple[Range, ...]:
    """The parts of the schedule outside ``range_``, in order."""
    before = (Range(0.0, range_.start),) if range_.start > 0 else ()
    after = (Range(range_.end, 1.0),) if range_.end < 1 else ()
    return before + after


def entries(side: tuple[Entry, ...], prompt: str, range_: Range = WHOLE) -> tuple[Entry, ...]:
    """One side of a conditioning in full: ``None`` replaced by ``prompt``, each encoder's text said once.

    Without entries: ``prompt`` over ``range_``, and zeros of its length outside, as in the published SD3.5 graphs.
    """
    if not side:
        rest = tuple(Entry(prompt, zero=True, range=part) for part in complement(range_))
        return (Entry(prompt, range=range_), *rest)
    return tuple(_full(entry, prompt) for entry in side)


def _full(entry: Entry, prompt: str) -> Entry:
    changes = _texts(entry, prompt)
    mix = tuple(Mix(msgspec.structs.replace(part.words, **_texts(part.words, prompt)), part.keep) for part in entry.mix)
    return msgspec.structs.replace(entry, mix=mix, **changes)


def _texts(words: Words, prompt: str) -> dict[str, str | None]:
    """An encoder is named only where it reads another text."""
    text = prompt if words.text is None else words.text
    return {
        "text": text,
        "clip_l": None if words.clip_l == text else words.clip_l,
        "clip_g": None if words.clip_g == text else words.clip_g,
    }


def gaps(side: tuple[Entry, ...]) -> tuple[Range, ...]:
    """The parts of the schedule in which no entry holds, in order."""
    reached, found = 0.0, []
    for part in sorted((entry.range for entry in side), key=lambda part: (part.start, part.end)):
        if part.start > reached:
            found.append(Range(reached, part.start))
        reached = max(reached, part.end)
    if reached < 1:
        found.append(Range(reached, 1.0))
    return tuple(found)
