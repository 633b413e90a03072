"""Words that a model does not know, and what it knows nearby."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.models.catalog import MINI_IMAGE
from engine.models.installed import resolve
from engine.prompt.known_words import MOST_NEAR, UnknownWord, nearest, unknown_words, words_of

KNOWN = (
    "red apple",
    "owl",
    "cat",
    "rabbit",
    "house",
    "car",
    "airplane",
    "blue sky",
    "forest",
    "a",
    "on",
    "the",
    "left",
)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("kitten", "cat"),
        ("appel", "apple"),
        ("apples", "apple"),
        ("cats", "cat"),
        ("jungle", "forest"),
        ("cottage", "house"),
        ("plane", "airplane"),
        ("houses", "house"),
        ("hares", "rabbit"),
    ],
)
def test_the_nearest_word_comes_first(typed: str, near: str) -> None:
    [found] = unknown_words(f"a {typed} on the left", KNOWN)
    assert found.word == typed
    assert found.near[0] == near


def test_known_words_are_not_told_whatever_their_case_and_order() -> None:
    assert unknown_words("On the LEFT a Red apple, blue sky!", KNOWN) == ()


def test_each_unknown_word_is_told_once_in_the_order_of_the_text() -> None:
    found = unknown_words("zeppelin, quark and Zeppelin", KNOWN)
    assert [one.word for one in found] == ["zeppelin", "quark", "and"]
    assert UnknownWord("quark", ()) in found


def test_a_model_without_a_vocabulary_knows_everything() -> None:
    assert unknown_words("anything at all", ()) == ()


def test_of_the_model_that_ships(paths_of_models) -> None:
    info = resolve(MINI_IMAGE, paths_of_models).info
    for example in info.examples:
        assert unknown_words(example, info.vocabulary) == ()
    [found] = unknown_words("a kitty on the right", [word for word in info.vocabulary if "kitty" not in word])
    assert "cat" in found.near


@pytest.fixture
def paths_of_models():
    from app.paths import EMBEDDED_MODELS

    return (EMBEDDED_MODELS,)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_whatever_is_typed_the_answer_is_of_known_words(text: str) -> None:
    known = frozenset(part for entry in KNOWN for part in words_of(entry))
    for one in unknown_words(text, KNOWN):
        assert one.word not in known
        assert set(one.near) <= known
        assert len(one.near) <= MOST_NEAR
        assert one.near == nearest(one.word, known)
