import json
from pathlib import Path

import msgspec
import pytest

from engine.families.registry import SOURCES
from engine.memory.forecast import plans_for
from engine.memory.inventory import published
from engine.memory.machine import imagined
from engine.memory.planner import first_fitting
from engine.models import catalog, installed
from engine.models.catalog import MODELS
from engine.protocol.errors import BadFile, LaternaError, ModelDamaged, ModelMissing

SD35 = {"_class_name": "StableDiffusion3Pipeline"}
COG = {"_class_name": "CogVideoXPipeline"}


def make(folder: Path, index: object, transformer: object, card: object = None) -> Path:
    (folder / "transformer").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "transformer" / "config.json").write_text(json.dumps(transformer))
    if card is not None:
        (folder / installed.CARD_NAME).write_text(json.dumps(card))
    return folder


@pytest.mark.parametrize(
    ("name", "index", "transformer", "expected"),
    [
        ("sd3.5-large", SD35, {"num_layers": 38, "sample_size": 128}, "SD 3.5 Large"),
        ("sd3.5-large-turbo", SD35, {"num_layers": 38, "sample_size": 128}, "SD 3.5 Large Turbo"),
        ("mine", SD35, {"num_layers": 24, "dual_attention_layers": [0, 1]}, "SD 3.5 Medium"),
        ("mine", COG, {"num_layers": 42, "use_rotary_positional_embeddings": True}, "CogVideoX 5B"),
        ("mine", COG, {"num_layers": 30, "use_rotary_positional_embeddings": False}, "CogVideoX 2B"),
    ],
)
def test_a_published_model_is_recognised_by_its_shape(tmp_path, name, index, transformer, expected) -> None:
    found = installed.open_folder(make(tmp_path / name, index, transformer))
    assert (found.info.name, found.info.id) == (expected, name)
    assert found.family.id == found.info.family


def test_a_model_of_another_size_starts_from_its_own_dimensions(tmp_path: Path) -> None:
    picture = installed.open_folder(make(tmp_path / "a", SD35, {"num_layers": 2, "sample_size": 16}))
    assert (picture.info.defaults.width, picture.info.defaults.height) == (128, 128)
    config = {"num_layers": 2, "sample_width": 16, "sample_height": 12, "sample_frames": 9, "max_text_seq_length": 32}
    clip = installed.open_folder(make(tmp_path / "b", COG, config)).info.defaults
    assert (clip.width, clip.height, clip.frames, clip.max_sequence_length) == (128, 96, 9, 32)


def test_a_card_overrides_what_was_guessed(tmp_path: Path) -> None:
    card = msgspec.structs.replace(catalog.MODELS["sd3.5-medium"], id="mine", name="My model")
    folder = make(tmp_path / "a", SD35, {}, msgspec.to_builtins(card))
    assert installed.open_folder(folder).info == card


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda folder: (folder / "model_index.json").unlink(), ModelMissing),
        (lambda folder: (folder / "model_index.json").write_bytes(b"\xff\xfe{"), ModelDamaged),
        (lambda folder: (folder / "model_index.json").write_text("[1]"), ModelDamaged),
        (lambda folder: (folder / "model_index.json").write_text("[" * 100_000), ModelDamaged),
        (lambda folder: (folder / "model_index.json").write_text('{"_class_name":"FluxPipeline"}'), BadFile),
        (lambda folder: (folder / "transformer" / "config.json").unlink(), ModelMissing),
        (lambda folder: (folder / "transformer" / "config.json").write_text("{"), ModelDamaged),
        (lambda folder: (folder / installed.CARD_NAME).write_text("{}"), ModelDamaged),
        (
            lambda folder: (folder / installed.CARD_NAME).write_bytes(
                msgspec.json.encode(catalog.MODELS["cogvideox-2b"])
            ),
            ModelDamaged,
        ),
    ],
)
def test_a_damaged_folder_is_a_sentence(tmp_path: Path, damage, error: type[LaternaError]) -> None:
    folder = make(tmp_path / "model", SD35, {"num_layers": 38})
    damage(folder)
    with pytest.raises(error) as caught:
        installed.open_folder(folder)
    assert caught.value.message.endswith(".") and caught.value.remedy.endswith(".")
    assert list(installed.find_installed([tmp_path])) == []


def test_models_are_found_and_resolved_by_id_or_folder(tmp_path: Path) -> None:
    make(tmp_path / "models" / "b", COG, {"num_layers": 30})
    make(tmp_path / "models" / "a", SD35, {"num_layers": 38})
    (tmp_path / "models" / "notes").mkdir()
    folders = [tmp_path / "models", tmp_path / "nowhere"]
    assert [found.info.id for found in installed.find_installed(folders)] == ["a", "b"]
    assert installed.resolve("b", folders).folder == tmp_path / "models" / "b"
    assert installed.resolve(str(tmp_path / "models" / "a"), []).info.id == "a"
    with pytest.raises(ModelMissing, match=r"Models here: a, b\."):
        installed.resolve("zebra", folders)
    with pytest.raises(ModelMissing, match="not on this machine"):
        installed.resolve("sd3.5-large", folders)


@pytest.mark.parametrize("model", MODELS)
def test_the_models_page_names_the_smallest_card_that_the_planner_runs_it_on(model: str) -> None:
    """With its usual settings, and 32 GiB of memory beside the card."""
    recipe, components = MODELS[model].recipe("a red apple"), published(model)
    machines = {size: imagined(size, 32) for size in (4, 6, 8, 10, 12, 16, 24)}
    running = [size for size, here in machines.items() if first_fitting(plans_for(recipe, components, here), here)]
    assert SOURCES[model].memory == min(running)
