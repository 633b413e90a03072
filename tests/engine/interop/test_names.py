"""Names that other programs give to files, samplers and schedulers."""

from __future__ import annotations

import pytest

from engine.interop.model_files import KnownModels, catalogue_id, comfyui_file, is_reduced, standard_encoder
from engine.interop.report import file_name
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS, find_sampler, find_scheduler


@pytest.mark.parametrize(
    ("file", "id"),
    [
        ("sd3.5_large.safetensors", "sd3.5-large"),
        ("sd3.5_large_fp8_scaled.safetensors", "sd3.5-large"),
        ("SD3/sd3.5_large_turbo.safetensors", "sd3.5-large-turbo"),
        ("stableDiffusion35_large.safetensors", "sd3.5-large"),
        ("sd3.5_medium_incl_clips_t5xxlfp8scaled.safetensors", "sd3.5-medium"),
        ("sd35_medium-Q8_0.gguf", "sd3.5-medium"),
        ("stabilityai/stable-diffusion-3.5-large-turbo", "sd3.5-large-turbo"),
        ("THUDM/CogVideoX-5b", "cogvideox-5b"),
        ("zai-org/CogVideoX-2b", "cogvideox-2b"),
        ("CogVideoX_5b_GGUF_Q4_0.safetensors", "cogvideox-5b"),
        ("THUDM/CogVideoX1.5-5B", "cogvideox-1.5-5b"),
        ("kijai/CogVideoX-5b-1.5-T2V", "cogvideox-1.5-5b"),
        ("kijai/CogVideoX-5b-1.5-I2V", "cogvideox-1.5-5b-i2v"),
        ("THUDM/CogVideoX-5b-I2V", "cogvideox-5b-i2v"),
        ("CogVideoX_5b_I2V_GGUF_Q4_0.safetensors", "cogvideox-5b-i2v"),
        ("kijai/CogVideoX-Fun-5b", ""),
        ("Tora-CogVideoX-5b-I2V", ""),
        ("v1-5-pruned-emaonly.safetensors", ""),
        ("sd_xl_base_1.0.safetensors", ""),
        ("sd3_medium.safetensors", ""),
        ("", ""),
    ],
)
def test_files_of_the_catalogue(file: str, id: str) -> None:
    assert catalogue_id(file) == id


@pytest.mark.parametrize("id", sorted(MODELS))
def test_every_model_is_found_under_the_name_that_an_export_gives_it(id: str) -> None:
    assert catalogue_id(comfyui_file(id)) == id


def test_models_on_this_machine_come_first() -> None:
    known = KnownModels({"sd35_large": "sd35", "my-own": "sd35"})
    assert known.find("my_own.safetensors") == "my-own"
    assert known.find("sub/sd35_large.safetensors") == "sd35_large"


def test_short_hashes_say_nothing() -> None:
    known = KnownModels(hashes={"abcdef0123456789": "mine"})
    assert known.find("x", "abc") == ""
    assert known.find("x", "ABCDEF0123") == "mine"


@pytest.mark.parametrize(
    ("file", "encoder"),
    [
        ("clip_l.safetensors", "CLIP-L"),
        ("clip_g.safetensors", "CLIP-G"),
        ("t5xxl_fp8_e4m3fn.safetensors", "T5"),
        ("t5\\google_t5-v1_1-xxl_encoderonly-fp8_e4m3fn.safetensors", "T5"),
        ("ViT-L-14-TEXT-detail-improved.safetensors", "CLIP-L"),
        ("qwen_2.5_vl_7b.safetensors", ""),
    ],
)
def test_text_encoders(file: str, encoder: str) -> None:
    assert standard_encoder(file) == encoder


def test_reduced_weights() -> None:
    assert is_reduced("a_fp8_e4m3fn.safetensors") and is_reduced("a-Q4_0.gguf")
    assert not is_reduced("sd3.5_large.safetensors")


@pytest.mark.parametrize("path", ["a/b.png", "a\\b.png", "/b.png", "..\\..\\b.png", "b.png", "b.png\0"])
def test_only_the_last_part_of_a_path_counts(path: str) -> None:
    assert file_name(path) == "b.png"


@pytest.mark.parametrize("named", SAMPLERS, ids=lambda named: named.id)
def test_samplers_are_found_under_all_their_names(named: object) -> None:
    for spelling in (named.id, named.name, named.id.upper(), *named.aliases):  # type: ignore[attr-defined]
        found = find_sampler(spelling)
        assert found is not None and (found.sampler, found.exact) == (named.id, True)  # type: ignore[attr-defined]


@pytest.mark.parametrize("named", SCHEDULERS, ids=lambda named: named.id)
def test_schedulers_are_found_under_all_their_names(named: object) -> None:
    for spelling in (named.id, named.name, *named.aliases):  # type: ignore[attr-defined]
        assert find_scheduler(spelling) == named.id  # type: ignore[attr-defined]


def test_ids_are_distinct_and_described() -> None:
    for names in (SAMPLERS, SCHEDULERS):
        assert len({named.id for named in names}) == len(names)
        assert all(named.summary.endswith(".") and named.name for named in names)


def test_both_definitions_of_dpmpp_2m() -> None:
    ours, theirs = find_sampler("dpmpp_2m"), find_sampler("DPMSolverMultistepScheduler")
    assert ours is not None and ours.sampler == "dpmpp_2m"
    assert theirs is not None and theirs.sampler == "dpmpp_2m_log_snr"


def test_relatives_are_marked() -> None:
    found = find_sampler("dpmpp_2s_ancestral")
    assert found is not None and not found.exact
    assert find_sampler("made up") is None
    assert find_scheduler("Automatic") == ""


def test_the_catalogue_uses_these_names() -> None:
    samplers = {named.id for named in SAMPLERS}
    schedulers = {named.id for named in SCHEDULERS}
    for info in FAMILIES.values():
        assert set(info.samplers) <= samplers
        assert {name for names in info.samplers.values() for name in names} <= schedulers
