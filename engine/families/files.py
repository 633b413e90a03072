"""The kinds of components that single files hold: how one is found in a file, named, and configured.

A T5 may be the third text encoder of one family and the only one of another: what lies in a file has a kind, what a
model needs has a name (``ComponentSpec``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.families.shapes import Shapes
from engine.families.takes import Naming, as_they_are
from resources import CONFIGS


@dataclass(frozen=True)
class FileKind:
    """``cls`` is its network's class, "" for a tokenizer of the kind ``tokenizer_of``. ``naming`` gives its tensors the
    names of that class. ``config`` is the folder of the published configuration, ``changes`` what the shapes say
    instead (of the file ``name``). ``fits``: the setting of a configuration that tells a fitting component, and its
    value.

    It lies below one of ``prefixes``, where ``is_at(shapes, prefix, stem)`` says so; below one of ``lone_prefixes`` in
    a file that holds nothing else. ``refuse_alone(stem)`` raises ``BadFile`` for one that only the file's name tells
    from another's. ``model_of(shapes, path)`` is the published model that a denoiser is, "" for one that completes
    another; it raises ``BadFile`` for one that is not run.

    ``tokenizer``: the kind that a GGUF file of it may hold in its metadata. ``is_plain``: files without a projection
    are the better ones. ``ships``: where a tokenizer is that no file needs to bring, for encoders of ``words`` words,
    and ``filling`` what its configuration says instead there.
    """

    name: str
    label: str
    cls: str = ""
    config: Path = CONFIGS
    naming: Naming = as_they_are
    changes: Callable[[Shapes, str], dict[str, Any]] = lambda shapes, name: {}
    fits: tuple[str, int] = ("", 0)
    prefixes: tuple[str, ...] = ()
    lone_prefixes: tuple[str, ...] = ()
    is_at: Callable[[Shapes, str, str], bool] = lambda shapes, prefix, stem: False
    refuse_alone: Callable[[str], None] = lambda stem: None
    model_of: Callable[[Shapes, Path], str] = lambda shapes, path: ""
    tokenizer: str = ""
    is_plain: bool = False
    tokenizer_of: str = ""
    ships: Path | None = None
    words: int = 0
    filling: Mapping[str, Any] = field(default_factory=dict)

    def prefix_in(self, shapes: Shapes, stem: str, alone: bool = False) -> str | None:
        """Where it lies in a file with tensors of ``shapes``; None where it does not."""
        prefixes = self.lone_prefixes if alone else self.prefixes
        return next((prefix for prefix in prefixes if self.is_at(shapes, prefix, stem)), None)
