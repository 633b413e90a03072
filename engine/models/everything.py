"""Whatever a person has at a path, taken in: models where they lie, upscalers as copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.models.controlnets import KnownControlNet
from engine.models.imports import Survey, survey, take_in
from engine.models.lora_shelf import LoraShelf
from engine.models.recognised import Recognised
from engine.models.store import Store
from engine.models.trees import LeftOut
from engine.models.upscaler_import import PICKLED, import_upscaler, may_be_upscaler
from engine.models.upscalers import Upscaler
from engine.protocol.errors import BadFile, LaternaError, UnsafeModel

UPSCALER_FOLDERS = ("upscale_models", "upscale_model", "upscalers", "esrgan", "realesrgan", "swinir", "dat", "hat")
"""What the folders of upscalers are called in other programs' trees."""
MOST = 100

Told = Callable[[str], None]


class Imported(msgspec.Struct, frozen=True):
    """``folders`` are those of the imports, in the order of ``models``."""

    models: tuple[Recognised, ...] = ()
    folders: tuple[Path, ...] = ()
    upscalers: tuple[Upscaler, ...] = ()
    loras: tuple[str, ...] = ()
    controlnets: tuple[KnownControlNet, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*(one.name for one in self.models), *(one.name for one in self.upscalers))


def import_everything(
    path: Path,
    store: Store,
    upscaler_folder: Path,
    name: str = "",
    told: Told = lambda name: None,
    loras: LoraShelf | None = None,
) -> Imported:
    """``loras`` remembers where LoRAs lie. ``told`` hears the name of each upscaler that is read, which takes seconds.
    ``name``: for a single one. Raises what is wrong where nothing can be taken in."""
    path = path.expanduser().absolute()
    if path.is_file():
        return _file(path, store, upscaler_folder, name, told)
    files = _upscaler_files(path) if path.is_dir() else []
    try:
        found = survey(path)
    except BadFile:
        if not files:
            raise
        found = Survey(())
    upscalers, taken, left_out = [], {str(file) for file in files}, []
    for file in files:
        told(file.name)
        try:
            upscalers.append(import_upscaler(file, upscaler_folder))
        except LaternaError as error:
            left_out.append(LeftOut(str(file), error.message))
    left_out = [*(one for one in found.left_out if one.path not in taken), *left_out]
    folders = take_in(store, found, loras, name)
    return Imported(found.found, folders, tuple(upscalers), found.loras, found.controlnets, tuple(left_out))


def surveyed(path: Path) -> Imported:
    """What would be taken in, as far as it is known without reading it."""
    path = path.expanduser().absolute()
    try:
        found = survey(path)
    except (BadFile, UnsafeModel):
        if not (may_be_upscaler(path) or (path.is_dir() and _upscaler_files(path))):
            raise
        found = Survey(())
    files = [path] if found == Survey(()) and path.is_file() else _upscaler_files(path) if path.is_dir() else []
    names = {str(file) for file in files}
    maybe = [LeftOut(str(file), f"{file.name} may be an upscaler; that is known once it is read.") for file in files]
    left_out = (*(one for one in found.left_out if one.path not in names), *maybe)
    return Imported(found.found, (), (), found.loras, found.controlnets, left_out)


def _file(path: Path, store: Store, upscaler_folder: Path, name: str, told: Told) -> Imported:
    try:
        found = survey(path)
    except (BadFile, UnsafeModel) as error:
        if not may_be_upscaler(path):
            raise
        told(path.name)
        try:
            return Imported(upscalers=(import_upscaler(path, upscaler_folder, name),))
        except BadFile:
            if path.suffix.lower() in PICKLED:
                raise
            raise error from None  # which says what it is instead
    folders = take_in(store, found, None, name)
    return Imported(found.found, folders, (), (), found.controlnets)


def _upscaler_files(folder: Path) -> list[Path]:
    """The upscalers in ``folder`` and its folders that are called as such, the most that are taken at once."""
    found: list[Path] = []
    for place in [folder, *(one for one in sorted(folder.glob("*/")) if one.is_dir()), *sorted(folder.glob("*/*/"))]:
        if place.name.lower() in UPSCALER_FOLDERS:
            found += [file for file in sorted(place.iterdir()) if may_be_upscaler(file)]
    return found[:MOST]
