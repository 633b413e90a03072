"""Every sentence of a report on another program's file has its translation."""

from __future__ import annotations

import pytest

from engine.interop.open_file import Importer
from engine.protocol.errors import BadFile
from resources import TRANSLATIONS
from tests.corpus.test_readings import FILES, MODELS
from ui.sentences import Sentences


@pytest.fixture(scope="module")
def sentences() -> Sentences:
    return Sentences(TRANSLATIONS / "sentences.json", translate=lambda text: f"«{text}»")


def test_what_a_report_says_is_known(sentences: Sentences) -> None:
    untold = []
    for file in FILES[::3]:
        try:
            result = Importer(MODELS).open(file)
        except BadFile:
            continue
        lines = [*result.understood, *result.approximated, *result.ignored, *(one.sentence() for one in result.missing)]
        untold += [line for line in lines if "«" not in sentences.sentence(line)]
    assert untold == []
