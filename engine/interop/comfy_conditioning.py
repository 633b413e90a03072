"""Conditioning nodes as entries of a recipe.

An entry's texts are always said; ``simplest`` then finds the shortest way to put both sides into a recipe.
"""

from __future__ import annotations

import msgspec

from engine.interop.comfy_control import control_sentence, is_control
from engine.interop.comfy_families import nodes_of, owner
from engine.interop.comfy_outputs import output_name, plain_name
from engine.interop.comfy_pictures import PictureReader
from engine.interop.comfy_reader import Reader
from engine.interop.graph import Link, Node
from engine.interop.prompt_weights import has_weights
from engine.interop.report import Notes, too_much
from engine.protocol.conditioning import WHOLE, Conditioning, Entry, Mix, Range, Words, entries, gaps
from engine.protocol.conditioning_rules import MAX_ENTRIES, MAX_STRENGTH

MAX_DEPTH = 100
Entries = tuple[Entry, ...]


class ConditioningReader:
    """Reads what a CONDITIONING link carries. Each node is read once; ``encoders`` collects the CLIP links met."""

    def __init__(self, reader: Reader, pictures: PictureReader) -> None:
        self._reader = reader
        self._pictures = pictures
        self._notes = reader.notes
        self._known: dict[Link, Entries] = {}
        self.encoders: list[Link] = []
        self._side = "positive"

    def side(self, link: Link | None, name: str) -> Entries:
        """The entries of one side, positive or negative, which tells apart what a node passes on for each."""
        self._side, self._known = name, {}
        return self.read(link)

    def read(self, link: Link | None, depth: int = 0) -> Entries:
        """The entries behind ``link``; empty where there is nothing that Laterna can read."""
        node = self._reader.node(link)
        if link is None or node is None:
            return ()
        if depth > MAX_DEPTH:
            raise too_much(f"combines conditionings more than {MAX_DEPTH} deep")
        if link not in self._known:
            self._known[link] = self._node(node, link.slot, depth + 1)
            if len(self._known[link]) > 4 * MAX_ENTRIES:
                raise too_much(f"combines more than {4 * MAX_ENTRIES} conditionings")
        return self._known[link]

    def _node(self, node: Node, slot: int, depth: int) -> Entries:
        if node.type == "CLIPTextEncode" or owner(node, "texts"):
            return (self._text(node),)
        if node.type in ("CLIPTextEncodeSD3", "CLIPTextEncodeFlux", "CLIPTextEncodeSDXL"):
            return (self._texts(node),)
        if node.type == "ConditioningCombine":
            return self.read(node.link("conditioning_1"), depth) + self.read(node.link("conditioning_2"), depth)
        if node.type == "ConditioningZeroOut":
            inner = self.read(node.link("conditioning"), depth)
            return tuple(msgspec.structs.replace(entry, zero=True, mix=()) for entry in inner)
        if node.type == "ConditioningSetTimestepRange":
            part = self._range(node)
            inner = self.read(node.link("conditioning"), depth)
            return tuple(msgspec.structs.replace(entry, range=part) for entry in inner)
        if node.type == "ConditioningAverage":
            return self._average(node, depth)
        if node.type in ("ConditioningSetAreaStrength", "ConditioningSetArea", "ConditioningSetMask"):
            return self._strength(node, depth)
        if node.type == "ConditioningConcat":
            return self._concat(node, depth)
        if is_control(node):
            self._notes.ignored(control_sentence(self._reader, self._pictures, node))
            return self.read(self._passed(node, slot), depth)
        if node.type == "InpaintModelConditioning":
            return self.read(self._passed(node, slot), depth)  # the latent tells of its mask
        return self._unknown(node, slot, depth)

    def _text(self, node: Node) -> Entry:
        family = owner(node, "texts")
        name = nodes_of(family).texts[node.type] if family else "text"
        self._remember_encoder(node)
        if family and self._reader.number(node, "strength", 1.0) != 1.0:
            self._notes.approximated(f"{node.label} scales its embeddings; Laterna uses them at strength 1.")
        return Entry(self._reader.prompt(node, name))

    def _texts(self, node: Node) -> Entry:
        reader, kind = self._reader, node.type
        self._remember_encoder(node)
        if kind == "CLIPTextEncodeFlux":
            clip_l = clip_g = reader.prompt(node, "clip_l")
            text = reader.prompt(node, "t5xxl")
        elif kind == "CLIPTextEncodeSDXL":
            text = clip_g = reader.prompt(node, "text_g")
            clip_l = reader.prompt(node, "text_l")
            self._notes.approximated(f"{node.label} tells the model sizes and crops; these models take none.")
        else:
            clip_l, clip_g, text = (reader.prompt(node, name) for name in ("clip_l", "clip_g", "t5xxl"))
            empty = [name for name, said in (("CLIP-L", clip_l), ("CLIP-G", clip_g), ("T5", text)) if not said]
            if empty and reader.text(node, "empty_padding", "none") == "none":
                self._notes.approximated(
                    f"{node.label} leaves {' and '.join(empty)} out, having no text; Laterna encodes the empty text."
                )
        return Entry(text, None if clip_l == text else clip_l, None if clip_g == text else clip_g)

    def _remember_encoder(self, node: Node) -> None:
        clip = node.link("clip")
        if clip is not None:
            self.encoders.append(clip)

    def _range(self, node: Node) -> Range:
        start = self._reader.number(node, "start", 0.0)
        end = self._reader.number(node, "end", 1.0)
        fitting = min(max(start, 0.0), 1.0), min(max(end, 0.0), 1.0)
        if fitting != (start, end) or fitting[0] > fitting[1]:
            self._notes.approximated(f"{node.label} has a range from {start:g} to {end:g}, which was put in order.")
        return Range(min(fitting), max(fitting))

    def _average(self, node: Node, depth: int) -> Entries:
        """``to · strength + from · (1 − strength)``; only the first of ``from`` counts, as in ComfyUI."""
        strength = self._reader.number(node, "conditioning_to_strength", 1.0)
        keep = min(max(strength, 0.0), 1.0)
        if keep != strength:
            self._notes.approximated(f"{node.label} has a strength of {strength:g}; {keep:g} is used.")
        to, other = self.read(node.link("conditioning_to"), depth), self.read(node.link("conditioning_from"), depth)
        if not other:
            return to
        if len(other) > 1:
            self._notes.understood(
                f"{node.label} averages with the first of {len(other)} conditionings, as in ComfyUI."
            )
        added = _mixed_in(other[0], keep)
        averaged = tuple(msgspec.structs.replace(entry, mix=entry.mix + added) for entry in to)
        if any(len(entry.mix) > MAX_ENTRIES for entry in averaged):
            raise too_much(f"averages more than {MAX_ENTRIES} conditionings")
        return averaged

    def _strength(self, node: Node, depth: int) -> Entries:
        stated = self._reader.number(node, "strength", 1.0)
        strength = min(max(stated, 0.01), MAX_STRENGTH)
        if strength != stated:
            self._notes.approximated(f"{node.label} has a strength of {stated:g}; {strength:g} is used.")
        if node.type != "ConditioningSetAreaStrength":
            self._notes.approximated(
                f"{node.label} limits a prompt to a part of the picture; here it holds for all of it."
            )
        inner = self.read(node.link("conditioning"), depth)
        return tuple(msgspec.structs.replace(entry, strength=strength) for entry in inner)

    def _concat(self, node: Node, depth: int) -> Entries:
        to, other = self.read(node.link("conditioning_to"), depth), self.read(node.link("conditioning_from"), depth)
        if not other:
            return to
        self._notes.approximated(f"{node.label} puts two encoded texts in a row; Laterna encodes them as one text.")
        more = other[0].text or ""
        return tuple(
            msgspec.structs.replace(
                entry,
                text=_joined(entry.text, more),
                clip_l=None if entry.clip_l is None else _joined(entry.clip_l, more),
                clip_g=None if entry.clip_g is None else _joined(entry.clip_g, more),
            )
            for entry in to
        )

    def _unknown(self, node: Node, slot: int, depth: int) -> Entries:
        """Nodes that pass a conditioning on, changed; nodes with a text of their own."""
        passed = self._passed(node, slot)
        if passed is not None:
            self._notes.ignored(f"{node.label} changes the conditioning in a way that Laterna does not know.")
            return self.read(passed, depth)
        own = plain_name(output_name(node, slot))
        for name in (
            own,
            self._side,
            f"text_{self._side}",
            f"{self._side}_prompt",
            "text",
            "prompt",
            "string",
            "t5xxl",
        ):
            if name and isinstance(node.inputs.get(name), str | Link):
                self._notes.approximated(f"{node.label} is no node that Laterna knows; its {name} is read as a prompt.")
                return (Entry(self._reader.prompt(node, name)),)
        self._notes.ignored(f"{node.label} is no node that Laterna knows, and what it makes of the prompt is lost.")
        return ()

    def _passed(self, node: Node, slot: int) -> Link | None:
        """The conditioning that comes out at ``slot``: by the output's name, else by the side that is being read."""
        name = plain_name(output_name(node, slot))
        sides = [name] if name in ("positive", "negative") else [self._side]
        if not all(node.link(side) for side in ("positive", "negative")):
            sides += ["positive", "negative"]
        for name in (*sides, "conditioning", "conditioning_to", "conditioning_1", "cond"):
            link = node.link(name)
            if link is not None:
                return link
        return None


def _joined(first: str | None, second: str) -> str:
    return ", ".join(part for part in (first or "", second) if part)


def _mixed_in(other: Entry, keep: float) -> tuple[Mix, ...]:
    """Averaging with ``other``, itself an average, as averages one after the other."""
    weights = [1.0]
    for part in other.mix:
        weights = [weight * part.keep for weight in weights] + [1 - part.keep]
    words = [_words(other), *(part.words for part in other.mix)]
    if len(words) == 1:
        return (Mix(words[0], keep),)
    mix, total = [], keep
    for said, weight in zip(words, weights, strict=True):
        before, total = total, total + (1 - keep) * weight
        mix.append(Mix(said, min(before / total, 1.0) if total else 1.0))
    return tuple(mix)


def _words(entry: Entry) -> Words:
    return Words(entry.text, entry.clip_l, entry.clip_g, entry.zero)


def cover(side: Entries, name: str, notes: Notes) -> Entries:
    """``side`` with zeros in the parts of the schedule that none of it covers, where ComfyUI predicts nothing."""
    holes = gaps(side)
    if not side or not holes:
        return side
    parts = ", ".join(f"{hole.start:.0%} to {hole.end:.0%}" for hole in holes)
    notes.approximated(f"No {name} prompt covers {parts} of the schedule; Laterna puts a zeroed one there.")
    return side + tuple(Entry(side[0].text, zero=True, range=hole) for hole in holes)


def limited(side: Entries, name: str, notes: Notes) -> Entries:
    if len(side) <= MAX_ENTRIES:
        return side
    notes.approximated(f"Of {len(side)} {name} prompts the first {MAX_ENTRIES} are used.")
    return side[:MAX_ENTRIES]


def uses_weights(side: Entries) -> bool:
    """Whether any text of ``side`` has prompt weights or escapes in it."""
    everything = [words for entry in side for words in (entry, *(part.words for part in entry.mix))]
    return any(has_weights(text) for words in everything for text in (words.text, words.clip_l, words.clip_g) if text)


def simplest(positive: Entries, negative: Entries) -> dict[str, object]:
    """The fields of a recipe that say both sides, in their shortest form."""
    fields: dict[str, object] = {}
    more: dict[str, Entries] = {}
    for side, prompt, name in ((positive, "prompt", "positive"), (negative, "negative_prompt", "negative")):
        if not side:
            continue
        text = side[0].text or ""
        fields[prompt] = text
        if entries((), text) == side:
            continue
        part = _negative_range(side) if name == "negative" else None
        if part is not None:
            spoken = next(entry for entry in side if not entry.zero)
            fields[prompt], fields["negative_range"] = spoken.text, part
        else:
            more[name] = (msgspec.structs.replace(side[0], text=None), *side[1:])
    if more:
        fields["conditioning"] = Conditioning(**more)
    return fields


def _negative_range(side: Entries) -> Range | None:
    """The range for which ``side`` is the published form: one prompt in its range, zeros of it in the rest."""
    spoken = [entry for entry in side if not entry.zero]
    if len(spoken) != 1 or spoken[0].range == WHOLE:
        return None
    usual = entries((), spoken[0].text or "", spoken[0].range)
    same = len(usual) == len(side) and all(entry in usual for entry in side)
    return spoken[0].range if same else None
