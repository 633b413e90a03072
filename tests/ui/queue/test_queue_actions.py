"""The queue from the window: what is taken out, cancelled or edited can be taken back."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from tests.ui.conftest import say
from ui.queue.variations import Variations
from ui.window.main_window import MainWindow

OpenWindow = Callable[..., MainWindow]
LONG = 20_000


def prompts(window: MainWindow) -> list[str]:
    return [job.recipe.prompt for job in window.session.jobs]


def queue_three(qtbot: QtBot, window: MainWindow) -> None:
    window.queue_actions.set_paused(True)
    qtbot.waitUntil(lambda: window.session.queue_paused, timeout=LONG)
    for text in "abc":
        window.session.edit(window.session.draft.with_recipe(prompt=text))
        window.form.show_draft()
        window.actions_.generate()
    qtbot.waitUntil(lambda: len(window.session.jobs) == 3, timeout=LONG)


def test_take_out_undo_and_edit(qtbot: QtBot, window: MainWindow) -> None:
    queue_three(qtbot, window)
    assert prompts(window) == ["a", "b", "c"]
    window.queue.remove_requested.emit([window.session.jobs[1].id])
    qtbot.waitUntil(lambda: prompts(window) == ["a", "c"] and "taken out" in say(window), timeout=LONG)
    window.actions_.undo()
    qtbot.waitUntil(lambda: prompts(window) == ["a", "b", "c"], timeout=LONG)

    job = window.session.jobs[1]
    window.queue_actions.edit(job)
    assert window.form.prompts.prompt.text() == "b"
    assert window.form.generate_button.text() == "Put back into the queue"
    qtbot.waitUntil(lambda: window.session.jobs[1].state == "paused", timeout=LONG)
    window.queue_actions.leave_edit()
    assert window.form.prompts.prompt.text() == "c"
    qtbot.waitUntil(lambda: window.session.jobs[1].state == "waiting", timeout=LONG)

    window.queue_actions.edit(window.session.jobs[1])
    window.session.edit(window.session.draft.with_recipe(prompt="changed"))
    window.actions_.generate()
    qtbot.waitUntil(lambda: prompts(window) == ["a", "changed", "c"], timeout=LONG)
    assert window.session.editing is None and window.session.jobs[1].state == "waiting"

    window.actions_.clear_queue()
    qtbot.waitUntil(lambda: prompts(window) == [], timeout=LONG)
    window.actions_.undo()
    qtbot.waitUntil(lambda: prompts(window) == ["a", "changed", "c"], timeout=LONG)


def test_a_cancelled_job_goes_on_by_its_message(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window("--step-seconds", "0.2")
    window.actions_.generate()
    qtbot.waitUntil(lambda: bool(window.session.progress and window.session.progress.step >= 2), timeout=LONG)
    (id,) = [job.id for job in window.session.jobs]
    window.actions_.cancel()
    qtbot.waitUntil(lambda: "Cancelled at step" in say(window), timeout=LONG)
    qtbot.waitUntil(lambda: [job.id for job in window.queue.model.stopped] == [id], timeout=LONG)
    window.actions_.undo()
    qtbot.waitUntil(lambda: window.session.running is not None and window.session.running.id == id, timeout=LONG)
    assert window.session.running.saved_step >= 2


def test_every_combination_of_the_alternatives_is_queued(qtbot: QtBot, window: MainWindow) -> None:
    window.queue_actions.set_paused(True)
    form = window.form
    form.prompts.prompt.replace_text("a {red|blue|green} apple {on the left|on the right}")
    qtbot.waitUntil(lambda: "all 6" in form.prompts.combinations.text(), timeout=LONG)
    form.prompts.combinations.click()
    (dialog,) = window.findChildren(Variations)
    qtbot.waitUntil(lambda: dialog.queue.text() == "Queue 6 jobs", timeout=LONG)
    assert not dialog.first.values.isEnabled()
    dialog.queue.click()
    qtbot.waitUntil(lambda: len(window.session.jobs) == 6, timeout=LONG)
    assert {job.recipe.prompt for job in window.session.jobs} == {
        f"a {colour} apple on the {side}" for colour in ("red", "blue", "green") for side in ("left", "right")
    }


def test_too_many_combinations_are_refused_with_their_number(qtbot: QtBot, window: MainWindow) -> None:
    window.form.prompts.prompt.replace_text("{a|b|c|d}" * 6)
    window.pages.show_combinations()
    (dialog,) = window.findChildren(Variations)
    qtbot.waitUntil(lambda: "4,096" in dialog.note.text(), timeout=LONG)
    assert not dialog.queue.isEnabled()


def test_combinations_that_come_after_the_window_was_closed_are_let_go(qtbot: QtBot, window: MainWindow) -> None:
    window.form.prompts.prompt.replace_text("a {red|blue} apple")
    window.pages.show_combinations()
    (dialog,) = window.findChildren(Variations)
    gone: list[bool] = []
    dialog.destroyed.connect(lambda: gone.append(True))
    dialog.close()
    window.form.prompts.prompt.replace_text("a {red|blue|green} apple")
    qtbot.waitUntil(lambda: bool(gone) and "all 3" in window.form.prompts.combinations.text(), timeout=LONG)


def test_prompts_of_a_grid_draw_their_alternatives(qtbot: QtBot, window: MainWindow) -> None:
    window.queue_actions.set_paused(True)
    window.pages.show_variations()
    (dialog,) = window.findChildren(Variations)
    dialog.first.field.setCurrentIndex(dialog.first.field.findData("prompt"))
    dialog.first.values.setText("a {red|blue} apple | an owl")
    dialog.check()
    dialog.queue.click()
    qtbot.waitUntil(lambda: len(window.session.jobs) == 2, timeout=LONG)
    first, second = (job.recipe.prompt for job in window.session.jobs)
    assert first in ("a red apple", "a blue apple") and second == "an owl"


def test_variations_go_to_the_queue_as_a_group(qtbot: QtBot, window: MainWindow) -> None:
    window.queue_actions.set_paused(True)
    window.pages.show_variations()
    (dialog,) = window.findChildren(Variations)
    dialog.second.field.setCurrentIndex(dialog.second.field.findData("guidance"))
    dialog.second.values.setText("oh")
    dialog.check()
    for control in (dialog.first.field, dialog.first.values, dialog.queue):
        assert control.accessibleName()
    assert not dialog.queue.isEnabled() and "no value" in dialog.note.text()
    dialog.second.values.setText("2, 3")
    dialog.check()
    assert dialog.note.text().startswith("8 jobs")
    dialog.queue.click()
    qtbot.waitUntil(lambda: len(window.session.jobs) == 8, timeout=LONG)
    assert {job.recipe.guidance for job in window.session.jobs} == {2.0, 3.0}
    assert window.queue.model.rowCount() == 1
