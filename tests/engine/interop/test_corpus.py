"""Every file of the corpus becomes the recipe, and the lists of sentences, that were written down for it by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.interop.comfy_export import everything
from engine.interop.model_files import KnownModels
from engine.interop.open_file import Importer
from engine.models.catalog import FAMILIES
from engine.protocol.earlier_recipes import brought_up
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe

CORPUS = Path(__file__).parent / "corpus"
EXPECTED: dict[str, Any] = json.loads((CORPUS / "expected.json").read_text("utf-8"))
RULES = {id: everything(info) for id, info in FAMILIES.items()}
HERE = KnownModels(
    {"sd3.5-large": "sd35", "sd3.5-large-turbo": "sd35", "sd3.5-medium": "sd35", "cogvideox-5b": "cogvideox"},
    hashes={"ab" * 32: "sd3.5-large"},
)


def test_the_corpus_is_large_enough_and_complete() -> None:
    files = {path.name for path in CORPUS.iterdir()} - {"expected.json"}
    assert files == set(EXPECTED)
    assert len(files) >= 40


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_file(name: str) -> None:
    wanted = EXPECTED[name]
    result = Importer(HERE, RULES).open(CORPUS / name)
    if wanted["recipe"]:
        assert result.recipe == msgspec.convert(brought_up({"version": 1} | wanted["recipe"]), Recipe)
    else:
        assert result.recipe is None
    lists = {
        "approximated": result.approximated,
        "ignored": result.ignored,
        "missing": tuple(missing.file for missing in result.missing),
    }
    for kind, sentences in lists.items():
        assert len(sentences) == len(wanted[kind]), (kind, sentences)
        for part, sentence in zip(wanted[kind], sentences, strict=True):
            assert part in sentence
    for part in wanted["understood"]:
        assert any(part in sentence for sentence in result.understood), (part, result.understood)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_under_todays_rules_every_import_can_run(name: str) -> None:
    """Whatever a family does not offer yet was replaced, and said."""
    result = Importer(HERE).open(CORPUS / name)
    if result.recipe is not None:
        validate(result.recipe, FAMILIES[result.recipe.family])
