"""Download what an import lacks, and nothing else: a tokenizer, and text encoders or a VAE where needed.

What several families share (a T5 and its tokenizer) comes from a repository that asks for no account.
"""

from __future__ import annotations

from engine.families.registry import FAMILIES, MODELS
from engine.families.source import ModelSource
from engine.models.assembly import assemble, comes_in_single_files
from engine.models.download_plan import DownloadPlan, make_parts_plan
from engine.models.hub import Hub
from engine.models.manifest import Precision, read_manifest
from engine.models.reference import Reference, read_reference
from engine.models.sources import parts_name, source_of
from engine.models.store import Store
from engine.protocol.errors import BadArguments, ModelMissing


def lacking(store: Store, name: str, with_t5: bool = False) -> tuple[ModelSource, tuple[str, ...]]:
    """Where the import ``name`` can be completed from, and the components to get; none where it runs as it is.

    Raises ``ModelMissing`` where there is no such import, ``BadArguments`` where it cannot be completed.
    """
    reference = _reference(store, name)
    if not comes_in_single_files(reference):
        raise BadArguments(f"“{name}” cannot be completed.", "Import its whole folder, or download the model.")
    assembly = assemble(reference, store.root)
    family = FAMILIES[reference.family]
    if set(family.denoisers()) & set(assembly.missing):
        raise ModelMissing(f"The file of “{name}” is not there.", "Connect its disk, or import it again.")
    wanted = assembly.to_get(with_t5)
    kinds = [spec.kind for name in wanted if (spec := family.spec(name)) is not None]
    found = source_of(reference.model, set(kinds))
    theirs = FAMILIES[MODELS[found.id].family]
    return found, tuple(theirs.name_of(kind) for kind in kinds)


def completion_plan(
    store: Store, hub: Hub, name: str, with_t5: bool = False, precision: Precision = "native"
) -> DownloadPlan | None:
    """The download that lets the import ``name`` run; None where nothing is lacking. What was downloaded for other
    imports stays part of it. Raises what ``lacking`` and ``Hub.listing`` raise.
    """
    found, components = lacking(store, name, with_t5)
    if not components:
        return None
    parts = parts_name(found)
    manifest = read_manifest(store.model_folder(parts))
    names = {component.name for component in found.components}
    kept = {file.path.partition("/")[0] for file in manifest.files} & names if manifest else set()
    return make_parts_plan(found, hub.listing(found.repository), {*components, *kept}, parts, precision)


def _reference(store: Store, name: str) -> Reference:
    reference = read_reference(store.model_folder(name))
    if reference is None:
        raise ModelMissing(f"“{name}” is no import.", "“models list” shows what there is.")
    return reference
