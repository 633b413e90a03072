"""The examination in the window: shown as it is found, in the person's language, and copied in the command's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from engine.doctor import device, disk, programs
from engine.doctor.device import TorchReport
from engine.doctor.finding import Finding, good, note, wrong
from engine.memory.machine import GIB, Machine
from resources import TRANSLATIONS
from tests.ui.conftest import OpenWindow
from ui.background import Background
from ui.sentences import Sentences
from ui.window.examining import WORDS, ExaminationDialog

FOUND = [
    good("packages", "Everything was found."),
    wrong("torch", "This computer has a RTX 3060, which this build cannot use.", "Update the NVIDIA driver."),
    note("keyring", "There is no keyring; a token is kept in a file that only you can read."),
]


def scripted(network: bool, begun: Callable[[str, float], None]) -> Iterator[Finding]:
    begun("packages", 0.5)
    yield from FOUND
    if network:
        yield good("hub", "hub.example answers in 3 ms.")


def test_what_is_wrong_comes_first_and_is_copied(qtbot: QtBot) -> None:
    background = Background(1)
    dialog = ExaminationDialog(scripted, background)
    qtbot.addWidget(dialog)
    dialog.open()
    qtbot.waitUntil(dialog.copy_button.isEnabled, timeout=5_000)
    texts = [shown.text() for shown in dialog.scroll.findChildren(QLabel)]
    assert texts[:3] == ["✗", "torch", f"{FOUND[1].text}\n{FOUND[1].remedy}"]
    assert dialog.doing.text().startswith("To be mended: 1.")
    dialog.copy_button.click()
    copied = QApplication.clipboard().text()
    assert "✗ torch: This computer has a RTX 3060" in copied and "→ Update the NVIDIA driver." in copied
    assert "hub.example" not in copied, "the network is tried only when asked for"
    dialog.network.setChecked(True)
    dialog.again_button.click()
    qtbot.waitUntil(dialog.copy_button.isEnabled, timeout=5_000)
    dialog.copy_button.click()
    assert "hub.example" in QApplication.clipboard().text()
    background.close()


def test_the_menu_opens_it_over_the_real_machine(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window()
    window.actions_.action("examine").trigger()
    [dialog] = window.findChildren(ExaminationDialog)
    qtbot.waitUntil(dialog.copy_button.isEnabled, timeout=120_000)
    dialog.copy()
    assert "PyTorch" in QApplication.clipboard().text()


def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Finding]:
    """Of every kind that can be made on one machine."""
    card = Machine("cuda", 32 * GIB, 16 * GIB, 12 * GIB, 11 * GIB, "RTX 3060")
    full = TorchReport("2.13.0", "13.0", kind="cuda", name="RTX", total=8 * GIB, free=GIB, driver="580.1", link=1e9)
    old = TorchReport("2.13.0", "13.0", kind="cuda", name="GTX 970", capability="5.2", built_for=("sm_75",))
    for report in (
        full,
        old,
        TorchReport("2.13.0", name="CPU"),
        TorchReport("2.13.0", cuda="13.0", name="CPU"),
        TorchReport("2.13.0", cuda="13.0", kind="cuda", fault="no kernel image is available"),
        TorchReport("2.13.0", kind="mps", name="M4", attention=("flash",), native_bf16=True, float8_products=True),
    ):
        yield from device._build(report, card)
        yield from device._device(report)
        yield from device._kernels(report)
    (tmp_path / "file").write_text("")
    yield from disk.folders({"models": tmp_path / "file"})
    yield from disk.folders({"models": tmp_path})
    yield from disk.space(tmp_path, tmp_path)
    yield disk.speed(tmp_path, 2**20)
    yield from (programs.packages(), programs.clip_encoder(), programs.keyring())
    yield from (programs.window_libraries(lambda name: name, platform) for platform in ("linux", "win32"))

    def lacks(name: str) -> None:
        raise OSError(name)

    yield programs.window_libraries(lacks, "linux")
    for proxy in ("", "http://127.0.0.1:1"):
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1" if not proxy else "https://hub.example")
        yield programs.hub(0.5)


def test_every_finding_can_be_said_in_another_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sentence is recognised, so none stays English between translated ones."""
    sentences = Sentences(TRANSLATIONS / "sentences.json", translate=lambda text: f"«{text}»")
    for finding in findings(tmp_path, monkeypatch):
        for text in (finding.text, finding.remedy):
            if text and not text.startswith("sudo "):
                for one in re.split(r"(?<=[.!?])\s+(?=\S)", text):
                    assert sentences.sentence(one) != one, one
        assert finding.topic == "torch" or finding.topic in WORDS
