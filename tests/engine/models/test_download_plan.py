"""Which files a run needs, of the real repositories' lists (see ``tests/fakes/hub_repositories``), against FACTS.

The published sizes of the parts, in GB: SD3.5 Large transformer 9.99 + 6.31, T5 4.99 + 4.53 (fp8 4.89), CLIP-G 1.39,
CLIP-L 0.246, VAE 0.168; Medium 4.94 (5.11 with its VAE); CogVideoX 2B 3.39, 5B 9.93 + 1.22, 1.5 4.98 + 4.95 + 1.22,
T5 4.99 + 4.53, VAE 0.43.
"""

from __future__ import annotations

import os

import msgspec
import pytest

from engine.families.registry import SOURCES
from engine.models import disk
from engine.models.download_plan import DownloadPlan, Listing, RemoteFile, check_disk, disk_need, make_plan
from engine.models.links import ALWAYS_COPIED
from engine.models.sources import source
from engine.models.store import Store
from engine.protocol.errors import BadArguments, ModelDamaged, ModelMissing, NoSpace, UnsafeModel
from tests.fakes.hub_repositories import GB, REPOSITORIES, real_listing

T5, CLIPS, VAE = 4.99 + 4.53, 1.39 + 0.246, 0.168
EXPECTED = {
    "sd3.5-large": 9.99 + 6.31 + T5 + CLIPS + VAE,
    "sd3.5-large-turbo": 9.99 + 6.31 + T5 + CLIPS + VAE,
    "sd3.5-medium": 4.94 + T5 + CLIPS + VAE,
    "cogvideox-2b": 3.39 + T5 + 0.43,
    "cogvideox-5b": 9.93 + 1.22 + T5 + 0.43,
    "cogvideox-1.5-5b": 4.98 + 4.95 + 1.22 + T5 + 0.43,
    "cogvideox-5b-i2v": 9.93 + 1.22 + T5 + 0.43,
    "cogvideox-1.5-5b-i2v": 4.98 + 4.95 + 1.22 + T5 + 0.43,
}


def plan(model: str, precision: str = "native") -> DownloadPlan:
    return make_plan(source(model), real_listing(source(model).repository), precision)  # type: ignore[arg-type]


def test_every_catalogued_model_has_an_expectation() -> None:
    assert EXPECTED.keys() == SOURCES.keys()
    assert {found.repository for found in SOURCES.values()} == REPOSITORIES.keys()


@pytest.mark.parametrize("model", EXPECTED)
def test_a_plan_is_what_a_run_needs_and_no_more(model: str) -> None:
    made = plan(model)
    assert made.total / GB == pytest.approx(EXPECTED[model], abs=0.02)
    assert source(model).bytes / GB == pytest.approx(EXPECTED[model], rel=0.01)
    whole = sum(file.size for file in real_listing(source(model).repository).files)
    if model.startswith("sd3.5"):
        assert made.total < 0.55 * whole
    targets = {file.target for file in made.files}
    assert "model_index.json" in targets
    assert any(target.startswith("LICENSE") for target in targets)
    assert not {target for target in targets if "README" in target or target.endswith((".png", ".bin"))}
    for component in source(model).components:
        assert any(target.startswith(f"{component.name}/") for target in targets)
        weights = [t for t in targets if t.startswith(f"{component.name}/") and t.endswith(".safetensors")]
        assert bool(weights) == component.has_weights


def test_eight_bit_text_encoder_halves_it() -> None:
    made = plan("sd3.5-large", "fp8")
    assert made.name == "sd3.5-large-fp8"
    assert made.total / GB == pytest.approx(9.99 + 6.31 + 4.89 + CLIPS + VAE, abs=0.02)
    t5 = next(file for file in made.files if file.source.endswith("e4m3fn.safetensors"))
    assert t5.target == "text_encoder_3/model.safetensors"
    assert not any("index" in file.target for file in made.files if file.target.startswith("text_encoder_3"))


def test_fp16_variants_get_the_names_that_loaders_look_for() -> None:
    made = plan("sd3.5-large", "fp8")
    assert next(f for f in made.files if f.source == "text_encoder/model.fp16.safetensors").target == (
        "text_encoder/model.safetensors"
    )


def test_a_precision_that_there_is_not() -> None:
    with pytest.raises(BadArguments, match="fp8"):
        plan("cogvideox-5b", "fp8")
    with pytest.raises(ModelMissing):
        source("sd4")


def test_shared_parts_count_once(store: Store) -> None:
    large, turbo, medium = plan("sd3.5-large"), plan("sd3.5-large-turbo"), plan("sd3.5-medium")
    together = disk_need([large, turbo, medium], store)
    alone = (9.99 + 6.31) * 2 + 4.94
    assert together.total / GB == pytest.approx(alone + T5 + CLIPS + VAE, abs=0.03)
    assert together.total < large.total + turbo.total + medium.total - 2 * (T5 + CLIPS) * GB * 0.99


def test_what_is_here_is_not_fetched_again(store: Store) -> None:
    """Files of the true sizes, sparse: no disk is used."""
    for file in plan("sd3.5-large").files:
        if file.sha256:
            content = store.content_path(file.sha256)
            content.parent.mkdir(parents=True, exist_ok=True)
            with content.open("wb") as out:
                out.truncate(file.size)
    need = disk_need([plan("sd3.5-large-turbo")], store)
    assert need.here / GB == pytest.approx(T5 + CLIPS + VAE, abs=0.01)
    assert need.to_fetch / GB == pytest.approx(9.99 + 6.31, abs=0.01)
    assert disk_need([plan("cogvideox-5b")], store).here < 1_000_000, "the T5 vocabulary is the same, the weights not"


def test_the_disk_is_asked_for_the_whole_plan(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan("sd3.5-large")
    need = disk_need([made], store)
    small = sum(f.size for f in made.files if f.size < ALWAYS_COPIED)
    assert made.total + small <= need.disk < made.total + small + 2 * 2**20, "a part becomes the file: nothing twice"
    monkeypatch.setattr(disk, "free_bytes", lambda folder: int(27 * GB))
    with pytest.raises(NoSpace, match=r"needs 27\.6 GB, and 27\.0 GB are free"):
        check_disk([made], store)
    monkeypatch.setattr(disk, "free_bytes", lambda folder: int(29 * GB))
    check_disk([made], store)
    with pytest.raises(NoSpace):
        check_disk([made, plan("sd3.5-medium")], store)


def test_what_an_earlier_try_fetched_counts(store: Store) -> None:
    made = plan("cogvideox-2b")
    file = next(f for f in made.files if f.size > GB)
    with (store.parts / f"{file.key}.part").open("wb") as part:
        part.write(os.urandom(1 << 20))
        part.truncate(file.size)
    need = disk_need([made], store)
    assert need.partial == 1 << 20
    assert need.to_fetch == need.total - (1 << 20)


def test_a_disk_without_links_needs_the_shared_parts_for_each_model(store: Store) -> None:
    store.__dict__["link_mode"] = "copy"
    pair = disk_need([plan("sd3.5-large"), plan("sd3.5-large-turbo")], store)
    assert pair.disk >= plan("sd3.5-large").total + plan("sd3.5-large-turbo").total - 2**21


@pytest.mark.parametrize(
    "path",
    [
        "../evil.json",
        "/etc/passwd",
        "vae/../../evil.json",
        "C:/evil.json",
        "vae\\evil.json",
        "vae//x.json",
        "vae/./x.json",
        "vae/NUL.json",
        "vae/con",
        "vae/x.json ",
        "vae/x.",
        "vae/x\n.json",
        "vae/\u0000.json",
        "",
        "a/" * 300 + "x",
    ],
)
def test_no_path_leaves_the_folder(path: str) -> None:
    good = real_listing("zai-org/CogVideoX-2b")
    evil = msgspec.structs.replace(good, files=(*good.files, RemoteFile(path, 5)))
    with pytest.raises(UnsafeModel):
        make_plan(source("cogvideox-2b"), evil)


def without(listing: Listing, *parts: str) -> Listing:
    files = tuple(file for file in listing.files if not any(part in file.path for part in parts))
    return msgspec.structs.replace(listing, files=files)


def test_a_repository_that_lacks_something() -> None:
    listing = real_listing("zai-org/CogVideoX-5b")
    for missing in ("vae/", "model_index", "00002-of-00002", "text_encoder/model.safetensors.index.json"):
        with pytest.raises(ModelDamaged):
            make_plan(source("cogvideox-5b"), without(listing, missing))


def test_pickles_are_never_planned() -> None:
    listing = without(real_listing("zai-org/CogVideoX-5b"), "vae/diffusion")
    pickled = msgspec.structs.replace(
        listing, files=(*listing.files, RemoteFile("vae/diffusion_pytorch_model.bin", 10, "a" * 64))
    )
    with pytest.raises(UnsafeModel, match="pickle"):
        make_plan(source("cogvideox-5b"), pickled)


def test_names_that_differ_only_in_case_are_refused() -> None:
    listing = real_listing("zai-org/CogVideoX-2b")
    twice = msgspec.structs.replace(listing, files=(*listing.files, RemoteFile("vae/Config.json", 10)))
    with pytest.raises(UnsafeModel, match="twice"):
        make_plan(source("cogvideox-2b"), twice)


def test_a_plan_is_kept_and_read_again() -> None:
    made = plan("sd3.5-medium")
    assert msgspec.json.decode(msgspec.json.encode(made), type=DownloadPlan) == made
