"""Whether a model's repository has other files now than those that are installed."""

from __future__ import annotations

from engine.families.registry import SOURCES
from engine.models.download_plan import PlannedFile, make_plan
from engine.models.hashing import FileHasher
from engine.models.hub import Hub
from engine.models.manifest import Manifest
from engine.models.store import Store


def has_update(hub: Hub, store: Store, manifest: Manifest) -> bool:
    """Whether downloading ``manifest`` again would change a file. Raises what ``Hub`` raises."""
    source = SOURCES.get(manifest.model)
    if source is None or hub.info(source.repository).revision == manifest.revision:
        return False
    plan = make_plan(source, hub.listing(source.repository), manifest.precision)
    here = {file.path: file for file in manifest.files}
    for file in plan.files:
        known = here.get(file.target)
        if known is None or known.size != file.size:
            return True
        if (file.sha256 != known.sha256) if file.sha256 else (_git_oid(store, manifest, file) != file.git_oid):
            return True
    return len(plan.files) != len(here)


def _git_oid(store: Store, manifest: Manifest, file: PlannedFile) -> str:
    try:
        hasher = FileHasher(store.model_folder(manifest.name) / file.target, file.size)
    except OSError:
        return ""
    try:
        hasher.advance(file.size)
        return hasher.git_oid
    except OSError:
        return ""
    finally:
        hasher.close()
