"""Upscalers as people have them: read in a process of their own, kept as safetensors, used, and taken out again."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.media.known import digest_of
from engine.models.everything import import_everything, surveyed
from engine.models.store import Store
from engine.models.upscaler_import import import_upscaler, may_be_upscaler, remove_upscaler
from engine.models.upscalers import DEFAULT, Upscalers
from engine.protocol.errors import BadFile, ModelDamaged, ModelMissing, UnsafeModel
from engine.worker.upscaling.convert import convert
from engine.worker.upscaling.loading import read_network
from engine.worker.upscaling.tiles import enlarged
from tests.fakes.upscalers import built, compact


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in this process, which is quicker to start."""
    monkeypatch.setattr("engine.models.upscaler_import._converted", convert)


class Harm:
    """What a pickle can do when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> object:
        return (os.system, (f"touch {self.mark}",))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("wrapper", ["", "params_ema", "state_dict"])
def test_a_pth_is_kept_as_safetensors_with_the_same_weights(tmp_path: Path, wrapper: str) -> None:
    weights = compact(scale=3)
    torch.save({wrapper: OrderedDict(weights)} if wrapper else weights, tmp_path / "3x (mine).pth")
    one = import_upscaler(tmp_path / "3x (mine).pth", tmp_path / "shelf")
    assert one.name == "3x--mine" and one.facts.scale == 3 and one.facts.architecture == "RealESRGAN Compact"
    assert digest_of(one.path) == one.facts.sha256 and not one.ships
    kept = load_file(one.path)
    assert kept.keys() == weights.keys() and all(torch.equal(kept[name], weights[name]) for name in kept)
    assert one in Upscalers(tmp_path / "shelf").all()
    assert import_upscaler(tmp_path / "3x (mine).pth", tmp_path / "shelf") == one, "taken once"
    assert sorted(path.suffix for path in (tmp_path / "shelf").iterdir()) == [".json", ".safetensors"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("architecture", ["ESRGAN", "SwinIR"])
def test_other_architectures_leave_no_seam_either(tmp_path: Path, architecture: str) -> None:
    """Of networks whose windows and whose attention reach across a tile, too."""
    save_file({k: v.contiguous().clone() for k, v in built(architecture).items()}, tmp_path / "net.safetensors")
    one = import_upscaler(tmp_path / "net.safetensors", tmp_path / "shelf")
    assert one.path.read_bytes() == (tmp_path / "net.safetensors").read_bytes(), "a safetensors stays as it is"
    network = read_network(one.path, torch.device("cpu"))
    frame = np.random.default_rng(0).integers(0, 256, (144, 112, 3), np.uint8)
    how = one.upscaling(2)
    small = type(how)(2, how.network, how.name, tile=max(64, 2 * how.overlap + 32), overlap=how.overlap)
    whole = enlarged(frame, network, type(how)(2, how.network, how.name, tile=512, overlap=16), lambda: None)
    difference = np.abs(enlarged(frame, network, small, lambda: None).astype(int) - whole)
    assert difference.max() <= 1


def test_a_pickle_that_would_run_something_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save({"params": compact(), "harm": Harm(mark)}, tmp_path / "evil.pth")
    with pytest.raises(UnsafeModel) as refused:
        import_upscaler(tmp_path / "evil.pth", tmp_path / "shelf")
    assert "evil.pth" in refused.value.message and refused.value.remedy
    assert not mark.exists() and list((tmp_path / "shelf").iterdir()) == []


def test_what_reads_it_starts_nothing_and_connects_to_nothing(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, socket, subprocess\nfrom engine.worker.upscaling import convert\n"
        "sys.addaudithook(convert._forbid)\n"
        "for call in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: subprocess.run(['true'])):\n"
        "    try:\n        call()\n    except PermissionError:\n        print('refused')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert said.stdout.split() == ["refused", "refused"], said.stderr


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x80\x02}q\x00.", b"\0" * 100])
def test_damaged_files_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises((ModelDamaged, BadFile, UnsafeModel)) as refused:
        import_upscaler(tmp_path / "a.pth", tmp_path / "shelf")
    assert "a.pth" in refused.value.message and refused.value.remedy


@pytest.mark.usefixtures("here")
def test_weights_that_are_no_upscaler_say_what_they_are_instead(tmp_path: Path) -> None:
    save_file({"conv.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "a.safetensors")
    assert may_be_upscaler(tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match="holds nothing that Laterna knows"):
        import_everything(tmp_path / "a.safetensors", Store(tmp_path / "models"), tmp_path / "shelf")
    torch.save({"conv.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "a.pth")
    with pytest.raises(BadFile, match="no network that Laterna knows"):
        import_everything(tmp_path / "a.pth", Store(tmp_path / "models"), tmp_path / "shelf")
    (tmp_path / "a.ckpt").write_bytes(b"PK\x03\x04")
    with pytest.raises(UnsafeModel):
        import_everything(tmp_path / "a.ckpt", Store(tmp_path / "models"), tmp_path / "shelf")


@pytest.mark.usefixtures("here")
def test_a_tree_gives_its_upscalers_and_says_what_it_leaves(tmp_path: Path) -> None:
    folder = tmp_path / "ComfyUI" / "models" / "upscale_models"
    folder.mkdir(parents=True)
    torch.save(compact(), folder / "2x.pth")
    torch.save({"x": torch.zeros(2)}, folder / "broken.pth")
    store = Store(tmp_path / "models")
    expected = surveyed(tmp_path / "ComfyUI")
    assert sorted(Path(one.path).name for one in expected.left_out) == ["2x.pth", "broken.pth"]
    told: list[str] = []
    found = import_everything(tmp_path / "ComfyUI", store, tmp_path / "shelf", told=told.append)
    assert found.names == ("2x",) and told == ["2x.pth", "broken.pth"]
    assert [Path(one.path).name for one in found.left_out] == ["broken.pth"]


@pytest.mark.usefixtures("here")
def test_one_is_taken_out_and_put_back(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    torch.save(compact(), tmp_path / "2x.pth")
    one = import_upscaler(tmp_path / "2x.pth", shelf)
    restore = remove_upscaler("2x", shelf)
    assert Upscalers(shelf).find(one.facts.sha256) is None and (tmp_path / "2x.pth").exists()
    restore()
    assert Upscalers(shelf).find(one.facts.sha256) == one
    remove_upscaler("2x", shelf)
    with pytest.raises(ModelMissing):
        remove_upscaler("2x", shelf)
    with pytest.raises(BadFile, match="ships"):
        remove_upscaler(DEFAULT, shelf)
