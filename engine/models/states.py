"""What a person sees of each model: its card from the catalogue, and how it is on this machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from engine.families.registry import FAMILIES, LICENCES, SOURCES
from engine.families.source import ModelSource
from engine.files import TEXT_LIMIT, read_regular
from engine.models.assembly import assemble
from engine.models.disk import allocated_bytes
from engine.models.download_plan import DownloadPlan
from engine.models.manifest import Precision
from engine.models.recognise import precision_of
from engine.models.reference import Reference, read_reference
from engine.models.sources import parts_names
from engine.models.store import Store
from engine.models.verify import UnsoundFile, quick_check
from engine.protocol.errors import LaternaError

Role = Literal["catalogued", "import", "parts"]
State = Literal["absent", "unfinished", "ready", "damaged", "incomplete", "unplugged"]


class Installed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of a model's folders. ``done`` and ``total`` in bytes; ``bad`` files where it is damaged, ``missing`` parts
    where an import is incomplete, ``without`` those that it runs without.
    """

    name: str
    state: State
    precision: str = "native"
    total: int = 0
    done: int = 0
    revision: str = ""
    is_import: bool = False
    paused: bool = False
    bad: tuple[UnsoundFile, ...] = ()
    missing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """A catalogued model, an import, or the parts that imports share. ``disk`` in bytes (native precision), ``memory``
    in GB.
    """

    id: str
    name: str
    kind: str
    summary: str
    sizes: str
    lengths: str
    licence: str
    licence_line: str
    repository: str
    gated: bool
    disk: int
    memory: float
    precisions: tuple[Precision, ...]
    installed: tuple[Installed, ...] = ()
    role: Role = "catalogued"

    @property
    def state(self) -> State:
        """That of its best folder."""
        states = [found.state for found in self.installed]
        order: tuple[State, ...] = ("ready", "unfinished", "damaged", "incomplete", "unplugged")
        return next((state for state in order if state in states), "absent")


def cards(store: Store) -> list[Card]:
    """All catalogued models in their order, each with its folders in ``store``; then imports, and what they share."""
    found: dict[str, list[Installed]] = {}
    imported: list[Card] = []
    for model, installed in _installed(store):
        if installed.is_import and model in SOURCES:
            imported.append(_import_card(SOURCES[model], installed))
        else:
            found.setdefault(model, []).append(installed)
    catalogued = [_card(source, tuple(found.get(source.id, ()))) for source in SOURCES.values()]
    shared = [_parts_card(name, family, one) for name, family in parts_names().items() for one in found.get(name, ())]
    return catalogued + imported + shared


def imports(store: Store) -> list[Installed]:
    """All imports, also those of models that the catalogue does not have."""
    return [installed for _, installed in _installed(store) if installed.is_import]


def unfinished(store: Store) -> list[DownloadPlan]:
    """The downloads that are not done, oldest first; damaged notes of them are passed over."""
    plans = []
    if store.wanted.is_dir():
        for path in sorted(store.wanted.glob("*.json"), key=lambda path: path.stat().st_mtime):
            with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                plans.append(msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=DownloadPlan))
    return plans


def fetched_bytes(store: Store, plan: DownloadPlan) -> int:
    """How much of ``plan`` is here."""
    done = 0
    for file in {file.key: file for file in plan.files}.values():
        part = store.parts / f"{file.key}.part"
        if file.sha256 and store.find(file.sha256, file.size) is not None:
            done += file.size
        elif part.exists():
            done += min(file.size, allocated_bytes(part))
    return done


def _installed(store: Store) -> list[tuple[str, Installed]]:
    found: list[tuple[str, Installed]] = []
    wanted = {plan.name: plan for plan in unfinished(store)}
    for plan in wanted.values():
        state = Installed(
            plan.name,
            "unfinished",
            plan.precision,
            plan.total,
            fetched_bytes(store, plan),
            plan.revision,
            paused=plan.paused,
        )
        found.append((plan.model, state))
    for manifest in store.models():
        if manifest.name in wanted:
            continue
        bad = quick_check(store, manifest)
        total = sum(file.size for file in manifest.files)
        found.append(
            (
                manifest.model,
                Installed(
                    manifest.name,
                    "damaged" if bad else "ready",
                    manifest.precision,
                    total,
                    total - sum(file.size for file in bad),
                    manifest.revision,
                    bad=bad,
                ),
            )
        )
    if store.root.is_dir():
        for folder in sorted(store.root.iterdir()):
            with suppress(LaternaError):
                reference = read_reference(folder)
                if reference is not None:
                    found.append((reference.model, _import(folder.name, reference, store.root)))
    return found


def _import(name: str, reference: Reference, root: Path) -> Installed:
    size = sum(part.bytes for part in reference.parts)
    missing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    if not reference.folder:
        assembly = assemble(reference, root)
        missing, without = assembly.labels(), assembly.optional_labels()
    state: State = "incomplete" if missing else "ready"
    if not reference.is_connected:
        state = "unplugged"
    family = FAMILIES.get(reference.family)
    precision = precision_of(family, reference.parts) if family is not None else ""
    return Installed(name, state, precision, size, size, is_import=True, missing=missing, without=without)


def _card(source: ModelSource, installed: tuple[Installed, ...]) -> Card:
    return Card(
        id=source.id,
        name=source.name,
        kind=source.kind,
        summary=source.summary,
        sizes=source.sizes,
        lengths=source.lengths,
        licence=source.licence,
        licence_line=LICENCES[source.licence].line,
        repository=source.repository,
        gated=source.gated,
        disk=source.bytes,
        memory=source.memory,
        precisions=source.precisions,
        installed=installed,
    )


def _import_card(source: ModelSource, installed: Installed) -> Card:
    return msgspec.structs.replace(
        _card(source, (installed,)),
        id=installed.name,
        name=installed.name,
        summary=f"{source.name}, {installed.precision}".removesuffix(", "),
        disk=installed.total,
        precisions=("native",),
        role="import",
    )


def _parts_card(name: str, family: str, installed: Installed) -> Card:
    return msgspec.structs.replace(
        _card(FAMILIES[family].sources[0], (installed,)),
        id=name,
        name=FAMILIES[family].parts_label,
        summary="What imported files lack: tokenizers, text encoders, the VAE.",
        sizes="",
        disk=installed.total,
        memory=0,
        precisions=("native",),
        role="parts",
    )
