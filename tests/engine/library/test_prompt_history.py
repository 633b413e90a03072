from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.library.library import Library

PROMPTS = ("an owl at night", "a red apple", "an owl at night", "", "owlish: a red moon")


@pytest.fixture
def filled(library: Library, make: Callable[..., Path]) -> Library:
    for number, prompt in enumerate(PROMPTS):
        library.add(make(f"{number}.png", prompt=prompt))
    return library


def test_each_prompt_once_newest_first(filled: Library) -> None:
    assert filled.prompts() == ["owlish: a red moon", "an owl at night", "a red apple"]
    assert filled.prompts(limit=1) == ["owlish: a red moon"]


def test_words_are_found_by_their_beginning_and_in_the_prompt_only(filled: Library) -> None:
    assert filled.prompts("OWL") == ["owlish: a red moon", "an owl at night"]
    assert filled.prompts("red app") == ["a red apple"]
    assert filled.prompts("mini") == []  # a model's name


@pytest.mark.parametrize("text", ['"', "prompt:", "a AND", "*", "- -", "('"])
def test_no_text_is_an_error(filled: Library, text: str) -> None:
    assert isinstance(filled.prompts(text), list)


def test_trashed_prompts_are_forgotten(filled: Library) -> None:
    filled.trash(filled.ids("apple"))
    assert filled.prompts("apple") == []
