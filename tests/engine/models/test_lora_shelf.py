"""What a LoRA was made for, and which of them this machine knows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from engine.models.adapters import locate
from engine.models.catalog import MODELS
from engine.models.installed import InstalledModel
from engine.models.lora_facts import LoraFacts, lora_facts
from engine.models.lora_shelf import LoraShelf
from engine.protocol.errors import BadFile, UnsafeModel
from engine.protocol.recipe import Adapter
from tests.fakes.loras import write_lora, write_tensors


@pytest.fixture
def shelf(tmp_path: Path) -> LoraShelf:
    return LoraShelf(tmp_path / "loras")


def model(tmp_path: Path, id: str = "sd3.5-medium", heads: int = 1) -> InstalledModel:
    folder = tmp_path / id
    (folder / "transformer").mkdir(parents=True, exist_ok=True)
    config = {"num_attention_heads": heads, "attention_head_dim": 64}
    (folder / "transformer" / "config.json").write_text(json.dumps(config))
    return InstalledModel(MODELS[id], folder)


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("sd35", "sd35"),
        ("kohya", "sd35"),
        ("cogvideox", "cogvideox"),
        ("flux", "Flux"),
        ("sdxl", "Stable Diffusion 1, 2 or XL"),
    ],
)
def test_the_names_of_the_layers_tell_the_family(tmp_path: Path, kind: str, family: str) -> None:
    facts = lora_facts(write_lora(tmp_path / "a.safetensors", kind, width=32, rank=8))
    assert facts == LoraFacts(family, 32, 8)


def test_a_training_of_laterna_says_which_model_it_began_with(tmp_path: Path) -> None:
    path = write_lora(tmp_path / "a.safetensors", metadata={"laterna": json.dumps({"model": "sd3.5-medium"})})
    assert lora_facts(path).model == "sd3.5-medium"


@pytest.mark.parametrize("told", ["{", "[]", '"x"', '{"model": null}'])
def test_a_damaged_word_in_the_header_is_no_harm(tmp_path: Path, told: str) -> None:
    assert lora_facts(write_lora(tmp_path / "a.safetensors", metadata={"laterna": told})).model == ""


def test_what_is_no_lora_is_refused_with_a_sentence(tmp_path: Path, shelf: LoraShelf) -> None:
    (tmp_path / "a.pt").write_bytes(b"x")
    (tmp_path / "broken.safetensors").write_bytes(b"x" * 20)
    write_tensors(tmp_path / "model.safetensors", {"joint_blocks.0.x_block.attn.qkv.weight": (3, 1)})
    write_lora(tmp_path / "flux.safetensors", "flux")
    with pytest.raises(UnsafeModel, match="pickle"):
        shelf.add(tmp_path / "a.pt")
    for name, sentence in (
        ("broken", "no sound safetensors file"),
        ("model", "holds no LoRA"),
        ("flux", "is a LoRA for Flux"),
    ):
        with pytest.raises(BadFile, match=sentence):
            shelf.add(tmp_path / f"{name}.safetensors")
    assert shelf.known() == ()


def test_a_chosen_file_is_found_again_where_it_lies(tmp_path: Path, shelf: LoraShelf) -> None:
    path = write_lora(tmp_path / "elsewhere" / "ink.safetensors")
    adapter = shelf.add(path, 0.7)
    assert (adapter.name, adapter.strength) == ("ink.safetensors", 0.7) and len(adapter.sha256) == 64
    assert locate([adapter], shelf.folder) == (path,)
    assert [one.path for one in LoraShelf(shelf.folder).known()] == [str(path)]


def test_the_last_used_come_first_and_then_the_folder(tmp_path: Path, shelf: LoraShelf) -> None:
    for name in ("b", "a"):
        write_lora(shelf.folder / f"{name}.safetensors")
    (shelf.folder / "no-lora.safetensors").write_bytes(b"x" * 20)
    shelf.add(write_lora(tmp_path / "z.safetensors"))
    shelf.add(write_lora(tmp_path / "y.safetensors"))
    assert [one.name[0] for one in shelf.known()] == ["y", "z", "a", "b"]
    (tmp_path / "y.safetensors").unlink()
    assert [one.name[0] for one in shelf.known()] == ["z", "a", "b"]


def test_a_damaged_index_loses_no_file_of_the_folder(shelf: LoraShelf) -> None:
    write_lora(shelf.folder / "a.safetensors")
    (shelf.folder / "known.json").write_text("{")
    assert [one.name for one in shelf.known()] == ["a.safetensors"]


def test_a_file_that_changed_is_hashed_anew(tmp_path: Path, shelf: LoraShelf) -> None:
    path = write_lora(tmp_path / "ink.safetensors")
    before = shelf.add(path)
    write_lora(path, rank=8)
    assert shelf.state(before, None).problem == "changed"
    assert shelf.add(path).sha256 != before.sha256


def test_a_lora_is_judged_against_the_model(tmp_path: Path, shelf: LoraShelf) -> None:
    medium = model(tmp_path)
    fits = shelf.add(write_lora(tmp_path / "fits.safetensors"))
    assert shelf.state(fits, medium).problem == ""
    wide = shelf.add(write_lora(tmp_path / "wide.safetensors", width=128))
    assert shelf.state(wide, medium).problem == "another size"
    clip = shelf.add(write_lora(tmp_path / "clip.safetensors", "cogvideox"))
    state = shelf.state(clip, medium)
    assert (state.problem, state.made_for) == ("another family", "CogVideoX")
    assert shelf.state(Adapter("none.safetensors"), medium).problem == "missing"


def test_without_its_configuration_a_model_takes_every_size(tmp_path: Path, shelf: LoraShelf) -> None:
    one = shelf.add(write_lora(tmp_path / "wide.safetensors", width=128))
    assert shelf.state(one, InstalledModel(MODELS["sd3.5-medium"], tmp_path / "import")).problem == ""


def test_files_are_known_by_both_their_hashes_and_read_once(tmp_path: Path, shelf: LoraShelf) -> None:
    shelf.folder.mkdir()
    path = write_lora(shelf.folder / "kites.safetensors")
    content = path.read_bytes()
    tensors = content[8 + int.from_bytes(content[:8], "little") :]
    both = {hashlib.sha256(part).hexdigest(): "kites.safetensors" for part in (content, tensors)}
    assert shelf.digests(most_bytes=1) == {}  # too much to read now
    assert shelf.digests() == both
    assert LoraShelf(shelf.folder).digests(most_bytes=0) == both
