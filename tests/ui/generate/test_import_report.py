"""The report of an import: what is different, left out and missing, and a way to the missing models."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from engine.interop.report import ImportResult, Missing
from engine.protocol.recipe import Recipe
from ui.generate.import_report import ImportReport
from ui.theme import Theme

RESULT = ImportResult(
    "ComfyUI",
    Recipe("sd35", "sd3.5-large"),
    understood=("The prompt.", "The sampler."),
    approximated=("The sampler “ipndm” is not here; LMS is the nearest.",),
    ignored=("A note: “Enjoy & share”.",),
    missing=(Missing("sd3.5_large.safetensors", "model", "sd3.5-large"), Missing("style.safetensors", "LoRA")),
)


@pytest.fixture
def report(qtbot: QtBot, theme: Theme) -> ImportReport:
    made = ImportReport(theme=theme)
    qtbot.addWidget(made)
    return made


def lines(report: ImportReport) -> list[str]:
    return [one.text() for one in report.findChildren(QLabel) if not one.isHidden()]


def test_all_four_lists_are_there(report: ImportReport) -> None:
    report.show_result(RESULT, "graph.json")
    assert not report.isHidden()
    assert report.title.text_whole() == "graph.json, from ComfyUI"
    shown = lines(report)
    assert RESULT.approximated[0] in shown and RESULT.ignored[0] in shown
    assert RESULT.missing[0].sentence() in shown and RESULT.missing[1].sentence() in shown
    assert RESULT.understood[0] not in shown
    report.understood.click()
    assert set(RESULT.understood) <= set(lines(report))


def test_a_missing_model_leads_to_the_models(report: ImportReport, qtbot: QtBot) -> None:
    report.show_result(RESULT, "graph.json")
    (button,) = (one for one in report.findChildren(QPushButton) if "Models" in one.text())
    with qtbot.waitSignal(report.models_wanted) as wanted:
        button.click()
    assert wanted.args == ["sd3.5-large"]


def test_what_came_over_whole_needs_no_report(report: ImportReport, qapp: QApplication) -> None:
    report.show_result(RESULT, "graph.json")
    report.show_result(ImportResult("Laterna", Recipe("sd35", "m"), ("The recipe is Laterna's own.",)), "a.png")
    assert report.isHidden()
    report.show_result(RESULT, "graph.json")
    report.close_button.click()
    assert report.isHidden()


def test_it_can_be_copied_whole(report: ImportReport) -> None:
    report.show_result(RESULT, "graph.json")
    report.copy.click()
    text = QApplication.clipboard().text()
    for sentence in (*RESULT.understood, *RESULT.approximated, *RESULT.ignored, RESULT.missing[1].sentence()):
        assert f"- {sentence}" in text


def test_a_hundred_long_lines_stay_in_the_form(report: ImportReport) -> None:
    report.show_result(ImportResult("ComfyUI", None, ignored=tuple(f"{'word ' * 40}{n}" for n in range(100))), "g.json")
    report.resize(300, report.heightForWidth(300) if report.hasHeightForWidth() else 4000)
    assert report.minimumSizeHint().width() <= 300
