"""The network that ships against another program's result, tiles against the whole, and what ends in a sentence."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine.media.known import digest_of
from engine.media.pixels import Pixels
from engine.models.upscalers import DEFAULT, Upscaler, Upscalers
from engine.protocol.assets import Asset
from engine.protocol.errors import BadFile, BadRecipe, Cancelled, LaternaError, ModelDamaged, ModelMissing
from engine.protocol.upscaling import Upscaling, check_upscaling
from engine.training.ncnn import FLOAT16, read_ncnn
from engine.worker.upscaling.loading import Network, build_network, read_network
from engine.worker.upscaling.measure import measured, sample_picture
from engine.worker.upscaling.networks import UpscalerNetworks
from engine.worker.upscaling.tiles import enlarged, spans
from tests.fakes.upscalers import compact

CPU = torch.device("cpu")
GOLDEN = Path(__file__).parents[3] / "golden" / "upscaler"


@pytest.fixture(scope="module")
def shipped() -> Upscaler:
    (one,) = [one for one in Upscalers().all() if one.name == DEFAULT]
    return one


@pytest.fixture(scope="module")
def network(shipped: Upscaler) -> Network:
    return read_network(shipped.path, CPU)


def quiet() -> None:
    pass


def picture(height: int, width: int) -> Pixels:
    whole = (sample_picture()[0].permute(1, 2, 0) * 255).byte().numpy()
    return np.ascontiguousarray(np.tile(whole, (2, 2, 1))[:height, :width])


def test_what_ships_is_what_its_facts_say(shipped: Upscaler, network: Network) -> None:
    facts = shipped.facts
    assert shipped.ships and digest_of(shipped.path) == facts.sha256
    assert (network.architecture, network.scale) == (facts.architecture, facts.scale)
    found = measured(network)
    assert found.overlap == facts.overlap
    assert found.memory == pytest.approx(facts.memory, rel=0.1)


def test_it_enlarges_as_the_program_does_whose_weights_these_are(shipped: Upscaler, network: Network) -> None:
    """``by-ncnn.png``: ncnn 1.0.20261020 with the package's own ``.param`` and ``.bin``, in float32."""
    before, expected = (np.asarray(Image.open(GOLDEN / name)) for name in ("before.png", "by-ncnn.png"))
    made = enlarged(before, network, shipped.upscaling(4), quiet)
    difference = np.abs(made.astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


@pytest.mark.parametrize(("height", "width"), [(100, 150), (97, 33), (96, 96), (33, 200)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_tiles_leave_no_seam(network: Network, shipped: Upscaler, height: int, width: int, scale: int) -> None:
    frame = picture(height, width)
    how = shipped.upscaling(scale)
    whole = enlarged(frame, network, how, quiet)
    small = Upscaling(scale, how.network, how.name, tile=64, overlap=16)
    made = enlarged(frame, network, small, quiet)
    assert made.shape == (height * scale, width * scale, 3)
    assert np.abs(made.astype(int) - whole).max() <= 1


def test_a_seam_would_be_seen(network: Network, shipped: Upscaler) -> None:
    frame = picture(100, 100)
    careless = Upscaling(4, shipped.facts.sha256, "", tile=64, overlap=0)
    whole = enlarged(frame, network, shipped.upscaling(4), quiet)
    assert np.abs(enlarged(frame, network, careless, quiet).astype(int) - whole).max() > 8


@pytest.mark.parametrize("length", [1, 63, 64, 65, 96, 97, 1000])
def test_tiles_are_bounded_and_use_each_pixel_once(length: int) -> None:
    how = Upscaling(4, "ab", "", tile=64, overlap=16)
    used: list[int] = []
    for begin, end, seen in spans(length, how):
        used += range(begin, end)
        assert len(seen) <= how.tile and seen.start <= begin < end <= seen.stop
        assert seen.start % 16 == 0
        assert begin - seen.start == min(16, begin) and seen.stop - end == min(16, length - end)
    assert used == list(range(length))


def test_a_smaller_scale_is_the_average_of_the_larger(network: Network, shipped: Upscaler) -> None:
    frame = picture(40, 50)
    large = enlarged(frame, network, shipped.upscaling(4), quiet)
    expected = cv2.resize(large, (100, 80), interpolation=cv2.INTER_AREA)
    assert np.array_equal(enlarged(frame, network, shipped.upscaling(2), quiet), expected)


def test_a_network_of_two_makes_four_by_two_passes_and_three_by_resampling() -> None:
    twice = build_network(compact(scale=2), "twice", CPU)
    frame = picture(20, 24)
    how = Upscaling(4, "ab", "", tile=64, overlap=16)
    once = enlarged(frame, twice, Upscaling(2, "ab", "", 64, 16), quiet)
    assert np.array_equal(
        enlarged(frame, twice, how, quiet), enlarged(once, twice, Upscaling(2, "ab", "", 64, 16), quiet)
    )
    assert enlarged(frame, twice, Upscaling(3, "ab", "", 64, 16), quiet).shape == (60, 72, 3)


def test_a_cancel_is_heard_within_a_tile(network: Network, shipped: Upscaler) -> None:
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 9:
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        enlarged(picture(40, 40), network, shipped.upscaling(4), check)
    assert len(asked) == 9
    assert not any(layer._forward_pre_hooks for layer in network.module.modules())


def test_a_device_that_is_full_is_emptied_and_tried_again(shipped: Upscaler, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[int] = []
    networks = UpscalerNetworks(CPU, lambda: released.append(1))
    file = Asset("a", shipped.facts.sha256, str(shipped.path))
    real = enlarged

    def full_at_first(*arguments: object) -> Pixels:
        if not released:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.worker.upscaling.networks.enlarged", full_at_first)
    assert networks.enlarged(picture(8, 8), shipped.upscaling(2), file, quiet).shape == (16, 16, 3)
    assert released == [1]
    assert networks.enlarged(picture(8, 8), shipped.upscaling(2), None, quiet).shape == (16, 16, 3), "it ships"
    with pytest.raises(BadRecipe, match="does not bring"):
        networks.enlarged(picture(8, 8), Upscaling(2, "cd", "", 64, 16), file, quiet)


WRONG = {
    "a stranger": {"a": torch.zeros(3)},
    "nothing": {},
    "no larger": compact(scale=1),
    "grey": compact(channels=1),
    "wrong shapes": {"body.0.weight": torch.zeros(3), "body.1.weight": torch.zeros(1)},
}


@pytest.mark.parametrize("weights", WRONG.values(), ids=WRONG)
def test_what_is_no_upscaler_is_a_sentence(weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_file(weights, tmp_path / "a.safetensors")
    with pytest.raises(BadFile) as refused:
        read_network(tmp_path / "a.safetensors", CPU)
    assert "a.safetensors" in refused.value.message and refused.value.remedy


def test_damaged_files_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LaternaError):
        read_network(tmp_path / "gone.safetensors", CPU)
    (tmp_path / "a.safetensors").write_bytes(b"\x40\0\0\0\0\0\0\0{")
    with pytest.raises(ModelDamaged):
        read_network(tmp_path / "a.safetensors", CPU)


def test_a_shelf_finds_by_name_and_content_and_says_what_lacks(tmp_path: Path, shipped: Upscaler) -> None:
    shelf = Upscalers(tmp_path)
    assert shelf.all() == (shipped,) and shelf.find("0" * 64) is None
    (tmp_path / "broken.safetensors").write_bytes(b"")
    (tmp_path / "broken.json").write_bytes(b"{")
    assert shelf.all() == (shipped,)
    assert shelf.named("LANCZOS", 3) == Upscaling(3)
    assert shelf.named(DEFAULT, 3) == shipped.upscaling(3)
    assert shelf.required(shipped.upscaling(2)) == shipped
    with pytest.raises(ModelMissing, match="not on this machine"):
        shelf.required(Upscaling(2, "0" * 64, "Gone", 64, 16))
    with pytest.raises(LaternaError, match=DEFAULT):
        shelf.named("nonsense", 2)


@pytest.mark.parametrize(
    "wrong",
    [
        Upscaling(5),
        Upscaling(2, "ab"),
        Upscaling(2, "ab", "", 64, 32),
        Upscaling(2, "ab", "", 60, 16),
        Upscaling(2, "ab", "", 8192, 16),
    ],
)
def test_settings_that_make_no_sense_are_named(wrong: Upscaling) -> None:
    with pytest.raises(BadRecipe) as refused:
        check_upscaling(wrong)
    assert refused.value.remedy
    check_upscaling(Upscaling(2))
    check_upscaling(Upscaling(4, "ab", "", 512, 16))


def test_ncnn_files_are_read_to_their_last_byte() -> None:
    param = "7767517\n2 2\nConvolution a 1 1 x y 0=1 1=3 6=9\nPReLU b 1 1 y z 0=1\n"
    weights = struct.pack("<I", FLOAT16) + np.arange(9, dtype=np.float16).tobytes() + b"\0\0"
    weights += struct.pack("<ff", 0.25, 0.5)
    found = read_ncnn(param, weights)
    assert found["body.0.weight"].flatten().tolist() == list(range(9))
    assert (found["body.0.bias"].item(), found["body.1.weight"].item()) == (0.25, 0.5)
    for wrong in (weights[:-1], weights + b"\0\0\0\0", b"\0" * len(weights)):
        with pytest.raises(ValueError):
            read_ncnn(param, wrong)
