from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.models.catalog import FAMILIES
from engine.models.installed import InstalledModel
from engine.protocol.conditioning import GuidancePoint, Range
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from ui.draft import Draft
from ui.generate.panel import GeneratePanel
from ui.generate.seed_field import seed_text
from ui.session import Session
from ui.theme import Theme

PICTURE = Recipe(
    family="sd35",
    model="laterna-mini-image",
    prompt="two lines\nand „quotes“ — ünïcode 🦉",
    negative_prompt="blur",
    negative_range=Range(0.1, 0.735),
    width=208,
    height=64,
    steps=33,
    guidance=3.456,
    shift=1.2345,
    seed=2**63 - 1,
    batch=2,
    use_t5=False,
    max_sequence_length=77,
    skip_layer_guidance=SkipLayerGuidance(scale=2.5, layers=(1, 3), start=0.05, end=0.3, window="sigma"),
    guidance_schedule=(GuidancePoint(0.5, 2.0),),
    latents="model",
)
CLIP = Recipe(
    family="cogvideox",
    model="laterna-mini-video",
    prompt="an owl flies to the left",
    width=96,
    height=112,
    frames=17,
    fps=12,
    steps=9,
    guidance=6.0,
    dynamic_guidance=True,
    sampler="dpm",
    scheduler="trailing",
    shift=1.0,
    seed=0,
    max_sequence_length=226,
)


@pytest.fixture
def panel(qtbot: QtBot, session: Session, theme: Theme) -> GeneratePanel:
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    panel.resize(345, 870)
    panel.show()
    return panel


@pytest.mark.parametrize("recipe", [PICTURE, CLIP], ids=["sd35", "cogvideox"])
def test_form_gives_back_the_recipe(panel: GeneratePanel, session: Session, recipe: Recipe) -> None:
    session.restore(recipe)
    assert panel.read() == Draft(recipe, count=1, random_seed=False)
    assert panel.parameters.seed.line.text() == seed_text(recipe.seed)


def test_model_hashes_do_not_bind_a_new_generation(panel: GeneratePanel, session: Session) -> None:
    session.restore(PICTURE.replace(model_hashes={"transformer": "abc"}))
    assert panel.read().recipe.model_hashes == {}


def test_typing_reaches_the_draft(qtbot: QtBot, panel: GeneratePanel, session: Session) -> None:
    with qtbot.waitSignal(session.draft_edited):
        qtbot.keyClicks(panel.prompts.prompt, "an owl")
    panel.parameters.steps.spin.setValue(11)
    panel.parameters.guidance.slider.setValue(45)
    panel.parameters.count.setValue(4)
    draft = session.draft
    assert (draft.recipe.prompt, draft.recipe.steps, draft.recipe.guidance, draft.count) == ("an owl", 11, 4.5, 4)
    assert panel.generate_button.text() == "Generate 4 images"


def test_each_kind_keeps_its_own_draft(panel: GeneratePanel, session: Session) -> None:
    panel.prompts.prompt.replace_text("a picture")
    panel.parameters.steps.spin.setValue(12)
    panel.kind.button("video").click()
    assert session.kind == "video" and session.draft.recipe.model == "laterna-mini-video"
    assert panel.prompts.prompt.text() == "a picture"  # taken along at the first visit
    panel.prompts.prompt.replace_text("a clip")
    assert not panel.parameters.length.isHidden()
    panel.kind.button("image").click()
    assert panel.prompts.prompt.text() == "a picture"
    assert panel.parameters.steps.value() == 12
    assert panel.parameters.length.isHidden()
    panel.kind.button("video").click()
    assert panel.prompts.prompt.text() == "a clip"
    assert panel.generate_button.text() == "Generate clip"


def test_only_models_of_the_kind_are_offered(panel: GeneratePanel) -> None:
    model = panel.parameters.model
    assert [model.itemText(index) for index in range(model.count())] == ["Laterna Mini Image"]


def test_choosing_a_model_takes_its_settings_and_keeps_the_prompt(
    panel: GeneratePanel, session: Session, models: tuple[InstalledModel, ...]
) -> None:
    other = InstalledModel(
        type(models[0].info)(
            id="turbo",
            name="Turbo",
            family="sd35",
            kind="image",
            defaults=type(models[0].info.defaults)(
                width=64, height=64, steps=4, guidance=1.0, sampler="euler", scheduler="normal"
            ),
        ),
        models[0].folder,
    )
    session.set_models((*models, other))
    panel.prompts.prompt.replace_text("an owl")
    panel.parameters.seed.set_seed(5, False)
    panel._edited()
    panel.parameters.model_chosen.emit("turbo")
    recipe = panel.read().recipe
    assert (recipe.model, recipe.steps, recipe.width, recipe.prompt, recipe.seed) == ("turbo", 4, 64, "an owl", 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 130}, "multiple of 16"),
        ({"height": 32}, "64"),
        ({"steps": 5000}, "steps"),
        ({"guidance": 99.0}, "Guidance"),
        ({"shift": 0.0}, "Shift"),
        ({"prompt": "x" * 20_001}, "20,001 characters"),
        ({"negative_range": Range(0.9, 0.1)}, "range"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_value_out_of_range_is_told_under_its_field(
    panel: GeneratePanel, session: Session, change: dict[str, object], words: str
) -> None:
    recipe = session.draft.recipe.replace(**change)
    session.restore(recipe)
    panel.check()
    (field,) = change
    if field == "prompt":
        error = panel.prompts.prompt_error
    else:
        rows = panel.parameters if panel.parameters.knows(field) else panel.advanced
        error = rows.error(field)
    assert words in error.text() and not error.isHidden()
    assert panel.read().recipe == recipe  # what was there stays there
    with pytest.raises(BadRecipe):
        validate(panel.read().recipe, FAMILIES["sd35"])
    session.restore(recipe.replace(**{field: getattr(PICTURE, field)}))
    assert error.isHidden()


def test_validation_follows_typing(qtbot: QtBot, panel: GeneratePanel) -> None:
    panel.parameters.size_field.width_spin.setValue(100)
    error = panel.parameters._errors["width"][0]
    qtbot.waitUntil(lambda: "multiple of 16" in error.text(), timeout=3000)


def test_error_in_advanced_opens_it(panel: GeneratePanel, session: Session) -> None:
    session.restore(session.draft.recipe.replace(shift=1000.0))
    panel.check()
    assert panel.disclosure.isChecked() and not panel.advanced.isHidden()


def test_a_hundred_thousand_characters(qtbot: QtBot, panel: GeneratePanel, session: Session) -> None:
    text = ("a red apple on the left and more words " * 3000)[:100_000]
    data = QMimeData()
    data.setText(text)
    panel.prompts.prompt.insertFromMimeData(data)
    assert panel.prompts.prompt.text() == text
    assert "100,000 / 20,000" in panel.prompts.counter.text_whole()
    qtbot.waitUntil(lambda: "100,000 characters" in panel.prompts.prompt_error.text(), timeout=3000)
    qtbot.keyClicks(panel.prompts.prompt, "!")
    assert session.draft.recipe.prompt == text + "!"


def test_unknown_words_are_named(qtbot: QtBot, panel: GeneratePanel) -> None:
    panel.prompts.prompt.replace_text("A red Zebra on the left, zebra 2")
    qtbot.waitUntil(lambda: not panel.prompts.unknown.isHidden(), timeout=3000)
    assert panel.prompts.unknown.text().startswith("This model does not know: zebra")
    panel.prompts.prompt.replace_text("a red apple")
    qtbot.waitUntil(panel.prompts.unknown.isHidden, timeout=3000)


def test_a_word_is_replaced_everywhere_and_can_be_undone(qtbot: QtBot, panel: GeneratePanel) -> None:
    typed = "An appel, a pineappel and an APPEL"
    panel.prompts.prompt.replace_text(typed)
    qtbot.waitUntil(lambda: not panel.prompts.unknown.isHidden(), timeout=5000)
    assert ">apple</a>" in panel.prompts.unknown.text()
    panel.prompts.unknown.chosen.emit("appel", "apple")
    assert panel.prompts.prompt.text() == "An apple, a pineappel and an apple"
    panel.prompts.prompt.undo()
    assert panel.prompts.prompt.text() == typed


def test_examples_fill_the_prompt_and_can_be_undone(panel: GeneratePanel) -> None:
    panel.prompts.prompt.replace_text("mine")
    menu = panel.prompts.examples.menu()
    menu.aboutToShow.emit()
    actions = {action.text(): action for action in menu.actions()}
    actions["a red apple on the left"].trigger()
    assert panel.prompts.prompt.text() == "a red apple on the left"
    panel.prompts.prompt.undo()
    assert panel.prompts.prompt.text() == "mine"


def test_seed_typed_pasted_and_drawn(qtbot: QtBot, panel: GeneratePanel, session: Session) -> None:
    seed = panel.parameters.seed
    assert session.draft.random_seed
    seed.line.clear()
    qtbot.keyClicks(seed.line, "1 884 203 771")
    assert session.draft.recipe.seed == 1884203771
    assert not session.draft.random_seed  # who types a seed wants that seed
    seed.line.editingFinished.emit()
    assert seed.line.text() == "1 884 203 771"
    qtbot.mouseClick(seed.lock, Qt.MouseButton.LeftButton)
    assert session.draft.random_seed
    before = session.draft.recipe.seed
    qtbot.mouseClick(seed.dice, Qt.MouseButton.LeftButton)
    assert session.draft.recipe.seed != before


def test_a_seed_too_large_is_told(panel: GeneratePanel, session: Session) -> None:
    panel.parameters.seed.line.textEdited.emit("9" * 30)
    panel.check()
    assert "seed" in panel.parameters._errors["seed"][0].text().lower()


def test_custom_size_and_swap(panel: GeneratePanel, session: Session) -> None:
    size = panel.parameters.size_field
    session.restore(session.draft.recipe.replace(width=208, height=64))
    assert not size.width_spin.isHidden() and size.combo.currentText().startswith("Custom: 208 × 64")
    size._swap()
    assert (session.draft.recipe.width, session.draft.recipe.height) == (64, 208)
    size.combo.setCurrentIndex(0)
    size.combo.activated.emit(0)
    assert (session.draft.recipe.width, session.draft.recipe.height) == (128, 128)


def test_sampler_brings_a_scheduler_that_goes_with_it(panel: GeneratePanel, session: Session) -> None:
    for sampler in FAMILIES["sd35"].samplers:
        panel.advanced.sampler.setCurrentIndex(panel.advanced.sampler.findData(sampler))
        panel.advanced.sampler.activated.emit(0)
        assert session.draft.recipe.sampler == sampler
        assert session.draft.recipe.scheduler in FAMILIES["sd35"].samplers[sampler]


def test_rows_follow_the_family(panel: GeneratePanel, session: Session) -> None:
    advanced = panel.advanced
    assert not advanced.shift.isHidden() and not advanced.skip.isHidden() and advanced.dynamic.isHidden()
    session.set_kind("video")
    assert advanced.shift.isHidden() and advanced.skip.isHidden() and not advanced.dynamic.isHidden()


def test_files_are_not_pasted_as_text(panel: GeneratePanel) -> None:
    data = QMimeData()
    data.setText("file:///x.png")
    data.setUrls(["file:///x.png"])
    assert not panel.prompts.prompt.canInsertFromMimeData(data)


def test_wheel_over_a_field_does_not_change_it(panel: GeneratePanel) -> None:
    QApplication.processEvents()
    before = panel.read()
    for control in (panel.parameters.steps.spin, panel.parameters.model, panel.parameters.steps.slider):
        QTest.mouseMove(control)
        _wheel(control)
    assert panel.read() == before


def _wheel(control: object) -> None:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QWheelEvent

    event = QWheelEvent(
        QPointF(3, 3),
        QPointF(3, 3),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(control, event)  # type: ignore[arg-type]


def test_without_models_the_text_is_kept(qtbot: QtBot, theme: Theme) -> None:
    session = Session("image")
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    panel.prompts.prompt.replace_text("early bird")
    session.set_models(())
    assert panel.prompts.prompt.text() == "early bird"
    assert session.draft.recipe.prompt == "early bird"
    assert not panel.generate_button.isEnabled()


def test_a_long_summary_does_not_widen_the_form(panel: GeneratePanel) -> None:
    """The form once grew beyond its panel with each word that the closed section said."""
    panel.resize(340, 900)
    panel.show()
    panel.disclosure.dress(
        "Advanced", "DPM++ 2M, SGM uniform, shift 3.0, several prompts, ComfyUI's reading", is_open=False
    )
    QApplication.processEvents()
    scroll = panel.disclosure.parentWidget().parentWidget()
    assert panel.disclosure.parentWidget().minimumSizeHint().width() <= scroll.width()
    assert panel.disclosure.text().endswith("…") and "reading" in panel.disclosure.toolTip()
