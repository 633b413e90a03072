"""``Derivation``: the value of a job that makes something from something, as ``Recipe`` is that of one that generates.

It goes over the wire, into the queue and into the file that comes of it (``laterna.derivation``), beside the recipe of
what it was made from (``laterna.recipe``): so the file says its whole descent, and its settings can be used again.
"""

from __future__ import annotations

import msgspec

from engine.protocol.errors import BadRecipe

VERSION = 1
MAX_JSON_BYTES = 64 * 1024
MAX_DESCENT = 100


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file by content: the SHA-256 of its bytes. ``path`` is a hint as in ``Input``; ``derivation`` is what made it
    in its turn, None for one that was generated or came from outside."""

    path: str = ""
    sha256: str = ""
    derivation: Derivation | None = None

    @property
    def name(self) -> str:
        return self.path.replace("\\", "/").rpartition("/")[2]


class Derivation(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="version", tag=VERSION):
    """``kind`` is one of ``engine.derive.kinds.KINDS``, which says what its ``settings`` mean."""

    kind: str
    source: Source
    settings: dict[str, int | float | str | bool] = {}

    def for_files(self) -> Derivation:
        """As it is written into files: no folder of this machine."""
        source = self.source
        before = source.derivation.for_files() if source.derivation is not None else None
        return self.replace(source=msgspec.structs.replace(source, path=source.name, derivation=before))

    def by_content(self) -> Derivation:
        """What decides the pixels: whatever the source is called."""
        source = self.source
        return self.replace(source=Source("" if source.sha256 else source.path, source.sha256))

    def descent(self) -> tuple[Derivation, ...]:
        """What was done one after another, the last first."""
        found: list[Derivation] = []
        at: Derivation | None = self
        while at is not None and len(found) < MAX_DESCENT:
            found.append(at)
            at = at.source.derivation
        return tuple(found)

    def to_json(self) -> str:
        return _encoder.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Derivation:
        """Raises ``BadRecipe`` with a sentence for anything that is none."""
        raw = text.encode() if isinstance(text, str) else text
        try:
            if len(raw) > MAX_JSON_BYTES:
                raise msgspec.DecodeError("it is too long")
            return _decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRecipe(
                f"What this file was made from cannot be read: {error}.", "Choose a file that Laterna made."
            ) from error

    def replace(self, **changes: object) -> Derivation:
        return msgspec.structs.replace(self, **changes)


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Derivation)
