"""“Make larger” in the window: onto the queue, through the engine, into the gallery."""

from pytestqt.qtbot import QtBot

from ui.window.main_window import MainWindow


def test_a_result_is_made_larger_and_shown(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_.action("generate").trigger()
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=20_000)
    first = window.session.item
    assert first is not None
    menu = window.enlarging.make_menu()
    assert menu is not None
    next(action for action in menu.actions() if not action.isSeparator()).trigger()
    qtbot.waitUntil(lambda: window.session.item is not None and window.session.item.id != first.id, timeout=20_000)
    larger = window.session.item
    assert larger is not None and larger.derivation is not None
    assert larger.derivation.source.path == first.path.name and larger.recipe == first.recipe
    assert larger.path.stem == f"{first.path.stem}_x2"
