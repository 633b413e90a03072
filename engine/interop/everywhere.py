"""Values that an editor's node sends everywhere ("Anything Everywhere"): into each input of its type left open."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from engine.interop.graph import Link

BROADCASTS = (
    "Anything Everywhere",
    "Anything Everywhere3",
    "Anything Everywhere?",
    "Prompts Everywhere",
    "Seed Everywhere",
    "Simple String Everywhere",
)
_SEEDS = ("seed", "noise_seed", "seed_num")
_NO_LINK = re.compile("(?!)")


class Constant(NamedTuple):
    """A value that a primitive or a subgraph's own widget puts in place of a link."""

    value: Any


Source = Link | Constant | None
Slot = tuple[str, str, Source]  # name, type, where it comes from


class _Sent(NamedTuple):
    """``names`` limits it to inputs of these names, empty for all of its type; the patterns to titles and inputs."""

    source: Source
    type: str
    names: tuple[str, ...]
    title: re.Pattern[str]
    input: re.Pattern[str]


class _Open(NamedTuple):
    node: str
    title: str
    name: str
    type: str
    is_widget: bool


class Everywhere:
    """Collects what is sent and which inputs are open; ``connect`` brings them together."""

    def __init__(self) -> None:
        self._sent: list[_Sent] = []
        self._open: list[_Open] = []

    def take(self, kind: str, slots: list[Slot], widgets: dict[str, Any], values: Any) -> None:
        every = re.compile("")
        title = input = every
        if kind == "Anything Everywhere?" and isinstance(values, list):
            title, input = (_pattern(value) for value in [*values, "", ""][:2])
        if kind == "Seed Everywhere" and isinstance(values, list) and values:
            self._sent.append(_Sent(Constant(values[0]), "INT", _SEEDS, every, every))
        if kind == "Simple String Everywhere" and isinstance(values, list) and values:
            self._sent.append(_Sent(Constant(values[0]), "STRING", (), title, input))
        for i, (_, type_, source) in enumerate(slots):
            if source is None:
                continue
            names: tuple[str, ...] = ()
            if kind == "Prompts Everywhere":
                names = ("positive", "+ve", "pos") if i == 0 else ("negative", "-ve", "neg")
            elif kind == "Seed Everywhere":
                names = _SEEDS
            self._sent.append(_Sent(source, type_.upper(), names, title, input))

    def wanted(self, key: str, title: str, slots: list[Slot], widgets: set[str]) -> None:
        self._open += [
            _Open(key, title, name, type_.upper(), name in widgets) for name, type_, source in slots if source is None
        ]

    def connect(
        self, sources: dict[str, dict[str, Source]], data: dict[str, Any], type_of: Callable[[Source], str]
    ) -> None:
        """What the file says of its own links of this kind first, then by type and name; ``type_of`` tells that of a
        value whose way in takes any."""
        self._sent = [one._replace(type=type_of(one.source)) if one.type == "*" else one for one in self._sent]
        extra = data.get("extra")
        links = extra.get("ue_links") if isinstance(extra, dict) else None
        stated = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
        by_place = {
            (str(link.get("downstream")), str(link.get("downstream_slot"))): Link(
                str(link.get("upstream")), link["upstream_slot"]
            )
            for link in stated
            if isinstance(link.get("upstream_slot"), int)
        }
        for open in self._open:
            here = sources[open.node]
            place = (open.node, str(list(here).index(open.name)))
            found: Source = by_place.get(place)
            if found is None:
                found = next((sent.source for sent in self._sent if _fits(sent, open)), None)
            if found is not None:
                here[open.name] = found


def _fits(sent: _Sent, open: _Open) -> bool:
    if sent.names and open.name.lower() not in sent.names:
        return False
    if open.is_widget and not sent.names and sent.input.pattern == "":
        return False
    same = sent.type == open.type or (sent.names and open.type in ("*", "C", "CONDITIONING", sent.type))
    return bool(same) and bool(sent.title.search(open.title)) and bool(sent.input.search(open.name))


def _pattern(value: Any) -> re.Pattern[str]:
    """A person's pattern, as plain words where it is more: one from a stranger could run for ever."""
    text = str(value or "")[:100]
    if text in ("", ".*"):
        return re.compile("")
    if re.search(r"[*+{?(]", text.replace(".*", "")):
        return _NO_LINK
    return re.compile(".*".join(re.escape(part.strip("^$")) for part in text.split(".*")), re.IGNORECASE)
