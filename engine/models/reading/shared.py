"""Components that a model takes from the model beside it, so that one content is stored once.

``shared`` in a model's ``laterna.json`` names, by component, the folder of that model: a plain name in the same models
folder, never a path, and that model must hold the component itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.models.manifest import check_name
from engine.protocol.errors import ModelDamaged, ModelMissing, UnsafeModel

CARD_NAME = "laterna.json"


class _Card(msgspec.Struct, frozen=True):
    shared: dict[str, str] = {}


def shared_folders(model: Path) -> dict[str, Path]:
    """By component, where the folders are that ``model`` (in diffusers layout) takes from the models beside it.

    Raises ``ModelDamaged``, ``UnsafeModel`` for a name that leads elsewhere, ``ModelMissing`` where that model is not
    there.
    """
    card = model / CARD_NAME
    try:
        shared = msgspec.json.decode(read_regular(card, TEXT_LIMIT), type=_Card).shared
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelDamaged(f"{card} cannot be read: {error}.", "Remove the file, or get the model again.") from error
    found = {}
    for component, name in shared.items():
        try:
            place = model.absolute().parent / check_name(name) / check_name(component)
        except UnsafeModel as error:
            raise UnsafeModel(
                f"{card} takes a component from {name[:100]!r}, which is no model beside it.",
                "Get the model from another source.",
            ) from error
        if not place.is_dir():
            raise ModelMissing(
                f"“{model.name}” takes its {component} from “{name}”, which is not beside it.",
                f"Put the folder {name} next to it.",
            )
        found[component] = place
    return found


def component_folder(model: Path, name: str) -> Path:
    """The folder of a component, which need not be there. Raises as ``shared_folders``."""
    return shared_folders(model).get(name, model / name)


def gather(model: Path, target: Path) -> Path:
    """Copy ``model`` with what it shares into the new folder ``target``: in plain diffusers layout, for any program.

    Raises as ``shared_folders``, and ``OSError``.
    """
    shared = shared_folders(model)
    shutil.copytree(model, target, ignore=shutil.ignore_patterns(CARD_NAME))
    for component, place in shared.items():
        shutil.copytree(place, target / component)
    return target
