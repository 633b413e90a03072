"""Which files a run needs, in the chosen precision; what of that is here already; and how much disk the rest takes."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from engine.families.source import ModelSource, SourceComponent
from engine.models.disk import allocated_bytes, check_space
from engine.models.links import ALWAYS_COPIED
from engine.models.manifest import Manifest, Precision, StoredFile, check_name, check_path
from engine.models.store import Store
from engine.protocol.errors import BadArguments, ModelDamaged, UnsafeModel

_WEIGHTS = re.compile(
    r"(?P<stem>model|diffusion_pytorch_model)(?:\.(?P<variant>\w+))?"
    r"(?:-(?P<number>\d{5})-of-(?P<count>\d{5}))?(?:\.(?P<late_variant>\w+))?\.safetensors"
)
_INDEX = re.compile(
    r"(?P<stem>model|diffusion_pytorch_model)(?:\.(?P<variant>\w+))?\.safetensors\.index(?:\.(?P<late>\w+))?\.json"
)
_SETTINGS = re.compile(r"[\w.-]+\.(json|txt|model)")  # configurations, vocabularies, merges, sentencepiece
_LICENCES = re.compile(r"(LICEN[CS]E|NOTICE)[\w.-]*", re.IGNORECASE)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_SUM = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_BYTES = 2**44
_NAME_BYTES = 255
_METADATA_BYTES = 1024 * 1024  # journals, manifests, folders


class RemoteFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of a repository. ``sha256`` is known for large files (LFS); ``git_oid`` is the git blob's SHA-1."""

    path: str
    size: int
    sha256: str = ""
    git_oid: str = ""


class Listing(msgspec.Struct, frozen=True):
    """All files of a repository at one commit."""

    repository: str
    revision: str
    files: tuple[RemoteFile, ...]


class PlannedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """``source`` is the path in the repository, ``target`` the one in the model's folder."""

    source: str
    target: str
    size: int
    sha256: str = ""
    git_oid: str = ""

    @property
    def key(self) -> str:
        """The content's name among the parts: the same file of two repositories is fetched once."""
        return self.sha256 or f"git-{self.git_oid}"


class DownloadPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A download, as it is kept until it is done. ``name`` is the model's folder."""

    name: str
    model: str
    repository: str
    revision: str
    files: tuple[PlannedFile, ...]
    precision: Precision = "native"
    paused: bool = False
    format: int = 1

    @property
    def total(self) -> int:
        """Bytes of all files, each content once."""
        return sum({file.key: file.size for file in self.files}.values())

    def manifest(self, stored: Iterable[StoredFile]) -> Manifest:
        return Manifest(self.name, self.model, tuple(stored), self.repository, self.revision, self.precision)


class DiskNeed(msgspec.Struct, frozen=True):
    """In bytes: ``total`` of the plans, of which ``here`` is in the store and ``partial`` already fetched;
    ``to_fetch`` comes over the network, ``disk`` is what the disk must have free, temporary files included.
    """

    total: int
    here: int
    partial: int
    to_fetch: int
    disk: int


def install_name(model: str, precision: Precision) -> str:
    return check_name(model if precision == "native" else f"{model}-{precision}")


def make_plan(source: ModelSource, listing: Listing, precision: Precision = "native") -> DownloadPlan:
    """The files of ``listing`` that a run needs. Raises ``UnsafeModel``, ``ModelDamaged`` or ``BadArguments``."""
    if precision not in source.precisions:
        raise BadArguments(
            f"{source.name} does not come in {precision}.", f"Choose one of: {', '.join(source.precisions)}."
        )
    for file in listing.files:
        check_path(file.path)
    folders: dict[str, list[RemoteFile]] = {}
    for file in listing.files:
        folder, _, _ = file.path.rpartition("/")
        folders.setdefault(folder, []).append(file)
    planned = [_same(file) for file in folders.get("", []) if file.path == "model_index.json"]
    if not planned:
        raise ModelDamaged(f"{listing.repository} has no model_index.json.", "Choose another source.")
    planned += [_same(file) for file in folders.get("", []) if _LICENCES.fullmatch(file.path)]
    by_path = {file.path: file for file in listing.files}
    for component in source.components:
        planned += _component(component, folders.get(component.name, []), by_path, precision, listing.repository)
    _check_targets(planned)
    return DownloadPlan(
        install_name(source.id, precision), source.id, listing.repository, listing.revision, tuple(planned), precision
    )


def make_parts_plan(
    source: ModelSource, listing: Listing, components: Iterable[str], name: str, precision: Precision = "native"
) -> DownloadPlan:
    """Just ``components`` of a model, for imports that lack them; kept in a folder of their own, ``name``.

    Raises what ``make_plan`` raises.
    """
    wanted = set(components)
    chosen = tuple(component for component in source.components if component.name in wanted)
    plan = make_plan(msgspec.structs.replace(source, components=chosen), listing, precision)
    return msgspec.structs.replace(plan, name=name, model=name)


def disk_need(plans: Iterable[DownloadPlan], store: Store) -> DiskNeed:
    """What ``plans`` need together: contents that they share, or that the store has, count once or not at all."""
    files: dict[str, PlannedFile] = {}
    uses: dict[str, int] = {}
    for plan in plans:
        for file in plan.files:
            files[file.key] = file
            uses[file.key] = uses.get(file.key, 0) + 1
    here = partial = copies = 0
    for key, file in files.items():
        part = store.parts / f"{key}.part"
        if file.sha256 and store.find(file.sha256, file.size) is not None:
            here += file.size
            copies += uses[key] * file.size if store.link_mode == "copy" else 0
        else:
            partial += min(file.size, allocated_bytes(part)) if part.exists() else 0
            copies += (uses[key] - 1) * file.size if store.link_mode == "copy" else 0
        if file.size < ALWAYS_COPIED and store.link_mode != "copy":
            copies += uses[key] * file.size
    total = sum(file.size for file in files.values())
    to_fetch = total - here - partial
    return DiskNeed(total, here, partial, to_fetch, to_fetch + copies + (_METADATA_BYTES if to_fetch else 0))


def check_disk(plans: Iterable[DownloadPlan], store: Store) -> DiskNeed:
    """Raise ``NoSpace`` unless everything that ``plans`` still need fits on the store's disk."""
    plans = tuple(plans)
    need = disk_need(plans, store)
    check_space(store.root, need.disk, f"Downloading {', '.join(plan.name for plan in plans)}")
    return need


def _same(file: RemoteFile, target: str = "") -> PlannedFile:
    return PlannedFile(file.path, target or file.path, file.size, file.sha256, file.git_oid)


def _component(
    component: SourceComponent,
    files: list[RemoteFile],
    by_path: dict[str, RemoteFile],
    precision: Precision,
    repository: str,
) -> list[PlannedFile]:
    if not files:
        raise ModelDamaged(f"{repository} has no folder {component.name}.", "Choose another source.")
    folder = component.name + "/"
    settings = [
        _same(file)
        for file in files
        if _SETTINGS.fullmatch(name := file.path.removeprefix(folder)) and not _INDEX.fullmatch(name)
    ]
    if not component.has_weights:
        return settings
    fp8 = by_path.get(component.fp8_file) if precision == "fp8" else None
    if fp8 is not None:
        return [*settings, _same(fp8, f"{folder}model.safetensors")]
    return settings + _weights(component, files, precision, repository)


def _weights(
    component: SourceComponent, files: list[RemoteFile], precision: Precision, repository: str
) -> list[PlannedFile]:
    """One complete set of safetensors of the wanted variant, under the names that a loader looks for."""
    folder = component.name + "/"
    single: dict[str, RemoteFile] = {}
    shards: dict[str, list[tuple[int, int, RemoteFile]]] = {}
    indexes: dict[str, RemoteFile] = {}
    for file in files:
        name = file.path.removeprefix(folder)
        if match := _INDEX.fullmatch(name):
            indexes[match["variant"] or match["late"] or ""] = file
        elif match := _WEIGHTS.fullmatch(name):
            variant = match["variant"] or match["late_variant"] or ""
            if match["number"]:
                shards.setdefault(variant, []).append((int(match["number"]), int(match["count"]), file))
            else:
                single[variant] = file
    sets: dict[str, list[PlannedFile]] = {}
    for variant, file in single.items():
        sets[variant] = [_same(file, _without_variant(file.path, variant))]
    for variant, found in shards.items():
        whole = sorted(number for number, _, _ in found) == list(range(1, found[0][1] + 1))
        if variant not in sets and whole and variant in indexes:
            index = indexes[variant]
            # The shards keep their names: the index names them.
            sets[variant] = [_same(file) for _, _, file in sorted(found, key=lambda shard: shard[0])]
            sets[variant].append(_same(index, _without_variant(index.path, variant)))
    if not sets:
        if any(file.path.endswith(_PICKLES) for file in files):
            raise UnsafeModel(
                f"{repository} keeps {component.name} as a pickle, which can run code.", "Choose another source."
            )
        raise ModelDamaged(f"{repository} has no complete weights for {component.name}.", "Choose another source.")
    wanted = ("fp16", "bf16", "") if precision != "native" else ("", "bf16", "fp16")
    for variant in (*wanted, *sorted(sets)):
        if variant in sets:
            return sets[variant]
    raise AssertionError("unreachable")


def _without_variant(path: str, variant: str) -> str:
    return path.replace(f".{variant}", "", 1) if variant else path


def _check_sound(file: PlannedFile) -> None:
    """Before a byte is fetched: what no file can be would be found only when this one's turn comes."""
    if not 0 <= file.size <= _MOST_BYTES:
        raise ModelDamaged(
            f"The file list gives {file.source} {file.size} bytes.", "Nothing of it was fetched. Choose another source."
        )
    if any(len(part.encode("utf-8", "replace")) > _NAME_BYTES for part in file.target.split("/")):
        raise ModelDamaged(
            f"The file list holds a name that no disk takes: {file.source[:80]}….",
            "Nothing of it was fetched. Choose another source.",
        )
    if not _SUM.fullmatch(file.sha256 or file.git_oid):
        raise ModelDamaged(
            f"The file list has no checksum of {file.source}.", "Nothing of it was fetched. Choose another source."
        )


def _check_targets(files: list[PlannedFile]) -> None:
    seen: set[str] = set()
    for file in files:
        folded = check_path(file.target).as_posix().casefold()
        if folded in seen:
            raise UnsafeModel(
                f"The file list holds {file.target} twice.", "Nothing of it was fetched. Choose another source."
            )
        seen.add(folded)
    for file in files:
        _check_sound(file)
