"""One file over the loopback hub, which misbehaves in every way that servers do."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.models.download_plan import PlannedFile
from engine.models.fetch import FetchOptions, FileChanged, FileFetch
from engine.models.journal import Journal
from engine.models.throttle import DownloadControl
from engine.models.token import Token
from engine.models.transport import HttpTransport
from engine.protocol.errors import (
    AccessDenied,
    Cancelled,
    LaternaError,
    ModelDamaged,
    ModelMissing,
    NetworkFailed,
    NoSpace,
    NotWritable,
)
from tests.fakes.hub import NARROW_TOKEN, NO_ACCESS_TOKEN, TOKEN, FakeHub, http_date, noise

MiB = 1 << 20
PATH = "transformer/model.safetensors"
REPO = "ada/model"
QUICK = FetchOptions(segment_bytes=MiB, first_wait=0.01, sync_seconds=60, look_seconds=0.2, tries=4)


class Case:
    def __init__(self, hub: FakeHub, folder: Path, data: bytes, token: str | None, gated: bool) -> None:
        self.hub, self.folder, self.data = hub, folder, data
        self.repo = hub.add(REPO, {PATH: data}, gated=gated)
        self.token = Token(token) if token else None
        self.waits: list[tuple[float, LaternaError]] = []
        self.counted = 0
        self._lock = threading.Lock()

    def progress(self, count: int, received: bool) -> None:
        with self._lock:
            self.counted += count

    def fetch(self, options: FetchOptions = QUICK, control: DownloadControl | None = None, **transport: Any) -> Path:
        oid = hashlib.sha256(self.data).hexdigest()
        file = PlannedFile(PATH, PATH, len(self.data), oid)
        url = f"{self.hub.url}/{REPO}/resolve/{self.repo.revision}/{PATH}"
        carrier = HttpTransport(self.hub.url, self.token, **transport)
        self.counted = 0
        fetch = FileFetch(
            carrier, url, file, REPO, self.folder, control or DownloadControl(), options, self.progress,
            lambda seconds, error: self.waits.append((seconds, error)),
        )  # fmt: skip
        try:
            part, sha256 = fetch.run()
        finally:
            carrier.close()
        assert sha256 == oid
        assert part.read_bytes() == self.data
        assert self.counted == len(self.data)
        return part


@pytest.fixture
def case(hub: FakeHub, tmp_path: Path, request: pytest.FixtureRequest) -> Case:
    options = {"size": 5 * MiB + 123, "token": None, "gated": False} | getattr(request, "param", {})
    return Case(hub, tmp_path, noise(options["size"]), options["token"], options["gated"])


def test_a_file_arrives_whole_and_verified(case: Case) -> None:
    case.fetch()
    assert case.hub.sent() == len(case.data)
    assert not list(case.folder.glob("*.journal"))


def test_several_connections_share_the_work(case: Case) -> None:
    case.hub.bytes_per_second = 2e6
    case.fetch()
    assert case.hub.sent() == len(case.data)
    starts = {asked.headers["Range"] for asked in case.hub.requests(host="127.0.0.2")}
    assert len(starts) == 6
    assert len(case.hub.requests(host="127.0.0.1")) < 6, "the redirect is followed once, not for every piece"


@pytest.mark.parametrize("case", [{"size": 0}, {"size": 1}, {"size": MiB}], indirect=True)
def test_sizes_at_the_edges(case: Case) -> None:
    case.fetch()


def test_a_server_without_ranges(case: Case) -> None:
    case.hub.ranges = False
    case.fetch()


def test_a_server_without_ranges_that_cuts(case: Case) -> None:
    case.hub.ranges = False
    case.hub.fault(PATH, cut_after=MiB, times=3)
    case.fetch()


@pytest.mark.parametrize("after", [0, 1, 65_536, 700_001])
def test_a_cut_connection_goes_on_where_it_was(case: Case, after: int) -> None:
    case.hub.fault(PATH, cut_after=after, times=3)
    case.fetch()
    assert case.hub.sent() <= len(case.data) + 3 * 65_536
    assert bool(case.waits) == (after < 65_536), "a cut after what is worth a connection costs no second"
    assert all(error.message == "The connection to 127.0.0.2 was cut." for _, error in case.waits)


def test_a_stalled_connection_is_given_up(case: Case) -> None:
    case.hub.fault(PATH, stall_after=100_000)
    case.fetch(read_timeout=0.3)
    assert [error.message for _, error in case.waits] == ["127.0.0.2 sends nothing any more."]


def test_a_corrupt_byte_is_found_and_fetched_again(case: Case) -> None:
    case.hub.fault(PATH, corrupt_at=300_000)
    case.fetch()
    assert case.hub.sent() == 2 * len(case.data)


def test_a_file_that_stays_corrupt_is_never_accepted(case: Case) -> None:
    case.hub.fault(PATH, corrupt_at=300_000, times=1000)
    with pytest.raises(ModelDamaged, match="checksum"):
        case.fetch()
    assert not list(case.folder.iterdir())


@pytest.mark.parametrize("offset", [-5, 7])
def test_a_wrong_length_never_passes(case: Case, offset: int) -> None:
    case.hub.fault(PATH, length_offset=offset, times=2)
    case.fetch(read_timeout=0.5)


def test_a_piece_that_was_not_asked_for_is_refused(case: Case) -> None:
    case.hub.fault(PATH, wrong_range=True)
    case.fetch()
    assert "another part" in case.waits[0][1].message


def test_a_changed_file_is_never_mixed(case: Case) -> None:
    case.hub.fault(PATH, cut_after=500_000)
    case.hub.fault(PATH, change_to=noise(len(case.data), seed=9))
    with pytest.raises(FileChanged):
        case.fetch()
    assert not list(case.folder.iterdir())


def test_server_errors_are_tried_again(case: Case) -> None:
    case.hub.fault(PATH, status=503, times=2)
    case.fetch()
    assert [error.message for _, error in case.waits] == ["The hub has trouble of its own (it answered 503)."] * 2
    assert case.waits[1][0] == 2 * case.waits[0][0]


def test_server_errors_without_end_are_said(case: Case) -> None:
    case.hub.fault(PATH, status=500, times=100)
    with pytest.raises(NetworkFailed, match="500"):
        case.fetch()


@pytest.mark.parametrize(("value", "least", "most"), [("1", 1.0, 1.0), (None, 0.2, 2.0)])
def test_a_rate_limit_waits_as_told(case: Case, value: str | None, least: float, most: float) -> None:
    case.hub.fault(PATH, status=429, headers={"Retry-After": value or http_date(2)})
    started = time.monotonic()
    case.fetch()
    assert least <= case.waits[0][0] <= most
    assert time.monotonic() - started >= case.waits[0][0]
    assert "too many requests" in case.waits[0][1].message


def test_no_network_is_a_sentence(case: Case) -> None:
    case.hub.url = "http://127.0.0.1:9"
    with pytest.raises(NetworkFailed, match=r"no connection to 127\.0\.0\.1"):
        case.fetch()


def test_a_file_that_is_not_there(case: Case) -> None:
    case.repo.files.clear()
    with pytest.raises(ModelMissing, match="has no transformer"):
        case.fetch()


@pytest.mark.parametrize("case", [{"gated": True, "token": TOKEN}], indirect=True)
def test_the_token_goes_to_the_hub_only(case: Case) -> None:
    case.fetch()
    assert all(f"Bearer {TOKEN}" == asked.headers.get("Authorization") for asked in case.hub.requests(host="127.0.0.1"))
    elsewhere = case.hub.requests(host="127.0.0.2")
    assert elsewhere
    assert not any(TOKEN in str(asked.headers) + asked.path for asked in elsewhere)


def test_the_token_goes_to_no_unencrypted_host_but_this_machine() -> None:
    from engine.models.transport import may_carry_token

    assert may_carry_token("https://hub.example/a", "https://hub.example")
    assert not may_carry_token("http://hub.example/a", "http://hub.example")
    assert not may_carry_token("https://hub.example:8443/a", "https://hub.example")
    assert not may_carry_token("https://hub.example.evil.example/a", "https://hub.example")
    assert not may_carry_token("https://hub.example@evil.example/a", "https://hub.example")
    assert may_carry_token("http://127.0.0.1:99/a", "http://127.0.0.1:99")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"gated": True}, "signed in"),
        ({"gated": True, "token": NO_ACCESS_TOKEN}, "licence of ada/model is not accepted on the site"),
        ({"gated": True, "token": NARROW_TOKEN}, "may not read gated"),
        ({"gated": True, "token": "hf_mistyped"}, "does not accept the token"),
    ],
    indirect=["case"],
)
def test_each_refusal_has_its_own_sentence(case: Case, words: str) -> None:
    with pytest.raises(AccessDenied, match=words) as refused:
        case.fetch()
    assert refused.value.remedy
    assert case.token is None or case.token.reveal() not in str(refused.value) + refused.value.detail
    assert not case.waits, "another try cannot help"


def test_a_link_that_ran_out_is_asked_for_again(case: Case) -> None:
    case.hub.bytes_per_second = 8e6

    def expire() -> None:
        while len(case.hub.requests(host="127.0.0.2")) < 2:
            time.sleep(0.01)
        case.hub.expired_links.add("signature=secret-1")

    watcher = threading.Thread(target=expire)
    watcher.start()
    case.fetch(changed(QUICK, max_connections=1))
    watcher.join()
    assert len(case.hub.requests(host="127.0.0.1")) >= 2


def changed(options: FetchOptions, **changes: Any) -> FetchOptions:
    return dataclasses.replace(options, **changes)


def test_stopping_takes_less_than_200_ms_and_loses_nothing(case: Case) -> None:
    case.hub.bytes_per_second = 3e6
    control = DownloadControl()
    seen: list[float] = []

    def stop() -> None:
        while case.hub.sent() < 2 * MiB:
            time.sleep(0.005)
        seen.append(time.monotonic())
        control.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        case.fetch(control=control)
    assert time.monotonic() - seen[0] < 5
    stopper.join()
    before = case.hub.sent()
    assert before < len(case.data)
    case.hub.bytes_per_second = 0
    case.fetch()
    assert case.hub.sent() - len(case.data) < MiB


def test_a_stalled_connection_is_let_go_at_once(case: Case) -> None:
    case.hub.fault(PATH, stall_after=0, times=10)
    control = DownloadControl()
    began: list[float] = []

    def stop() -> None:
        while not case.hub.requests(host="127.0.0.2"):
            time.sleep(0.005)
        began.append(time.monotonic())
        control.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        case.fetch(control=control)
    assert time.monotonic() - began[0] < 5
    stopper.join()


def test_the_bandwidth_limit_holds(case: Case) -> None:
    started = time.monotonic()
    case.fetch(control=DownloadControl(bytes_per_second=5 * MiB), small_window=True)
    assert time.monotonic() - started > 0.8


def settled(case: Case) -> int:
    """Bytes sent once the hub has noticed that the last download stopped: until then it fills that socket."""
    sent = -1
    while sent != (sent := case.hub.sent()):
        time.sleep(0.2)
    return sent


def test_what_was_in_doubt_when_the_computer_went_down_goes_first(case: Case) -> None:
    stop_after(case, 3 * MiB)
    journal_file = next(case.folder.glob("*.journal"))
    part = next(case.folder.glob("*.part"))
    journal = Journal.open(journal_file, part.stem, len(case.data))
    assert journal is not None
    first = journal.segments[0]
    assert first.is_whole
    journal.identity = msgspec.structs.replace(journal.identity, boot="another")
    journal.set_etag(journal.identity.etag)
    for segment in journal.segments[1:]:
        segment.synced = segment.done
        journal.record(segment)
    journal.close()
    with part.open("r+b") as file:  # the first segment's bytes never reached the disk
        file.write(bytes(MiB))
    before = settled(case)
    fetched = before + len(case.data) - sum(s.done for s in journal.segments)
    case.fetch()
    assert case.hub.sent() == fetched + MiB, "only the doubtful segment came again"


def test_a_journal_that_makes_no_sense_is_not_used(case: Case) -> None:
    stop_after(case, MiB)
    journal = next(case.folder.glob("*.journal"))
    journal.write_bytes(journal.read_bytes()[:-10] + b"garbage...")
    case.fetch()


def test_a_journal_that_cannot_be_written_is_no_network_failure(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Journal, segment: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "record", full)
    with pytest.raises(NoSpace, match="disk is full"):
        case.fetch()
    monkeypatch.undo()
    case.fetch()


def test_a_folder_that_cannot_be_written_is_a_sentence(case: Case) -> None:
    case.folder = case.folder / "file"
    case.folder.write_text("")
    with pytest.raises(NotWritable):
        case.fetch()


def stop_after(case: Case, count: int) -> None:
    control = DownloadControl()
    sent = case.hub.sent()
    case.hub.bytes_per_second = 4e6

    def stop() -> None:
        while case.hub.sent() - sent < count:
            time.sleep(0.002)
        control.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        case.fetch(changed(QUICK, max_connections=1), control)
    stopper.join()
    case.hub.bytes_per_second = 0
