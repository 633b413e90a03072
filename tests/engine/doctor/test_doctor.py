"""The examination: each fault that it names is made, and one that breaks it does not end it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec
import pytest

from engine.doctor import device, disk, programs
from engine.doctor.device import TorchReport
from engine.doctor.examination import Places, checks, examine
from engine.doctor.finding import Finding, as_text
from engine.memory.machine import GIB, Machine

CARD = Machine("cuda", 32 * GIB, 16 * GIB, 12 * GIB, 11 * GIB, "RTX 3060")
PROCESSOR = Machine("cpu", 32 * GIB, 16 * GIB, name="CPU")


def child(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> str:
    """A module that stands for the one with torch."""
    (folder / "stand_in_child.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return "stand_in_child"


def test_a_child_that_crashes_hangs_or_talks_nonsense_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(code: str, seconds: float = 20) -> Finding:
        found = device.ask(seconds, child(tmp_path, monkeypatch, code))
        assert isinstance(found, Finding)
        assert found.state == "wrong"
        assert found.remedy
        return found

    assert "libcuda.so is broken" in ask("raise OSError('libcuda.so is broken')").text
    assert "did not answer in 1 s" in ask("import time; time.sleep(60)", seconds=1).text
    assert "no report" in ask("print('hello')").text


def test_the_real_child_tells_of_this_machine() -> None:
    report = device.ask(120)
    assert isinstance(report, TorchReport)
    assert report.version.startswith("2.")
    assert report.threads >= 1
    assert report.flops > 1e8
    assert "math" in report.attention
    assert not report.fault


@pytest.mark.parametrize(
    ("report", "machine", "words"),
    [
        (TorchReport("2.13.0+cpu"), CARD, "This computer has a RTX 3060, which this build cannot use."),
        (TorchReport("2.13.0", cuda="13.0"), CARD, "driver is too old"),
        (
            TorchReport("2.13.0", "13.0", kind="cuda", name="GTX 970", capability="5.2", built_for=("sm_75", "sm_80")),
            CARD,
            "not built for a card like the GTX 970",
        ),
        (TorchReport("2.13.0", "13.0", kind="cuda", fault="no kernel image is available"), CARD, "no kernel image"),
    ],
)
def test_a_build_that_does_not_fit_the_card_is_wrong(report: TorchReport, machine: Machine, words: str) -> None:
    (found,) = device._build(report, machine)
    assert found.state == "wrong"
    assert words in found.text
    assert found.remedy


@pytest.mark.parametrize(
    ("capability", "built_for", "fits"),
    [
        ("8.6", ("sm_80", "sm_90"), True),
        ("8.9", ("sm_90",), False),
        ("12.0", ("sm_80", "compute_90"), True),
        ("7.0", ("sm_75", "compute_75"), False),
        ("10.3", ("sm_100a",), True),
        ("9.0", ("gfx1100",), True),
    ],
)
def test_binaries_run_on_later_minor_versions_and_ptx_on_all_later_ones(
    capability: str, built_for: tuple[str, ...], fits: bool
) -> None:
    report = TorchReport("2.13.0", cuda="13.0", kind="cuda", capability=capability, built_for=built_for)
    assert (device._build(report, CARD)[0].state == "good") == fits


def test_a_processor_with_its_build_is_in_order() -> None:
    assert device._build(TorchReport("2.13.0+cpu"), PROCESSOR)[0].state == "good"


def test_a_slow_link_is_told() -> None:
    slow, quick = (
        device._device(TorchReport("2.13.0", "13.0", kind="cuda", name="Card", total=8 * GIB, link=rate))[-1]
        for rate in (1.6e9, 24e9)
    )
    assert (slow.topic, slow.state, quick.state) == ("link", "note", "good")
    assert slow.figures == {"bytes_per_second": 1.6e9}


def test_a_folder_that_cannot_be_written_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = disk.folders({"models": tmp_path / "file", "settings": tmp_path})
    assert [finding.state for finding in found] == ["wrong"]
    assert "folder for models" in found[0].text
    assert disk.folders({"models": tmp_path / "made later" / "models"})[0].state == "good"


def test_the_disk_is_measured_and_left_as_it_was(tmp_path: Path) -> None:
    found = disk.speed(tmp_path / "models", 8 * 2**20)
    assert found.figures["read_bytes_per_second"] > 1e6
    assert found.figures["write_bytes_per_second"] > 1e5
    assert not list(tmp_path.rglob("*"))


def test_missing_window_libraries_are_named_with_the_command() -> None:
    def load(name: str) -> None:
        if name == "libxcb-cursor.so.0":
            raise OSError(name)

    found = programs.window_libraries(load, "linux")
    assert (found.state, found.remedy) == ("wrong", "sudo apt-get install libxcb-cursor0")
    assert programs.window_libraries(lambda name: None, "linux").state == "good"


def test_the_hub_is_told_from_a_port_that_nobody_listens_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        assert programs.hub().state == "good"
        server.settimeout(5)
        connection, _ = server.accept()
        assert connection.recv(1) == b""  # it was opened and closed; nothing was said
        connection.close()
    found = programs.hub()
    assert found.state == "note"
    assert "is not reached" in found.text
    monkeypatch.setenv("HF_ENDPOINT", "nonsense")
    assert programs.hub().state == "wrong"


def test_a_check_that_breaks_is_a_finding_and_the_rest_goes_on() -> None:
    def broken() -> Finding:
        raise ZeroDivisionError("in the check")

    begun: list[tuple[str, float]] = []
    fine = Finding("last", "good", "Fine.")
    found = list(examine({"first": broken, "last": lambda: fine}, lambda *told: begun.append(told)))
    assert [finding.state for finding in found] == ["note", "good"]
    assert "ZeroDivisionError" in found[0].text
    assert begun == [("first", 0.0), ("last", 0.5)]


def test_every_wrong_finding_has_its_remedy_in_the_text() -> None:
    text = as_text([Finding("torch", "wrong", "It cannot.", "Do this."), Finding("clips", "good", "Good.")])
    assert text.splitlines() == ["✗ torch: It cannot.", "    → Do this.", "✓ clips: Good.", "To be mended: 1."]


def test_without_network_the_hub_is_left_alone(tmp_path: Path) -> None:
    places = Places({"models": tmp_path}, tmp_path, tmp_path)
    assert "hub" in checks(places)
    assert "hub" not in checks(places, network=False)
    assert msgspec.json.encode([check() for name, check in checks(places, False).items() if name == "packages"])
