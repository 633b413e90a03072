"""The window without a screen: a theme, two small models, and a window over a scripted engine."""

from __future__ import annotations

import gc
import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.composition import make_window
from app.logs import Logs
from app.paths import Paths
from app.settings import SettingsFile
from engine.models.installed import InstalledModel
from engine.protocol.family_info import ModelDefaults, ModelInfo
from ui.session import Session
from ui.theme import Theme
from ui.window.main_window import MainWindow

FAKE_ENGINE = Path(__file__).resolve().parents[1] / "fakes" / "fake_engine.py"
MINI_IMAGE = ModelInfo(
    id="laterna-mini-image",
    name="Laterna Mini Image",
    family="sd35",
    kind="image",
    defaults=ModelDefaults(
        width=128, height=128, steps=20, guidance=3.0, sampler="euler", scheduler="normal", shift=1.0
    ),
    sizes=((128, 128), (64, 64)),
    examples=("a red apple on the left",),
    vocabulary=("a", "red", "apple", "on the left"),
)
MINI_VIDEO = ModelInfo(
    id="laterna-mini-video",
    name="Laterna Mini Video",
    family="cogvideox",
    kind="video",
    defaults=ModelDefaults(
        width=96, height=96, frames=9, fps=8, steps=20, guidance=3.0, sampler="ddim", scheduler="trailing"
    ),
    sizes=((96, 96),),
)
PIPELINES = {"sd35": "StableDiffusion3Pipeline", "cogvideox": "CogVideoXPipeline"}


@pytest.fixture(scope="session")
def _dressed(qapp: QApplication) -> Theme:
    theme = Theme("dark")
    theme.apply(qapp)
    return theme


@pytest.fixture
def theme(_dressed: Theme) -> Theme:
    """The one theme of the tests (dressing the application takes long), dark at the start of each."""
    _dressed.set_mode("dark")
    return _dressed


@pytest.fixture
def models(tmp_path: Path) -> tuple[InstalledModel, ...]:
    return tuple(InstalledModel(info, tmp_path / info.id) for info in (MINI_IMAGE, MINI_VIDEO))


@pytest.fixture
def session(qapp: QApplication, models: tuple[InstalledModel, ...]) -> Session:
    session = Session("image")
    session.set_models(models)
    return session


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A home with both small models, as far as the window looks at them."""
    paths = Paths.find(str(tmp_path / "home"))
    paths.create()
    for info in (MINI_IMAGE, MINI_VIDEO):
        folder = paths.models / info.id
        folder.mkdir(parents=True)
        (folder / "model_index.json").write_text(json.dumps({"_class_name": PIPELINES[info.family]}))
        (folder / "laterna.json").write_bytes(msgspec.json.encode(info))
    return paths


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file without a recipe."""
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(QColor("teal"))
    path = tmp_path / "holiday.jpg"
    assert image.save(str(path))
    return path


OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def open_window(qtbot: QtBot, theme: Theme, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenWindow]:
    """``open_window(*engine options, until_ready=True)``; every window is closed, and no process stays.

    Prompts go to the engine as they are written: its stand-in is told by their words what to do, and no model knows
    those.
    """
    monkeypatch.setattr("ui.prompt_tools._known", lambda recipe, info: recipe.prompt)
    opened: list[MainWindow] = []

    def open_it(*options: str, until_ready: bool = True, logs: Logs | None = None) -> MainWindow:
        file = SettingsFile(paths.settings_file)
        settings = file.load()
        theme.set_mode("dark" if settings.theme == "system" else settings.theme)
        window = make_window(paths, theme, settings, file, [sys.executable, str(FAKE_ENGINE), *options], logs)
        opened.append(window)
        # The embedded models are not these tests' business.
        window.links.find_models = lambda: tuple(
            InstalledModel(info, paths.models / info.id) for info in (MINI_IMAGE, MINI_VIDEO)
        )
        window.show()
        if until_ready:
            qtbot.waitUntil(lambda: window.session.engine.state == "ready" and window.view is not None, timeout=20_000)
            qtbot.waitUntil(lambda: window.session.model is not None and window.queue is not None, timeout=20_000)
        return window

    yield open_it
    QApplication.clipboard().clear()  # the offscreen platform would let go of it after Python has ended, and crash
    for window in opened:
        window.shut_down()
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # processEvents leaves those for the event loop
    QApplication.processEvents()
    opened.clear()
    gc.collect()  # here and now, so that no other thread's collection destroys what is left of a window
    left = [
        child for child in psutil.Process().children(recursive=True) if FAKE_ENGINE.name in " ".join(child.cmdline())
    ]
    assert not left


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    return open_window()


def say(window: MainWindow) -> str:
    """Everything that the window says now."""
    return "\n".join(message.text for message in window.messages.messages())
