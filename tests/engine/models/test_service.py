"""The service: downloads in the background that pause, resume, cancel and outlive the service; token and licences."""

from __future__ import annotations

import queue
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.families.registry import LICENCES
from engine.families.source import Licence
from engine.models import token as tokens
from engine.models.download import DownloadProgress
from engine.models.fetch import FetchOptions
from engine.models.licences import Acceptances
from engine.models.notices import DownloadEnded, ModelNotice, ModelsChanged, MoveEnded, UpdatesFound, VerifyEnded
from engine.models.service import ModelService
from engine.models.token import Token, TokenStore
from engine.protocol.errors import AccessDenied, BadArguments, ModelMissing
from tests.fakes.hub import FakeHub, noise
from tests.fakes.hub_repositories import small_repository

MODEL, REPO = "cogvideox-2b", "zai-org/CogVideoX-2b"
QUICK = FetchOptions(segment_bytes=1 << 20, first_wait=0.01, sync_seconds=60, look_seconds=0.2, tries=3)


class Running:
    """A service with its notices in order."""

    def __init__(self, hub: FakeHub, folder: Path) -> None:
        self.notices: queue.Queue[ModelNotice] = queue.Queue()
        self.service = ModelService(folder / "models", folder / "config", self.notices.put, hub.url, QUICK)
        self.service.acceptances.accept(LICENCES["apache-2.0"])
        self.service.start()

    def wait(self, kind: type, **fields: Any) -> Any:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            notice = self.notices.get(timeout=30)
            if isinstance(notice, kind) and all(getattr(notice, name) == value for name, value in fields.items()):
                return notice
        raise AssertionError(f"no {kind.__name__} in time")

    def state(self, model: str = MODEL) -> Any:
        return next(card for card in self.service.cards() if card.id == model)


@pytest.fixture
def running(hub: FakeHub, tmp_path: Path) -> Iterator[Running]:
    hub.add(REPO, small_repository(REPO, scale=2_000))
    made = Running(hub, tmp_path)
    yield made
    made.service.close()


def begin_slowly(running: Running, hub: FakeHub) -> None:
    """A download that is under way and will take long."""
    hub.bytes_per_second = 1e6
    running.service.download(MODEL)
    while hub.sent() < 1_000_000:
        running.wait(DownloadProgress)


def test_a_download_in_the_background(running: Running) -> None:
    assert running.state().state == "absent"
    running.service.download(MODEL)
    assert running.wait(DownloadEnded).error is None
    assert running.state().state == "ready"
    running.service.verify(MODEL)
    assert running.wait(VerifyEnded).result.is_sound
    assert running.service.removal(MODEL).frees > 0
    running.service.remove(MODEL)
    assert running.state().state == "absent"


def test_nothing_without_the_licence(running: Running, hub: FakeHub) -> None:
    with pytest.raises(AccessDenied, match="CogVideoX License"):
        running.service.download("cogvideox-5b")
    with pytest.raises(ModelMissing):
        running.service.download("sd4")
    assert not hub.asked


def test_pause_and_resume(running: Running, hub: FakeHub) -> None:
    begin_slowly(running, hub)
    running.service.pause(MODEL)
    running.wait(DownloadEnded)
    state = running.state().installed[0]
    assert state.state == "unfinished"
    assert state.paused
    assert 0 < state.done < state.total
    hub.bytes_per_second = 0
    running.service.resume(MODEL)
    assert running.wait(DownloadEnded).error is None
    assert running.state().state == "ready"
    assert hub.sent() - state.total < 2_000_000


def test_cancel_leaves_nothing(running: Running, hub: FakeHub) -> None:
    begin_slowly(running, hub)
    running.service.cancel(MODEL)
    running.wait(DownloadEnded)
    running.wait(ModelsChanged)
    until = time.monotonic() + 10
    while list(running.service.store.parts.iterdir()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not list(running.service.store.parts.iterdir())
    assert running.state().state == "absent"


def test_a_closed_service_goes_on_at_the_next_start(running: Running, hub: FakeHub, tmp_path: Path) -> None:
    begin_slowly(running, hub)
    running.service.close()
    hub.bytes_per_second = 0
    second = Running(hub, tmp_path)
    try:
        assert second.wait(DownloadEnded).error is None
        assert second.state().state == "ready"
        assert hub.sent() - second.state().installed[0].total < 2_000_000
    finally:
        second.service.close()


def test_a_failure_is_told_and_the_next_download_runs(running: Running, hub: FakeHub) -> None:
    hub.repos[REPO].files.pop("model_index.json")
    running.service.download(MODEL)
    assert running.wait(DownloadEnded).error.kind == "ModelDamaged"
    hub.repos[REPO].files["model_index.json"] = b'{"_class_name": "CogVideoXPipeline"}'
    running.service.download(MODEL)
    assert running.wait(DownloadEnded).error is None


def test_repair(running: Running) -> None:
    running.service.download(MODEL)
    running.wait(DownloadEnded)
    weights = running.service.store.model_folder(MODEL) / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(b"short")
    assert running.state().state == "damaged"
    running.service.repair(MODEL)
    assert running.wait(DownloadEnded).error is None
    assert running.state().state == "ready"


def test_updates(running: Running, hub: FakeHub) -> None:
    running.service.download(MODEL)
    running.wait(DownloadEnded)
    running.service.check_updates()
    assert running.wait(UpdatesFound).names == ()
    hub.repos[REPO].revision = "d" * 40
    running.service.check_updates()
    assert running.wait(UpdatesFound).names == (), "another commit with the same files is no update"
    hub.repos[REPO].files["vae/diffusion_pytorch_model.safetensors"] = noise(300_000, 8)
    running.service.check_updates()
    assert running.wait(UpdatesFound).names == (MODEL,)


def test_moving(running: Running, tmp_path: Path) -> None:
    running.service.download(MODEL)
    running.wait(DownloadEnded)
    running.service.move(tmp_path / "elsewhere")
    assert running.wait(MoveEnded).error is None
    assert running.state().state == "ready"
    assert running.service.store.root == tmp_path / "elsewhere"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["laterna-moved.json"]
    running.service.move(tmp_path / "models")
    assert running.wait(MoveEnded).error is None, "and back"
    assert running.state().state == "ready"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    running.service.move(tmp_path / "full")
    assert "not empty" in running.wait(MoveEnded).error.message


def test_a_limit_can_be_set_while_it_runs(running: Running, hub: FakeHub) -> None:
    running.service.set_limit(1e6)
    running.service.download(MODEL)
    running.wait(DownloadProgress, phase="fetching")
    running.service.set_limit(0)
    assert running.wait(DownloadEnded).error is None


def test_an_acceptance_is_of_one_wording(tmp_path: Path) -> None:
    kept = Acceptances(tmp_path / "licences.json")
    licence = LICENCES["cogvideox"]
    kept.accept(licence)
    kept.accept(LICENCES["apache-2.0"])
    assert Acceptances(tmp_path / "licences.json").has(licence)
    other = Licence(licence.id, licence.name, "Another line.", licence.terms, licence.url)
    assert not kept.has(other)
    (tmp_path / "licences.json").write_text("{")
    assert not kept.has(licence)


class Keyring:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, account: str, text: str) -> None:
        self.kept[service, account] = text

    def get_password(self, service: str, account: str) -> str | None:
        return self.kept.get((service, account))

    def delete_password(self, service: str, account: str) -> None:
        del self.kept[service, account]


class BrokenKeyring(Keyring):
    def set_password(self, service: str, account: str, text: str) -> None:
        raise RuntimeError("locked")


def test_a_token_shows_itself_nowhere() -> None:
    import pickle

    token = Token(" hf_secret_words \n")
    assert token.reveal() == "hf_secret_words"
    assert "secret" not in f"{token} {token!r} {[token]} {vars(tokens)}"
    with pytest.raises(TypeError):
        pickle.dumps(token)
    for bad in ("", "  ", "a b", "hf_\r\nX-Evil: 1", "x" * 2000):
        with pytest.raises(BadArguments):
            Token(bad)


def test_the_keyring_comes_first_then_a_file_of_ones_own(tmp_path: Path) -> None:
    keyring, file = Keyring(), tmp_path / "config" / "hub-token"
    with_keyring = TokenStore(file, {}, lambda: keyring)
    assert with_keyring.save(Token("hf_one")) == "keyring"
    assert not file.exists()
    assert with_keyring.find()[1] == "keyring"
    with_keyring.delete()
    assert with_keyring.find() == (None, "none")

    plain = TokenStore(file, {"HF_TOKEN": "hf_env"}, BrokenKeyring)
    assert plain.find()[1] == "environment"
    assert plain.save(Token("hf_two")) == "file"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found, place = plain.find()
    assert found is not None
    assert (found.reveal(), place) == ("hf_two", "file")
    plain.delete()
    assert plain.find()[1] == "environment"
