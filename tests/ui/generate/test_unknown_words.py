"""Unknown words are named under the prompt, and known ones are a click away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.prompt.known_words import UnknownWord
from ui.generate.unknown_words import UnknownWordsLabel
from ui.theme import Theme


def test_a_link_takes_the_known_word(qtbot: QtBot, theme: Theme) -> None:
    line = UnknownWordsLabel(theme=theme)
    qtbot.addWidget(line)
    line.show_words([UnknownWord("o'clock", ("clock", "key")), UnknownWord("<b>", ())])
    assert not line.isHidden()
    assert "&lt;b&gt;" in line.text()
    with qtbot.waitSignal(line.chosen) as told:
        line.linkActivated.emit(line.text().split('href="')[1].split('"')[0])
    assert told.args == ["o'clock", "clock"]
    assert "o'clock, <b>" in line.accessibleName()
    line.show_words([])
    assert line.isHidden()


def test_a_hint_is_plain_text(qtbot: QtBot, theme: Theme) -> None:
    line = UnknownWordsLabel(theme=theme)
    qtbot.addWidget(line)
    line.show_words([UnknownWord("a", ("b",))])
    line.show_hint("<i>no weights</i>")
    assert line.textFormat() == Qt.TextFormat.PlainText
    assert line.text() == "<i>no weights</i>"
