"""The catalogue's words are translated, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator

from app.paths import EMBEDDED_MODELS
from engine.families.registry import LICENCES, SOURCES
from engine.models.catalog import MODELS
from engine.models.installed import find_installed
from resources import TRANSLATIONS
from ui.models.catalogue_texts import TEXTS, told


def words() -> set[str]:
    """Every text with a word in it that a card, a licence or a model's tooltip shows."""
    found = {text for source in SOURCES.values() for text in (source.summary, source.sizes, source.lengths)}
    found |= {text for licence in LICENCES.values() for text in (licence.line, *licence.terms)}
    found |= {model.summary for model in MODELS.values()}
    found |= {model.info.summary for model in find_installed((EMBEDDED_MODELS, Path("/nonexistent")))}
    return {text for text in found if any(character.isalpha() for character in text)}


def test_every_text_of_the_catalogue_is_known_to_the_translation() -> None:
    assert words() <= set(TEXTS)


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_translated(qapp: QCoreApplication, text: str) -> None:
    translator = QTranslator()
    assert translator.load(str(TRANSLATIONS / "laterna_pt_BR.qm"))
    qapp.installTranslator(translator)
    try:
        assert told(text) != text
    finally:
        qapp.removeTranslator(translator)
