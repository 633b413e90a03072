"""What ``--model`` may name: an id, a folder, or files that a person has elsewhere, without importing them first."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.paths import Paths
from engine.models import imports
from engine.models.installed import InstalledModel, open_folder, resolve
from engine.models.location import locate
from engine.models.reference import write_reference
from engine.protocol.errors import BadArguments, ModelMissing, from_os_error


def find_model(model: str, paths: Paths) -> InstalledModel:
    """An installed model by its id, a folder in diffusers layout, or whatever ``imports.recognise`` knows: what that
    lacks comes from the models that are here. Raises ``ModelMissing``, ``BadArguments`` or what is wrong with the file.
    """
    path = Path(model).expanduser().absolute()
    try:
        return resolve(model, paths.model_folders)
    except ModelMissing:
        if not path.exists():
            raise
    found = imports.recognise(path)
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise BadArguments(f"There are {len(found)} models in {path}: {names}.", "Name the file of one.")
    if found[0].folder:
        return open_folder(Path(found[0].folder))
    digest = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    folder = paths.cache / "files" / digest / found[0].name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_reference(folder, found[0].reference(beside=str(locate(paths.models))))
    except OSError as error:
        raise from_os_error(error, "opening the model file", folder) from error
    try:
        return open_folder(folder)
    except ModelMissing as error:
        raise ModelMissing(
            error.message, f"“models import {path}”, then “models complete {found[0].name}” downloads just that."
        ) from error
