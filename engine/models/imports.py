"""Use what a person already has, where it is: nothing is copied, and removing an import deletes nothing of theirs.

An import is a folder among the models with one file, ``laterna-reference.json``: which folder in diffusers layout to
open, or which files hold which components.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from engine.families.registry import FAMILIES, FILE_KINDS
from engine.models.controlnets import KnownControlNet, control_of, keep_controlnets
from engine.models.lora_shelf import LoraShelf
from engine.models.manifest import check_name
from engine.models.recognise import Refused, look_at
from engine.models.recognised import Recognised, from_folder, from_parts
from engine.models.reference import REFERENCE_NAME, Reference, write_reference
from engine.models.store import Store
from engine.models.trees import LeftOut, look_through
from engine.protocol.errors import BadFile, ModelMissing, from_os_error


class Survey(msgspec.Struct, frozen=True):
    """What is at a path: models, LoRAs and ControlNets for models that Laterna runs, and what does not come in, with
    the reason."""

    found: tuple[Recognised, ...]
    left_out: tuple[LeftOut, ...] = ()
    controlnets: tuple[KnownControlNet, ...] = ()
    loras: tuple[str, ...] = ()


def recognise(path: Path) -> list[Recognised]:
    """The models at ``path``: a file, a diffusers folder, another program's tree, or a Hugging Face cache.

    Raises ``BadFile``, ``ModelDamaged`` or ``UnsafeModel`` with what is wrong; the list is never empty.
    """
    found = survey(path)
    if found.controlnets and not found.found:
        name = Path(found.controlnets[0].path).name
        raise BadFile(f"{name} is a ControlNet, not a model.", "It goes with a model; choose that.")
    if not found.found:
        raise BadFile(f"{path} holds LoRAs, but no model.", "They go with a model; choose that.")
    return list(found.found)


def survey(path: Path) -> Survey:
    """All that is at ``path``. Raises as ``recognise`` does, where nothing of it comes in."""
    path = path.expanduser().absolute()
    if path.exists() and not path.is_dir():
        return _of_file(path)  # which says so of a pipe or a device
    if not path.is_dir():
        raise BadFile(f"There is nothing at {path} that can be read.", "Check the path.")
    if (path / "model_index.json").is_file():
        return Survey((from_folder(path, "folder"),))
    tree = look_through(path)
    if not (tree.models or tree.loras or tree.controlnets):
        first = f" {tree.left_out[0].why}" if tree.left_out else ""
        raise BadFile(_sentence(path, len(tree.left_out)) + first, _CHOOSE)
    loras = tuple(map(str, tree.loras))
    return Survey(tuple(tree.models), tuple(tree.left_out), tuple(tree.controlnets), loras)


def _sentence(path: Path, count: int) -> str:
    if count > 1:
        return f"{path} holds no model that Laterna knows; {count} files are none."
    return f"{path} holds no model that Laterna knows."


_CHOOSE = (
    "Choose a folder in diffusers layout, a .safetensors or .gguf file, the models folder of another program, or a"
    " Hugging Face cache."
)


def take_in(store: Store, found: Survey, loras: LoraShelf | None = None, name: str = "") -> tuple[Path, ...]:
    """Make all that was found part of what is here: the models, as imports in ``store``, and where the LoRAs and the
    ControlNets lie. Returns the folders of the imports."""
    folders = tuple(register(store, one, name) for one in found.found)
    if found.controlnets:
        keep_controlnets(store, found.controlnets)
    if found.loras and loras is not None:
        loras.remember(Path(path) for path in found.loras)
    return folders


def register(store: Store, found: Recognised, name: str = "") -> Path:
    """Make ``found`` one of the models in ``store``; returns the folder of the import."""
    return restore_import(store, name or _free_name(store, found.name), found.reference())


def restore_import(store: Store, name: str, reference: Reference) -> Path:
    """Keep ``reference`` under ``name``; returns the folder. Raises ``BadFile`` where there is a model of that name."""
    folder = store.model_folder(check_name(name))
    if folder.exists():
        raise BadFile(f"There is a model “{name}” already.", "Give the import another name.")
    try:
        store.create()
        folder.mkdir()
        write_reference(folder, reference)
    except OSError as error:
        raise from_os_error(error, "keeping the import", folder) from error
    return folder


def unregister(store: Store, name: str) -> None:
    """Forget an import; the person's own files stay."""
    folder = store.model_folder(name)
    if not (folder / REFERENCE_NAME).is_file():
        raise ModelMissing(f"“{name}” is no import.", "“models list” shows what there is.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise from_os_error(error, "removing the import", folder) from error


def _free_name(store: Store, wanted: str) -> str:
    names = [wanted, *(f"{wanted}-{i}" for i in range(2, 100))]
    return next((name for name in names if not store.model_folder(name).exists()), wanted)


def _of_file(path: Path) -> Survey:
    found = look_at(path)
    if isinstance(found, Refused):
        if found.kind == "ControlNet" and found.family in FAMILIES:
            return Survey((), controlnets=(control_of(path, found.family),))
        raise found.error
    if not found.model:
        label = FILE_KINDS[found.parts[0].kind].label
        raise BadFile(
            f"{path.name} is a {label} alone, not a model.",
            "Choose the model's file, or the ComfyUI models folder that holds both.",
        )
    return Survey((from_parts("gguf" if found.parts[0].format == "gguf" else "file", path, found, {}),))
