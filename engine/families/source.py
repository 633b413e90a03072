"""Where a published model comes from, under which licence, and which parts of its repository a run needs."""

from __future__ import annotations

import hashlib

import msgspec

from engine.models.manifest import Precision


class SourceComponent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A folder of a repository in diffusers layout. ``fp8_file`` is the same weights elsewhere in it, in 8 bits."""

    name: str
    has_weights: bool = True
    fp8_file: str = ""


class Licence(msgspec.Struct, frozen=True):
    """``line`` is the gist in a line, ``terms`` the points that a person should know before accepting, ``url`` the
    full text. What is binding is the full text.
    """

    id: str
    name: str
    line: str
    terms: tuple[str, ...]
    url: str

    @property
    def fingerprint(self) -> str:
        """Changes with the wording: an acceptance is of one wording."""
        return hashlib.sha256("\n".join((self.name, self.line, *self.terms, self.url)).encode()).hexdigest()[:16]


APACHE_2 = Licence(
    id="apache-2.0",
    name="Apache License 2.0",
    line="Free for any use.",
    terms=("Free for any use, commercial use included. Passed-on copies keep the licence and its notices.",),
    url="https://www.apache.org/licenses/LICENSE-2.0",
)


class ModelSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's repository. ``licence`` is the id of one; ``memory`` in GB is the smallest common graphics card that
    the planner runs its usual settings on; ``bytes`` is the download in native precision, a figure until the real file
    list is known. ``gated``: its repository asks for an account.
    """

    id: str
    name: str
    kind: str
    summary: str
    repository: str
    licence: str
    components: tuple[SourceComponent, ...]
    bytes: int
    memory: float
    precisions: tuple[Precision, ...] = ("native",)
    gated: bool = False
    sizes: str = ""
    lengths: str = ""
    former_repository: str = ""
