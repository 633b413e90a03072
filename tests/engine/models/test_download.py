"""A whole model from the loopback hub: killed and gone on with, on a full disk, changed midway, shared, repaired."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.models import disk, fetch
from engine.models.download import Download, DownloadProgress
from engine.models.download_plan import DownloadPlan, make_plan
from engine.models.fetch import FetchOptions
from engine.models.hub import Hub
from engine.models.installed import open_folder
from engine.models.sources import source
from engine.models.store import Store
from engine.models.throttle import DownloadControl
from engine.models.token import Token
from engine.models.transport import HttpTransport
from engine.models.verify import repair_plan, verify
from engine.protocol.errors import AccessDenied, LibraryBusy, ModelDamaged, ModelMissing, NetworkFailed, NoSpace
from tests.fakes.hub import TOKEN, FakeHub, noise
from tests.fakes.hub_repositories import small_repository

ROOT = Path(__file__).resolve().parents[3]
MiB = 1 << 20
QUICK = FetchOptions(segment_bytes=MiB, first_wait=0.01, sync_seconds=60, look_seconds=0.2, tries=3)
MODEL = "cogvideox-2b"
REPO = "zai-org/CogVideoX-2b"


class Loader:
    """Plans and downloads from ``hub`` into ``store``."""

    def __init__(self, hub: FakeHub, store: Store, token: str | None = None) -> None:
        self.hub, self.store = hub, store
        self.transport = HttpTransport(hub.url, Token(token) if token else None)
        self.progress: list[DownloadProgress] = []

    def plan(self, model: str = MODEL, precision: Any = "native") -> DownloadPlan:
        found = source(model)
        return make_plan(found, Hub(self.transport, first_wait=0.01).listing(found.repository), precision)

    def run(self, plan: DownloadPlan | None = None, control: DownloadControl | None = None) -> Path:
        plan = plan or self.plan()
        Download(
            self.store, plan, self.transport, control or DownloadControl(), QUICK, self.progress.append, every=0.0
        ).run()  # fmt: skip
        return self.store.model_folder(plan.name)


@pytest.fixture
def loader(hub: FakeHub, store: Store) -> Loader:
    hub.add(REPO, small_repository(REPO, scale=2_000))
    return Loader(hub, store)


def test_a_download_is_a_model_that_opens(loader: Loader) -> None:
    folder = loader.run()
    assert open_folder(folder).info.id == MODEL
    assert verify(loader.store, MODEL).is_sound
    sent = {asked.path.split("/main/")[-1].split("/")[-1] for asked in loader.hub.requests("/resolve/")}
    assert not any("README" in path for path in sent)
    assert loader.hub.sent() == loader.plan().total
    last = loader.progress[-1]
    assert (last.phase, last.done, last.total) == ("finishing", loader.plan().total, loader.plan().total)
    done = [progress.done for progress in loader.progress if progress.phase == "fetching"]
    assert max(done) == loader.plan().total
    assert any(progress.speed > 0 and progress.seconds_left >= 0 for progress in loader.progress)
    assert not list(loader.store.parts.iterdir())
    assert not list(loader.store.wanted.iterdir())


def test_a_second_download_fetches_nothing(loader: Loader) -> None:
    loader.run()
    sent = loader.hub.sent()
    loader.run()
    assert loader.hub.sent() - sent < 100_000, "at most the small files whose SHA-256 the list does not say"


def test_models_share_what_is_equal(hub: FakeHub, store: Store) -> None:
    for size in ("large", "large-turbo"):
        name = f"stabilityai/stable-diffusion-3.5-{size}"
        hub.add(name, small_repository(name), gated=True)
    loader = Loader(hub, store, TOKEN)
    loader.run(loader.plan("sd3.5-large"))
    sent = hub.sent()
    turbo = loader.plan("sd3.5-large-turbo")
    folder = loader.run(turbo)
    own = sum(file.size for file in turbo.files if file.target.startswith("transformer/"))
    assert hub.sent() - sent < own + 20_000
    t5 = "text_encoder_3/model-00001-of-00002.safetensors"
    assert (folder / t5).read_bytes() == (store.model_folder("sd3.5-large") / t5).read_bytes()
    assert open_folder(folder).info.id == "sd3.5-large-turbo"


def test_eight_bits_make_a_model_of_their_own(hub: FakeHub, store: Store, sd35: str) -> None:
    loader = Loader(hub, store, TOKEN)
    folder = loader.run(loader.plan("sd3.5-medium", "fp8"))
    assert folder.name == "sd3.5-medium-fp8"
    assert (folder / "text_encoder_3" / "model.safetensors").exists()
    assert verify(store, folder.name).is_sound


def test_gated_without_a_token(hub: FakeHub, store: Store, sd35: str) -> None:
    loader = Loader(hub, store)
    with pytest.raises(AccessDenied, match="signed in"):
        loader.run(loader.plan("sd3.5-medium"))


def test_a_list_in_many_pages(loader: Loader) -> None:
    whole = loader.plan()
    loader.hub.page_size = 3
    assert loader.plan() == whole


def test_a_repository_that_was_renamed(loader: Loader) -> None:
    loader.hub.moved["THUDM/CogVideoX-2b"] = REPO
    assert Hub(loader.transport).listing("THUDM/CogVideoX-2b").files


def test_listing_failures_have_sentences(loader: Loader) -> None:
    asking = Hub(loader.transport, first_wait=0.01)
    with pytest.raises((ModelMissing, AccessDenied), match="no repository ada/none"):
        asking.listing("ada/none")
    with pytest.raises(ModelMissing, match="no such version"):
        asking.listing(REPO, "a" * 40)
    with pytest.raises(NetworkFailed, match="no connection"):
        Hub(HttpTransport("http://127.0.0.1:9"), first_wait=0.001).listing(REPO)


def test_a_busy_hub_is_asked_again(loader: Loader) -> None:
    from tests.fakes.hub import Fault

    loader.hub.api_faults += [Fault(status=429, headers={"Retry-After": "0.05"}), Fault(status=502)]
    waits: list[float] = []
    Hub(loader.transport, waiting=lambda seconds, error: waits.append(seconds), first_wait=0.02).listing(REPO)
    assert waits == [0.05, 0.04]


def test_a_file_changed_midway_starts_afresh_with_the_new_list(loader: Loader) -> None:
    path = "transformer/diffusion_pytorch_model.safetensors"
    plan = loader.plan()
    new = noise(1_500_000, seed=77)
    loader.hub.fault(path, cut_after=300_000)
    loader.hub.fault(path, change_to=new)
    folder = loader.run(plan)
    assert (folder / path).read_bytes() == new
    assert verify(loader.store, MODEL).is_sound


def test_a_server_that_never_sends_what_it_lists(loader: Loader) -> None:
    path = "vae/diffusion_pytorch_model.safetensors"
    loader.hub.fault(path, corrupt_at=1000, times=1000)
    with pytest.raises(ModelDamaged, match="arrived damaged"):
        loader.run()
    with pytest.raises(ModelMissing):
        loader.store.model(MODEL)


def test_verify_names_what_is_damaged_and_only_that_comes_again(loader: Loader) -> None:
    folder = loader.run()
    weights, config = folder / "transformer" / "diffusion_pytorch_model.safetensors", folder / "vae" / "config.json"
    with weights.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\0\0\0\0\0\0\0")
    config.unlink()
    found = verify(loader.store, MODEL)
    assert {(bad.path, bad.reason) for bad in found.bad} == {
        ("transformer/diffusion_pytorch_model.safetensors", "content"),
        ("vae/config.json", "missing"),
    }
    sent = loader.hub.sent()
    loader.run(repair_plan(loader.store, found))
    assert verify(loader.store, MODEL).is_sound
    assert loader.hub.sent() - sent == weights.stat().st_size, "the small file was still in the store"


def test_repairing_a_shared_file_repairs_every_model_that_has_it(hub: FakeHub, store: Store) -> None:
    names = ["stabilityai/stable-diffusion-3.5-large", "stabilityai/stable-diffusion-3.5-large-turbo"]
    for name in names:
        hub.add(name, small_repository(name, scale=3_000), gated=True)
    loader = Loader(hub, store, TOKEN)
    for model in ("sd3.5-large", "sd3.5-large-turbo"):
        loader.run(loader.plan(model))
    shared = "text_encoder_3/model-00001-of-00002.safetensors"
    with (store.model_folder("sd3.5-large") / shared).open("r+b") as file:
        file.write(b"damage")
    assert not verify(store, "sd3.5-large-turbo").is_sound
    loader.run(repair_plan(store, verify(store, "sd3.5-large")))
    assert verify(store, "sd3.5-large").is_sound
    assert verify(store, "sd3.5-large-turbo").is_sound


def test_no_first_byte_without_room_for_the_whole(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = loader.plan()
    monkeypatch.setattr(disk, "free_bytes", lambda folder: plan.total // 2)
    with pytest.raises(NoSpace, match="are free"):
        loader.run(plan)
    assert not loader.hub.sent()


def test_two_downloads_into_one_store_do_not_mix(loader: Loader) -> None:
    from engine.models.download import downloading

    with downloading(Store(loader.store.root)), pytest.raises(LibraryBusy):
        loader.run()


def test_a_full_disk_is_a_sentence_and_loses_nothing(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0
    real = fetch.FileFetch._write

    def write(self: Any, out: Any, block: bytes) -> None:
        nonlocal written
        written += len(block)
        if written > 2 * MiB:
            raise disk.from_os_error(OSError(errno.ENOSPC, "No space left on device"), "writing the download", "x")
        real(self, out, block)

    monkeypatch.setattr(fetch.FileFetch, "_write", write)
    with pytest.raises(NoSpace, match="disk is full"):
        loader.run()
    monkeypatch.undo()
    sent = loader.hub.sent()
    loader.run()
    lost = fetch.BLOCK_ALONE + 4096  # a block that found no room, and small files
    assert loader.hub.sent() - sent <= loader.plan().total - 2 * MiB + lost
    assert verify(loader.store, MODEL).is_sound


_CHILD = """
import sys, json
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import msgspec
from engine.models import disk, download
from engine.models.fetch import FetchOptions
from engine.models.download_plan import DownloadPlan
from engine.models.store import Store
from engine.models.throttle import DownloadControl
from engine.models.transport import HttpTransport
from engine.protocol.errors import LaternaError

disk.RESERVE = 0
disk.check_space.__defaults__ = (0,)
if len(sys.argv) > 5:
    disk.free_bytes = lambda folder: 10**12  # something else fills the disk after the check
store = Store(Path(sys.argv[2]))
store.recover()
plan = msgspec.json.decode(sys.argv[4], type=DownloadPlan)
options = FetchOptions(segment_bytes=4 << 20, first_wait=0.01, look_seconds=0.1)
try:
    download.Download(store, plan, HttpTransport(sys.argv[3]), DownloadControl(), options).run()
except LaternaError as error:
    print(json.dumps({"kind": type(error).__name__, "message": error.message}))
else:
    print(json.dumps({"kind": "", "message": ""}))
"""


def child(root: Path, url: str, plan: DownloadPlan, *more: str) -> list[str]:
    return [sys.executable, "-c", _CHILD, str(ROOT), str(root), url, msgspec.json.encode(plan).decode(), *more]


@pytest.mark.parametrize("speed", [0.0, 40e6], ids=["fast line", "slow line, several connections"])
def test_killed_and_gone_on_with_at_most_8_mib_come_twice(hub: FakeHub, store: Store, speed: float) -> None:
    files = small_repository(REPO)
    files["transformer/diffusion_pytorch_model.safetensors"] = noise(48 * MiB, 5)
    hub.add(REPO, files)
    hub.bytes_per_second = speed
    loader = Loader(hub, store)
    plan = loader.plan()
    kills = 0
    while kills < 3:
        target = hub.sent() + plan.total // 5
        process = subprocess.Popen(child(store.root, hub.url, plan), stdout=subprocess.PIPE)
        try:
            while hub.sent() < target and process.poll() is None:
                time.sleep(0.001)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL, "it was killed in the middle"
        kills += 1
    done = subprocess.run(child(store.root, hub.url, plan), capture_output=True, check=True, text=True)
    assert json.loads(done.stdout)["kind"] == ""
    print(f"fetched twice: {(hub.sent() - plan.total) / MiB:.2f} MiB in {kills} kills")
    assert hub.sent() - plan.total <= kills * 8 * MiB
    assert verify(Store(store.root), MODEL).is_sound


def in_small_filesystem(folder: Path, megabytes: int, command: list[str]) -> list[str]:
    """``command`` with a tmpfs of this size over ``folder``, in a mount namespace of its own."""
    mount = f'mount -t tmpfs -o size={megabytes}m tmpfs {folder} && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *command]


def test_a_small_disk_pauses_and_keeps_what_is_there(loader: Loader, tmp_path: Path) -> None:
    """A real tmpfs of 8 MB: the disk fills up in the middle, then there is room again and the download goes on."""
    small = tmp_path / "small"
    small.mkdir()
    plan = loader.plan()
    assert plan.total > 6 * MiB
    filler, out = small / "filler", tmp_path / "out"
    twice = tmp_path / "twice.py"
    twice.write_text(
        "import json, os, pathlib, subprocess, sys\n"
        f"filler = pathlib.Path({str(filler)!r}); filler.write_bytes(bytes({13 * MiB} - {plan.total}))\n"
        "first = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        f"filler.unlink(); pathlib.Path({str(out)!r}).touch()\n"
        "second = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "print(first.stdout + second.stdout, first.stderr + second.stderr)\n"
    )
    command = [sys.executable, str(twice), *child(small / "models", loader.hub.url, plan, "blind")]
    done = subprocess.run(
        in_small_filesystem(small, 12, command), capture_output=True, text=True, check=True, env=os.environ
    )
    first, second = (json.loads(line) for line in done.stdout.splitlines()[:2])
    assert first["kind"] == "NoSpace"
    assert "disk is full" in first["message"]
    assert second["kind"] == ""
    assert loader.hub.sent() - plan.total <= 2 * MiB
