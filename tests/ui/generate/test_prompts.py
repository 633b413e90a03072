"""The prompt editor: counts, cuts, weights, undo, completion, history, styles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import EMBEDDED_MODELS
from engine.models.installed import open_folder
from engine.prompt.styles import StyleStore
from engine.prompt.wildcards import Wildcards
from engine.protocol.recipe import Recipe
from resources import STYLES
from ui.generate.panel import GeneratePanel
from ui.generate.style_editor import StyleEditor
from ui.prompt_tools import PromptTools
from ui.session import Session
from ui.theme import Theme

READS_ANYTHING = msgspec.structs.replace(open_folder(EMBEDDED_MODELS / "laterna-mini-image").info, vocabulary=())
CONTROL = Qt.KeyboardModifier.ControlModifier


class Prompts:
    """A library of prompts."""

    def __init__(self, *prompts: str) -> None:
        self._prompts = prompts

    def prompts(self, text: str = "", limit: int = 50) -> list[str]:
        return [prompt for prompt in self._prompts if text.casefold() in prompt.casefold()][:limit]


@pytest.fixture
def tools(qtbot: QtBot, tmp_path: Path) -> Iterator[PromptTools]:
    (tmp_path / "wildcards").mkdir()
    (tmp_path / "wildcards" / "animal.txt").write_text("owl\ncat\n")
    tools = PromptTools(StyleStore(STYLES, tmp_path / "styles"), Wildcards(tmp_path / "wildcards"))
    tools.attach_library(Prompts("a red apple, soft light", "an owl, soft light from the left"))
    with qtbot.waitSignal(tools.changed):
        tools.load()
    yield tools
    tools.close()


@pytest.fixture
def real_session(qapp: QApplication) -> Session:
    """With the models that ship, whose tokenizers can be read."""
    session = Session("image")
    session.set_models(tuple(open_folder(EMBEDDED_MODELS / f"laterna-mini-{kind}") for kind in ("image", "video")))
    return session


@pytest.fixture
def panel(qtbot: QtBot, real_session: Session, tools: PromptTools, theme: Theme) -> Iterator[GeneratePanel]:
    panel = GeneratePanel(real_session, theme=theme, tools=tools)
    qtbot.addWidget(panel)
    panel.resize(345, 870)
    panel.show()
    panel.activateWindow()
    panel.prompts.prompt.setFocus()
    qtbot.waitUntil(panel.prompts.prompt.hasFocus)
    yield panel
    panel.close_down()


def underlined(panel: GeneratePanel, style: QTextCharFormat.UnderlineStyle) -> str:
    """What is underlined in that way."""
    edit = panel.prompts.prompt
    found = [
        edit.text()[part.start : part.start + part.length]
        for part in edit.document().firstBlock().layout().formats()
        if part.format.underlineStyle() == style
    ]
    return "".join(found)


def select(panel: GeneratePanel, words: str) -> None:
    edit = panel.prompts.prompt
    cursor = edit.textCursor()
    cursor.setPosition(edit.text().index(words))
    cursor.setPosition(edit.text().index(words) + len(words), QTextCursor.MoveMode.KeepAnchor)
    edit.setTextCursor(cursor)


def test_tokens_are_counted_for_each_encoder(qtbot: QtBot, panel: GeneratePanel) -> None:
    qtbot.keyClicks(panel.prompts.prompt, "a red apple")
    qtbot.waitUntil(lambda: panel.prompts.counter.text_whole() == "CLIP 3/22  ·  T5 3/23")
    assert "CLIP-G reads 3 of at most 22 tokens" in panel.prompts.counter.toolTip()
    panel.prompts.prompt.replace_text("")
    qtbot.waitUntil(lambda: panel.prompts.counter.text_whole() == "")


def test_what_is_cut_off_is_underlined_and_said(qtbot: QtBot, panel: GeneratePanel) -> None:
    panel.prompts.prompt.replace_text("a red apple on the left " * 4 + "and an owl")
    qtbot.waitUntil(lambda: "27/22" in panel.prompts.counter.text_whole())
    dashed = QTextCharFormat.UnderlineStyle.DashUnderline
    assert underlined(panel, dashed) == "left and an owl"[-len(underlined(panel, dashed)) :]
    assert underlined(panel, dashed).endswith("and an owl")
    assert underlined(panel, QTextCharFormat.UnderlineStyle.DotLine)
    assert panel.prompts.counter.property("over") and "up to" in panel.prompts.counter.toolTip()


def test_a_model_without_tokenizers_counts_words(qtbot: QtBot, session: Session, theme: Theme) -> None:
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    panel.prompts.prompt.replace_text("a red apple")
    qtbot.waitUntil(lambda: panel.prompts.counter.text_whole() in ("3 words", ""))
    panel.close_down()


def test_weights_by_key_switch_their_reading_on(qtbot: QtBot, panel: GeneratePanel, real_session: Session) -> None:
    panel.prompts.prompt.replace_text("a red apple")
    select(panel, "red apple")
    for _ in range(3):
        qtbot.keyClick(panel.prompts.prompt, Qt.Key.Key_Up, CONTROL)
    assert panel.prompts.prompt.text() == "a (red apple:1.15)"
    assert real_session.draft.recipe.text_encoding == "comfyui"
    assert real_session.draft.recipe.prompt == "a (red apple:1.15)"
    qtbot.waitUntil(lambda: panel.prompts.counter.text_whole() == "CLIP 3  ·  T5 3")
    for _ in range(3):
        qtbot.keyClick(panel.prompts.prompt, Qt.Key.Key_Down, CONTROL)
    assert panel.prompts.prompt.text() == "a red apple"


def test_a_model_that_reads_no_weights_says_so(qtbot: QtBot, panel: GeneratePanel, real_session: Session) -> None:
    real_session.set_kind("video")
    panel.prompts.prompt.replace_text("a red apple")
    select(panel, "red")
    qtbot.keyClick(panel.prompts.prompt, Qt.Key.Key_Up, CONTROL)
    assert panel.prompts.prompt.text() == "a red apple"
    assert "no weights" in panel.prompts.unknown.text()


def test_undo_survives_another_kind_and_another_model(
    qtbot: QtBot, panel: GeneratePanel, real_session: Session
) -> None:
    edit = panel.prompts.prompt
    edit.replace_text("one")
    edit.replace_text("two")
    real_session.set_kind("video")
    edit.replace_text("a clip")
    real_session.set_kind("image")
    assert edit.text() == "two"
    edit.undo()
    assert edit.text() == "one"
    real_session.restore(Recipe(family="sd35", model="laterna-mini-image", prompt="restored"))
    edit.undo()
    assert edit.text() == "one" and real_session.draft.recipe.prompt == "one"
    real_session.set_kind("video")
    assert edit.text() == "a clip"


def test_wildcards_and_words_complete_with_tab(qtbot: QtBot, panel: GeneratePanel) -> None:
    edit = panel.prompts.prompt
    qtbot.keyClicks(edit, "an __an")
    qtbot.waitUntil(lambda: not edit.suggestions.isHidden())
    qtbot.keyClick(edit, Qt.Key.Key_Tab)
    assert edit.text() == "an __animal__" and edit.hasFocus()
    qtbot.keyClicks(edit, " ba")  # a word of the model's vocabulary
    qtbot.waitUntil(lambda: not edit.suggestions.isHidden())
    first = edit.suggestions.item(0).text()
    qtbot.keyClick(edit, Qt.Key.Key_Down)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert edit.text() == f"an __animal__ {first}" and edit.suggestions.isHidden()


def test_phrases_of_earlier_prompts_complete(qtbot: QtBot, panel: GeneratePanel, real_session: Session) -> None:
    edit = panel.prompts.prompt
    found = real_session.all_models[0]
    speaks_freely = msgspec.structs.replace(found.info, vocabulary=())
    real_session.set_models((msgspec.structs.replace(found, info=speaks_freely),))
    qtbot.keyClicks(edit, "a cat, soft")
    qtbot.waitUntil(lambda: not edit.suggestions.isHidden())
    offered = [edit.suggestions.item(row).text() for row in range(edit.suggestions.count())]
    assert offered == ["soft light", "soft light from the left"]
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert edit.suggestions.isHidden() and edit.text() == "a cat, soft"


def test_typing_on_narrows_what_is_offered_at_once(qtbot: QtBot, panel: GeneratePanel) -> None:
    edit = panel.prompts.prompt
    qtbot.keyClicks(edit, "__an")
    qtbot.waitUntil(lambda: not edit.suggestions.isHidden())
    qtbot.keyClicks(edit, "i")
    assert not edit.suggestions.isHidden()
    qtbot.keyClicks(edit, "x")
    assert edit.suggestions.isHidden()
    qtbot.keyClick(edit, Qt.Key.Key_Backspace)
    qtbot.keyClicks(edit, "m")
    qtbot.waitUntil(lambda: not edit.suggestions.isHidden())
    qtbot.keyClick(edit, Qt.Key.Key_Tab)
    assert edit.text() == "__animal__"


def test_history_is_searched_and_used(qtbot: QtBot, panel: GeneratePanel) -> None:
    history = panel.prompts.history
    panel.prompts.prompt.replace_text("mine")
    panel.prompts.open_history()
    qtbot.waitUntil(lambda: history.list.count() == 2)
    qtbot.keyClicks(history.search, "apple")
    qtbot.waitUntil(lambda: history.list.count() == 1)
    qtbot.keyClick(history.search, Qt.Key.Key_Return)
    assert panel.prompts.prompt.text() == "a red apple, soft light" and history.isHidden()
    panel.prompts.prompt.undo()
    assert panel.prompts.prompt.text() == "mine"


def test_a_style_is_chosen_counted_and_written_out(qtbot: QtBot, panel: GeneratePanel, real_session: Session) -> None:
    panel.prompts.prompt.replace_text("an owl")
    qtbot.waitUntil(lambda: panel.prompts.counter.text_whole().startswith("CLIP 2/"))
    panel.prompts.style_button.style_chosen.emit("line-art")
    assert real_session.draft.style == "line-art" and panel.prompts.style_button.text() == "Style: Line art"
    assert real_session.draft.recipe.prompt == "an owl"
    qtbot.waitUntil(lambda: not panel.prompts.counter.text_whole().startswith("CLIP 2/"))
    panel.prompts.style_button.write_wanted.emit()
    assert real_session.draft.style == ""
    assert real_session.draft.recipe.prompt.startswith("line art of an owl,")
    panel.prompts.prompt.undo()
    assert panel.prompts.prompt.text() == "an owl"


def test_every_job_gets_texts_of_its_own(qtbot: QtBot, panel: GeneratePanel, tools: PromptTools) -> None:
    draft = panel.read().with_recipe(prompt="a {red|blue} __animal__", seed=5).replace(count=8, style="photo")
    made: list[list[tuple[str, str]]] = []
    tools.texts(draft, READS_ANYTHING, made.append, lambda error: pytest.fail(str(error)))
    qtbot.waitUntil(lambda: bool(made))
    prompts = [prompt for prompt, _negative in made[0]]
    assert len(prompts) == 8 and len(set(prompts)) > 2
    assert all(prompt.startswith("photo of a ") and "{" not in prompt and "__" not in prompt for prompt in prompts)
    tools.texts(draft.with_recipe(prompt="plain").replace(style=""), READS_ANYTHING, made.append, lambda error: None)
    assert made[1] == []


def test_jobs_get_words_that_the_model_knows(
    qtbot: QtBot, panel: GeneratePanel, real_session: Session, tools: PromptTools
) -> None:
    draft = panel.read().with_recipe(prompt="two dragons and no cat", seed=5).replace(count=2)
    made: list[list[tuple[str, str]]] = []
    tools.texts(draft, real_session.model.info, made.append, lambda error: pytest.fail(str(error)))
    qtbot.waitUntil(lambda: bool(made))
    assert [prompt for prompt, _negative in made[0]] == ["dinosaur"] * 2
    tools.texts(draft.with_recipe(prompt="an owl"), real_session.model.info, made.append, lambda error: None)
    qtbot.waitUntil(lambda: len(made) == 2)
    assert made[1] == []


def test_braces_of_a_restored_recipe_are_plain(panel: GeneratePanel, real_session: Session, tools: PromptTools) -> None:
    real_session.restore(Recipe(family="sd35", model="laterna-mini-image", prompt="a {red|blue} cat"))
    made: list[list[tuple[str, str]]] = []
    tools.texts(real_session.draft, real_session.model.info, made.append, lambda error: None)
    QApplication.processEvents()
    assert panel.prompts.prompt.text() == r"a \{red\|blue\} cat"


def test_own_styles_are_written_in_the_editor(qtbot: QtBot, panel: GeneratePanel, tools: PromptTools) -> None:
    editor = StyleEditor(tools, "photo", panel)
    qtbot.addWidget(editor)
    editor.show()
    assert editor.name.text() == "Photo" and not editor.remove.isEnabled() and not editor.save.isEnabled()
    editor.new.click()
    editor.name.setText("Mine")
    editor.prompt.setPlainText("{prompt}, my way")
    with qtbot.waitSignal(tools.changed):
        editor.save.click()
    assert tools.style("mine") is not None and tools.style("mine").prompt == "{prompt}, my way"
    assert editor.name.text() == "Mine" and editor.remove.isEnabled()
    with qtbot.waitSignal(tools.changed):
        editor.remove.click()
    assert tools.style("mine") is None


def test_every_style_that_ships_has_a_name_to_translate(tools: PromptTools) -> None:
    from ui.generate.style_menu import NAMES

    assert {style.name for style in tools.styles} == set(NAMES)
