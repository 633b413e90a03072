"""A model that takes components from the one beside it."""

import json
import shutil
from pathlib import Path

import pytest

from app.paths import EMBEDDED_MODELS
from engine.memory.inventory import from_folder
from engine.models.assembly import tokenizers_of
from engine.models.imports import recognise
from engine.models.installed import CARD_NAME, find_installed, open_folder, resolve
from engine.models.reading.model_folder import read_model
from engine.models.reading.shared import gather, shared_folders
from engine.protocol.errors import LaternaError, ModelDamaged, ModelMissing, UnsafeModel

OWNER, SHARES = "laterna-mini-image", "laterna-mini-image-turbo"
SMALL = shutil.ignore_patterns("*.safetensors")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Both, without their weights."""
    for name in (OWNER, SHARES):
        shutil.copytree(EMBEDDED_MODELS / name, tmp_path / name, ignore=SMALL)
    return tmp_path


def change(models: Path, shared: object) -> Path:
    card = models / SHARES / CARD_NAME
    card.write_text(json.dumps(json.loads(card.read_text()) | {"shared": shared}))
    return models / SHARES


def test_what_two_embedded_models_have_alike_is_stored_once() -> None:
    contents: dict[bytes, list[Path]] = {}
    for file in EMBEDDED_MODELS.rglob("*"):
        if file.is_file() and file.stat().st_size > 200_000:
            contents.setdefault(file.read_bytes(), []).append(file)
    assert [files for files in contents.values() if len(files) > 1] == []


def test_all_that_read_a_model_find_what_it_shares() -> None:
    owner, folder = EMBEDDED_MODELS / OWNER, EMBEDDED_MODELS / SHARES
    assert not (folder / "vae").exists()
    theirs, parts = read_model(owner, "sd35").parts, read_model(folder, "sd35").parts
    assert parts.keys() == theirs.keys()
    shared = {name for name, part in parts.items() if part.folder == theirs[name].folder}
    assert shared == parts.keys() - {"transformer", "scheduler"}
    assert tokenizers_of(folder) == tokenizers_of(owner)
    assert len(from_folder(folder).parts) == len(from_folder(owner).parts)
    (found,) = recognise(folder)
    assert (found.missing, found.folder) == ((), str(folder))


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "a/b", "/tmp", "a\\b", "C:", "nul", "store", "x" * 101])
def test_a_name_that_leads_elsewhere_is_refused(models: Path, name: str) -> None:
    (models.parent / "x" / "vae").mkdir(parents=True, exist_ok=True)
    folder = change(models, {"vae": name})
    for opened in (open_folder, shared_folders, lambda path: read_model(path, "sd35")):
        with pytest.raises(UnsafeModel, match="no model beside it"):
            opened(folder)
    assert [found.info.id for found in find_installed([models])] == [OWNER]


@pytest.mark.parametrize("component", ["../vae", "..", "", "/vae"])
def test_a_component_is_a_plain_name_too(models: Path, component: str) -> None:
    with pytest.raises(UnsafeModel):
        open_folder(change(models, {component: OWNER}))


@pytest.mark.parametrize("shared", [7, ["vae"], {"vae": 7}, {"vae": ["a"]}])
def test_what_is_no_list_of_names_is_damage(models: Path, shared: object) -> None:
    with pytest.raises(ModelDamaged):
        open_folder(change(models, shared))


def test_a_missing_owner_is_named_and_hides_no_other_model(models: Path) -> None:
    (models / OWNER).rename(models / "elsewhere")
    with pytest.raises(ModelMissing, match=OWNER) as caught:
        resolve(SHARES, [models])
    assert caught.value.remedy == f"Put the folder {OWNER} next to it."
    assert len(list(find_installed([models]))) == 1


def test_owners_do_not_share_on(models: Path) -> None:
    """One step only, so there is no circle."""
    shutil.copytree(models / SHARES, models / "third")
    card = models / "third" / CARD_NAME
    card.write_text(json.dumps(json.loads(card.read_text()) | {"shared": {"vae": SHARES}}))
    with pytest.raises(ModelMissing, match=SHARES):
        open_folder(models / "third")


def test_gathered_it_is_a_plain_diffusers_folder(models: Path, tmp_path: Path) -> None:
    whole = gather(models / SHARES, tmp_path / "whole")
    index = json.loads((whole / "model_index.json").read_text())
    needed = {name for name, entry in index.items() if isinstance(entry, list) and entry[0]}
    assert needed == {path.name for path in whole.iterdir() if path.is_dir()}
    with pytest.raises(LaternaError):
        gather(change(models, {"vae": "gone"}), tmp_path / "again")
    assert not (tmp_path / "again").exists()
