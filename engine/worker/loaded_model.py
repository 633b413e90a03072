"""A model for one job: components read from disk when a stage needs them, placed as the plan says, shared in a pool."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch

from engine.models.reading.component import GET_AGAIN, Component, ModelFolder
from engine.prompt.pieces import pieces_in
from engine.protocol.errors import LaternaError, ModelDamaged
from engine.worker.adapters import Adapters
from engine.worker.cancel import Cancellation, watch
from engine.worker.conditioning.piece_tokenizer import PieceTokenizer
from engine.worker.failures import is_out_of_memory
from engine.worker.residency.loading import load_network
from engine.worker.residency.networks import blocks_of
from engine.worker.residency.pool import HOST, ComponentPool, Held, Key, empty_cache, identity
from engine.worker.residency.residency import ModelResidency, held_bytes
from engine.worker.residency.streaming import Streamed, streamed_from_host

if TYPE_CHECKING:
    from engine.families.base import ComponentSpec
    from engine.worker.pipeline import Pipeline

Loading = Callable[[str, float], None]
"""``loading(label, fraction)``: what is being read, and how much of this call's bytes are there."""

STREAMED = ("blocks", "disk")
PASSING = ("stage", "disk")
"""Places of components that are let go of after their stage."""


class Model:
    """One folder with its plan; ``use`` gives its components for a stage, with the job's ``adapters`` on them."""

    def __init__(
        self,
        folder: ModelFolder,
        family: Pipeline,
        residency: ModelResidency,
        cancellation: Cancellation,
        pool: ComponentPool | None = None,
    ) -> None:
        self.folder = folder
        self.family = family
        self.residency = residency
        self.adapters = Adapters()
        self.pool = pool or ComponentPool()
        self._cancellation = cancellation
        self._identities: dict[str, Hashable] = {}

    def bytes_on(self, device: torch.device) -> int:
        """Of what is loaded and lies on ``device``."""
        found = [self.pool.get(key) for key in self.keys]
        return sum(held.bytes for held in found if held is not None and held.device == device)

    @property
    def keys(self) -> set[Key]:
        return {self.key(name) for name in self.folder.parts}

    def key(self, name: str) -> Key:
        """Of the component in the pool, in the form that the plan wants it in."""
        if name not in self._identities:
            self._identities[name] = identity(self.folder.parts[name], self.folder.class_name(name))
        residency = self.residency.parts.get(name)
        form = residency.place if residency is not None and residency.place in STREAMED else "whole"
        precision = (residency.storage, residency.compute, residency.weights) if residency is not None else ()
        return self._identities[name], form, *precision

    def has(self, name: str) -> bool:
        return name in self.folder.parts

    def compute_dtype(self, name: str) -> torch.dtype:
        return self.residency.parts[name].compute

    def is_loaded(self, name: str) -> bool:
        """Whether there is nothing left to read for ``name``; true for a part that the model does not have."""
        return name not in self.folder.parts or self.key(name) in self.pool

    def needed(self, names: list[str]) -> int:
        """Bytes of memory that reading ``names`` will take."""
        return sum(self._held_bytes(name) for name in names if not self.is_loaded(name))

    def make_way(self, names: list[str]) -> None:
        """Before ``names`` are used: what the plan does not keep where it lies goes."""
        others = {name: residency.place for name, residency in self.residency.parts.items() if name not in names}
        self.release([name for name, place in others.items() if place in PASSING])
        for name, place in others.items():
            held = self.pool.get(self.key(name))
            if held is not None and place != "device":
                held.move(HOST)

    def follow(self, residency: ModelResidency) -> None:
        """Go on with another: parts in a form that it does not have go."""
        before = self.keys
        self.residency = residency
        self.pool.drop(before - self.keys)
        empty_cache(residency.device)

    def load(self, names: list[str], loading: Loading = lambda label, fraction: None) -> None:
        """Read the components among ``names`` that the folder has and that are not there yet."""
        self.make_way(names)
        missing = [spec for spec in self.family.components if spec.name in names and not self.is_loaded(spec.name)]
        total = sum(self.folder.parts[spec.name].stored_bytes for spec in missing) or 1
        done = 0
        for spec in missing:
            loading(spec.label, done / total)
            self.pool.put(self.key(spec.name), self._hold(spec))
            done += self.folder.parts[spec.name].stored_bytes

    @contextmanager
    def use(self, *names: str) -> Iterator[dict[str, Any]]:
        """The loaded components among ``names``, on the device for as long as the block runs."""
        found = {name: held for name in names if self.has(name) and (held := self.pool.get(self.key(name)))}
        with ExitStack() as stack:
            for name, held in found.items():
                stack.callback(self._put_back, name, held)
                if held.streamed is not None:
                    held.streamed.open(self.residency.device)
                else:
                    held.move(self.residency.device)
            parts = {name: held.part for name, held in found.items()}
            with self.adapters.attached(parts):
                yield parts

    def _put_back(self, name: str, held: Held) -> None:
        residency = self.residency.parts.get(name)
        if held.streamed is not None:
            held.streamed.close()
        elif residency is not None and residency.place != "device":
            held.move(HOST)
        if residency is not None and residency.place != "device":
            empty_cache(self.residency.device)

    def release(self, names: list[str] | None = None) -> None:
        self.pool.drop([self.key(name) for name in (self.folder.parts if names is None else names) if self.has(name)])
        empty_cache(self.residency.device)

    def _held_bytes(self, name: str) -> int:
        residency = self.residency.parts.get(name)
        return 0 if residency is None else held_bytes(self.folder.parts[name], residency)

    def _hold(self, spec: ComponentSpec) -> Held:
        residency = self.residency.parts.get(spec.name)
        part = self._read(spec)
        if isinstance(part, Streamed):
            inside = sum(weight.nbytes for block in blocks_of(part.network) for weight in block.parameters())
            return Held(part.network, self._held_bytes(spec.name) - inside, part)
        if residency is not None and residency.place == "blocks" and blocks_of(part):
            return Held(part, self._held_bytes(spec.name), streamed_from_host(part))
        return Held(part, self._held_bytes(spec.name))

    def _tokenizer(self, cls: Any, part: Component) -> Any:
        """CLIP's reads no further than its encoder has positions, whatever its file says."""
        pieces = part.pieces or pieces_in(part.folder)
        if pieces is not None:
            return PieceTokenizer(pieces)
        pad = part.config.get("pad_token")
        made = cls.from_pretrained(part.folder, local_files_only=True, **({"pad_token": pad} if pad == "!" else {}))
        encoder = self.folder.parts.get(part.name.replace("tokenizer", "text_encoder"))
        positions = encoder.config.get("max_position_embeddings") if encoder is not None else None
        if isinstance(positions, int) and made.model_max_length > positions:
            made.model_max_length = positions
        return made

    def _read(self, spec: ComponentSpec) -> Any:
        """A tokenizer, a network, or one that is streamed from the disk."""
        part = self.folder.parts[spec.name]
        cls = spec.find_class(self.folder.class_name(spec.name))
        try:
            with self._cancellation.interruptible():
                if not part.weights:
                    return self._tokenizer(cls, part)
                found = load_network(cls, part, self.residency.parts[spec.name])
        except LaternaError:
            raise
        except Exception as error:
            self._cancellation.check()  # a library may have wrapped the interruption
            if is_out_of_memory(error):
                raise
            place = part.folder if part.format == "diffusers" else part.weights[0]
            raise ModelDamaged(f"{place} cannot be loaded: {error}", GET_AGAIN) from error
        watch(found.network if isinstance(found, Streamed) else found, self._cancellation)
        return found
