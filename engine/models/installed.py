"""The models found on this machine.

A folder in diffusers layout is recognised from its ``model_index.json`` and ``transformer/config.json``; a
``laterna.json`` in it overrides what was guessed, and may take components from the model beside it (``shared``). A
folder with a ``laterna-reference.json`` stands for a model that lies elsewhere, whole or in single files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.families.registry import FAMILIES, MODELS, PIPELINES
from engine.files import TEXT_LIMIT, read_regular
from engine.models.assembly import assemble
from engine.models.location import locate
from engine.models.reading.shared import CARD_NAME, shared_folders
from engine.models.reference import REFERENCE_NAME, Reference, read_reference
from engine.protocol.errors import BadFile, LaternaError, ModelDamaged, ModelMissing, UnsafeModel
from engine.protocol.family_info import FamilyInfo, ModelInfo, check_first_frame, validate
from engine.protocol.inputs import STARTING, InputRule
from engine.protocol.recipe import Recipe


class InstalledModel(msgspec.Struct, frozen=True):
    """A model that can run: what it is, and the folder that holds it: in diffusers layout, or an import in parts."""

    info: ModelInfo
    folder: Path

    @property
    def family(self) -> FamilyInfo:
        return FAMILIES[self.info.family].info

    def check(self, recipe: Recipe) -> None:
        """Raise ``BadRecipe`` with field, sentence and remedy where this model cannot make ``recipe``."""
        validate(recipe, self.family)
        if self.family.rule_of("first_frame") is not None:
            check_first_frame(recipe, self.info.first_frame)

    @property
    def inputs(self) -> tuple[InputRule, ...]:
        """The roles of inputs that a recipe for it may name, of those that its family takes."""
        return tuple(rule for rule in self.family.inputs if rule.role != "first_frame" or self.info.first_frame)

    @property
    def starting_rule(self) -> InputRule | None:
        """That of the picture that a recipe for it may start from."""
        return next((rule for rule in self.inputs if rule.role in STARTING), None)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_regular(path, TEXT_LIMIT))
    except FileNotFoundError as error:
        raise ModelMissing(
            f"There is no model in {path.parent}: {path.name} is missing.",
            "Choose a folder in diffusers layout (it holds model_index.json).",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}.", "Download the model again.") from error
    if not isinstance(value, dict):
        raise ModelDamaged(f"{path} is no JSON object.", "Download the model again.")
    return value


def open_folder(folder: Path) -> InstalledModel:
    """Recognise a folder in diffusers layout or an import. Raises ``ModelMissing``, ``ModelDamaged`` or ``BadFile``."""
    folder = Path(folder)
    reference = read_reference(folder)
    if reference is not None:
        return _open_reference(folder, reference)
    index = _read_json(folder / "model_index.json")
    family = PIPELINES.get(str(index.get("_class_name")))
    if family is None:
        raise BadFile(
            f"{folder} holds a {index.get('_class_name', 'model of no known kind')}.",
            f"Laterna runs {' and '.join(PIPELINES)}.",
        )
    card = folder / CARD_NAME
    if not card.exists():
        config = _read_json(folder / family.denoisers()[0] / "config.json")
        return InstalledModel(family.recognise(folder.name, config), folder)
    try:
        info = msgspec.json.decode(read_regular(card, TEXT_LIMIT), type=ModelInfo)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelDamaged(f"{card} cannot be read: {error}.", "Remove the file, or get the model again.") from error
    if info.family != family.info.id:
        raise ModelDamaged(f"{card} says {info.family}, but the folder holds {family.info.id}.", "Remove the file.")
    shared_folders(folder)  # all of it is there
    return InstalledModel(info, folder)


def find_installed(folders: Iterable[Path]) -> Iterator[InstalledModel]:
    """Every usable model directly below ``folders``; folders that hold none are passed over.

    A folder that was moved to another disk is looked for there; imports are opened where they lie.
    """
    for parent in folders:
        place = _located(parent)
        if not place.is_dir():
            continue
        for folder in sorted(place.iterdir()):
            try:
                if (folder / "model_index.json").is_file() or (folder / REFERENCE_NAME).is_file():
                    yield open_folder(folder)
            except (BadFile, ModelMissing, ModelDamaged, UnsafeModel):
                continue


def _located(folder: Path) -> Path:
    """Where the models of ``folder`` are now; the folder itself where that cannot be told."""
    try:
        return locate(folder)
    except LaternaError:
        return folder


def _open_reference(folder: Path, reference: Reference) -> InstalledModel:
    if reference.folder:
        found = open_folder(Path(reference.folder))
        return InstalledModel(msgspec.structs.replace(found.info, id=folder.name), found.folder)
    base = MODELS.get(reference.model)
    if base is None:
        raise ModelDamaged(f"{folder / REFERENCE_NAME} names no known model.", "Import the model again.")
    assembly = assemble(reference, Path(reference.beside or folder.parent))
    if assembly.missing:
        raise ModelMissing(
            f"“{folder.name}” lacks its {', '.join(assembly.labels())}.",
            f"“models complete {folder.name}” downloads just that; or import files that hold it.",
        )
    main = assembly.parts[FAMILIES[base.family].denoisers()[0]]
    name = Path(main.path).parent.name if main.format == "diffusers" else Path(main.path).stem
    return InstalledModel(msgspec.structs.replace(base, id=folder.name, name=name), folder)


def resolve(model: str, folders: Iterable[Path]) -> InstalledModel:
    """A model by its id in ``folders``, or by the path of its folder. Raises ``ModelMissing`` with what there is."""
    folders = tuple(folders)
    installed = list(find_installed(folders))
    for found in installed:
        if found.info.id == model:
            return found
    for place in (
        *(_located(parent) / model for parent in folders if Path(model).name == model),
        Path(model).expanduser().absolute(),
    ):
        if place.is_dir():  # not usable, or it would have been found: this says why
            return open_folder(place)
    if model in MODELS:
        raise ModelMissing(
            f"{MODELS[model].name} is not on this machine.",
            f"Get it with “models download {model}”, or name a folder that holds {MODELS[model].repository}.",
        )
    here = [found.info.id for found in installed]
    more = [id for id in MODELS if id not in here]
    raise ModelMissing(
        f"There is no model “{model}”.",
        f"Models here: {', '.join(here) or 'none'}. In the catalogue: {', '.join(more) or 'none'}. Or name a folder.",
    )
