"""Loaded models: components read from disk when a stage needs them, kept between jobs within a bound of bytes."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from engine.protocol.errors import LaternaError, ModelDamaged
from engine.worker.adapters import Adapters
from engine.worker.cancel import Cancellation, watch
from engine.worker.failures import is_out_of_memory
from engine.worker.memory.casting import cast_for_each_call
from engine.worker.memory.plan import Plan
from engine.worker.model_folder import GET_AGAIN, ModelFolder
from engine.worker.single_file.load import read_network

if TYPE_CHECKING:
    from engine.worker.families.base import ComponentSpec, Family

Loading = Callable[[str, float], None]
"""``loading(label, fraction)``: what is being read, and how much of this call's bytes are there."""


class Model:
    """One folder with its plan; ``use`` gives its components for a stage, with the job's ``adapters`` on them."""

    def __init__(self, folder: ModelFolder, family: Family, plan: Plan, cancellation: Cancellation) -> None:
        self.folder = folder
        self.family = family
        self.plan = plan
        self.adapters = Adapters()
        self._cancellation = cancellation
        self._loaded: dict[str, Any] = {}

    @property
    def bytes(self) -> int:
        parts, plans = self.folder.parts, self.plan.parts
        return sum(parts[name].held_bytes(plans[name].storage.itemsize) for name in self._loaded if name in plans)

    def has(self, name: str) -> bool:
        return name in self.folder.parts

    def compute_dtype(self, name: str) -> torch.dtype:
        return self.plan.parts[name].compute

    def is_loaded(self, name: str) -> bool:
        """Whether there is nothing left to read for ``name``; true for a part that the model does not have."""
        return not self._is_missing(name)

    def load(self, names: list[str], loading: Loading = lambda label, fraction: None) -> None:
        """Read the components among ``names`` that the folder has and that are not there yet."""
        if not self.plan.resident:
            self.release([name for name in self._loaded if name not in names and name in self.plan.parts])
        missing = [spec for spec in self.family.components if spec.name in names and self._is_missing(spec.name)]
        total = sum(self.folder.parts[spec.name].stored_bytes for spec in missing) or 1
        done = 0
        for spec in missing:
            loading(spec.label, done / total)
            self._loaded[spec.name] = self._read(spec)
            done += self.folder.parts[spec.name].stored_bytes

    def _is_missing(self, name: str) -> bool:
        return name in self.folder.parts and name not in self._loaded

    @contextmanager
    def use(self, *names: str) -> Iterator[dict[str, Any]]:
        """The loaded components among ``names``, on the device for as long as the block runs."""
        parts = {name: self._loaded[name] for name in names if name in self._loaded}
        networks = [part for part in parts.values() if isinstance(part, torch.nn.Module)]
        for network in networks:
            network.to(self.plan.device)
        try:
            with self.adapters.attached(parts):
                yield parts
        finally:
            if not self.plan.on_device:
                for network in networks:
                    network.to("cpu")
                empty_device_cache(self.plan.device)

    def release(self, names: list[str] | None = None) -> None:
        for name in list(self._loaded) if names is None else names:
            self._loaded.pop(name, None)
        gc.collect()
        empty_device_cache(self.plan.device)

    def _read(self, spec: ComponentSpec) -> Any:
        part = self.folder.parts[spec.name]
        cls = spec.find_class(self.folder.class_name(spec.name))
        try:
            with self._cancellation.interruptible():
                if not part.weights:
                    return cls.from_pretrained(part.folder, local_files_only=True)
                plan = self.plan.parts[spec.name]
                if part.format != "diffusers":
                    network = read_network(cls, part, plan)
                else:
                    network = cls.from_pretrained(
                        part.folder,
                        local_files_only=True,
                        use_safetensors=True,
                        variant=part.variant,
                        dtype=plan.storage,
                    )
        except LaternaError:
            raise
        except Exception as error:
            self._cancellation.check()  # a library may have wrapped the interruption
            if is_out_of_memory(error):
                raise
            place = part.folder if part.format == "diffusers" else part.weights[0]
            raise ModelDamaged(f"{place} cannot be loaded: {error}", GET_AGAIN) from error
        align(network)
        network.eval().requires_grad_(False)
        watch(network, self._cancellation)
        if plan.is_cast and not part.quantised_bytes:
            cast_for_each_call(network, plan.compute)
        return network


ALIGNMENT = 64


def align(network: torch.nn.Module) -> None:
    """Copy weights that are mapped from their file at an odd address: kernels sum in another order there, and the same
    weights would give other pixels in another file. A disk that is unplugged later then does no harm either.
    """
    for parameter in network.parameters():
        if parameter.data_ptr() % ALIGNMENT:
            parameter.data = parameter.data.clone()


def empty_device_cache(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


class ModelCache:
    """Models by folder and plan, least recently used first out, at most ``limit`` bytes of weights and always one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._models: OrderedDict[Any, Model] = OrderedDict()

    def get(self, model: Model) -> Model:
        """The loaded twin of ``model`` if its files and plan are unchanged, otherwise ``model`` itself, now kept."""
        key = (model.folder.path, model.folder.fingerprint(), model.plan.device, tuple(model.plan.parts.items()))
        found = self._models.setdefault(key, model)
        self._models.move_to_end(key)
        return found

    @property
    def bytes(self) -> int:
        return sum(model.bytes for model in self._models.values())

    def make_room(self, keep: Model) -> None:
        """Release what was used least recently, but not ``keep``, until the bound holds again."""
        for key in list(self._models):
            if self.bytes <= self._limit:
                return
            if self._models[key] is not keep:
                self._models.pop(key).release()

    def clear(self) -> None:
        while self._models:
            self._models.popitem()[1].release()
