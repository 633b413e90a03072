"""Components from a folder's headers and from the catalogue; networks that the table does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.paths import EMBEDDED_MODELS
from engine.families.registry import NETWORKS
from engine.memory.footprint import denoiser_features, fingerprint
from engine.memory.footprints import Footprints, scaled, shipped
from engine.memory.forecast import Forecaster, plans_for
from engine.memory.history import History
from engine.memory.inventory import from_folder, has_unknown, of_model, published
from engine.memory.machine import Machine, imagined
from engine.models.catalog import FAMILIES, MODELS
from engine.models.installed import open_folder
from engine.protocol.errors import ModelMissing

MINI = EMBEDDED_MODELS / "laterna-mini-image"


def test_a_folder_is_read_from_its_headers() -> None:
    found = from_folder(MINI)
    assert {part.name for part in found.parts} == {
        "text_encoder", "text_encoder_2", "text_encoder_3", "transformer", "vae",
    }  # fmt: skip
    on_disk = sum(file.stat().st_size for file in MINI.glob("*/*.safetensors"))
    assert found.stored == pytest.approx(on_disk, rel=0.02)
    assert found.is_small and not has_unknown(MINI, Footprints())
    for part in found.parts:  # the table's networks are those of the files
        assert part.footprint.parameters == pytest.approx(part.stored / part.stored_itemsize, rel=0.01)


def test_a_catalogued_model_is_known_before_it_is_downloaded(tmp_path: Path) -> None:
    assert of_model("sd3.5-medium", tmp_path / "nothing") == published("sd3.5-medium")
    assert of_model("sd3.5-medium", None).stored == pytest.approx(16.2e9, rel=0.03)
    with pytest.raises(ModelMissing):
        published("no-such-model")


def test_names_and_habits_do_not_make_another_network() -> None:
    cls, config = NETWORKS["sd3.5-medium"]
    same = config | {"_class_name": cls, "_diffusers_version": "0.1", "dual_attention_layers": tuple(range(13))}
    assert fingerprint(cls, same) == fingerprint(cls, config)
    assert fingerprint(cls, config | {"num_layers": 25}) != fingerprint(cls, config)


def test_an_unknown_network_is_scaled_from_the_nearest() -> None:
    """Large from Medium: the peak within a fifth, the arithmetic within a third."""
    cls, config = NETWORKS["sd3.5-large"]
    table = shipped()
    large = table[fingerprint(cls, config)]
    medium = table[fingerprint(*NETWORKS["sd3.5-medium"])]
    guess = scaled(medium, config, large.parameters)
    features = denoiser_features(2, 4096, 333)
    for itemsize in (2, 4):
        one, other = guess.cost("call", itemsize, features), large.cost("call", itemsize, features)
        assert one.peak == pytest.approx(other.peak, rel=0.2)
        assert one.flops == pytest.approx(other.flops, rel=0.34)


def test_a_simulation_is_kept(tmp_path: Path) -> None:
    cls, config = NETWORKS["sd3.5-medium"]
    entry = scaled(shipped()[fingerprint(cls, config)], config | {"num_layers": 7}, 10**9)
    Footprints(tmp_path).keep(entry)
    assert Footprints(tmp_path).find(cls, config | {"num_layers": 7}) == entry
    assert Footprints(tmp_path).find(cls, config | {"num_layers": 8}) is None
    assert Footprints(None).find(cls, config | {"num_layers": 7}) is None


def test_a_forecast_comes_right_after_three_runs(tmp_path: Path) -> None:
    model, components = open_folder(MINI), from_folder(MINI)
    machine = imagined(None, 16)
    forecaster = Forecaster(History(tmp_path / "runs.sqlite3"))
    recipe = model.info.recipe("x")
    first = forecaster.forecast(recipe, components, model.family, machine)
    assert first.level == "fits" and not first.learned
    for noise in (0.95, 1.04, 1.0):
        seconds = {"loading": 3.0, "encoding": 0.4 * noise, "denoising": 8.0 * noise, "decoding": 0.3 * noise}
        forecaster.ran(recipe, components, machine, seconds, peak=10**9)
    later = forecaster.forecast(recipe, components, model.family, machine)
    assert later.learned and later.seconds == pytest.approx(8.7, rel=0.15)
    longer = forecaster.forecast(recipe.replace(steps=2 * recipe.steps), components, model.family, machine)
    assert longer.seconds == pytest.approx(16.7, rel=0.15)


def test_red_says_what_is_missing_and_what_would_fit() -> None:
    recipe = MODELS["sd3.5-medium"].recipe("x", width=1440, height=1440, batch=8)
    components, family = published("sd3.5-medium"), FAMILIES["sd35"]
    machine = Machine("cuda", 64 * 2**30, 60 * 2**30, 12 * 2**30, int(11.5 * 2**30))
    found = Forecaster().forecast(recipe.replace(batch=1), components, family, machine)
    assert found.plan is not None
    least = min(plan.device for plan in plans_for(recipe, components, machine))
    tight = Machine("cuda", 64 * 2**30, 60 * 2**30, 12 * 2**30, least)  # less its reserve: too little
    red = Forecaster().forecast(recipe, components, family, tight)
    assert red.level == "too much" and red.plan is None
    assert red.needed > red.limit > 0
    assert red.remedy is not None and red.remedy.kind != "none"
    assert Forecaster().forecast(red.remedy.apply(recipe), components, family, tight).plan is not None
