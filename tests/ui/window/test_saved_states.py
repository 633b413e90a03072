"""What the window says of the state that an interrupted job was to go on from."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from app.paths import Paths
from ui.window.main_window import MainWindow

REFUSED = "The saved state of this job is not used: it is damaged. The job starts over."


def test_a_state_that_cannot_be_used_is_told_and_the_job_starts_over(
    qtbot: QtBot, open_window: Callable[..., MainWindow], paths: Paths
) -> None:
    window = open_window("--step-seconds", "0.05")
    model, link = window.session.model, window.link
    link.submit(model.info.recipe("a red apple").replace(steps=200), str(model.folder))
    folder = paths.data / "checkpoints"
    qtbot.waitUntil(lambda: folder.is_dir() and any(folder.glob("*.safetensors")), timeout=20_000)
    link.pause_queue()
    qtbot.waitUntil(lambda: [job.state for job in window.session.jobs] == ["waiting"], timeout=20_000)
    (saved,) = folder.iterdir()
    saved.write_bytes(b"nonsense")
    link.resume_queue()
    qtbot.waitUntil(lambda: REFUSED in [message.text for message in window.messages.messages()], timeout=20_000)
    qtbot.waitUntil(lambda: [job.state for job in window.session.jobs] == ["running"], timeout=20_000)
