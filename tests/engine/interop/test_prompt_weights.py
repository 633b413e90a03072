from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.interop import prompt_weights
from engine.interop.prompt_weights import Weighted, has_weights, parse, plain_text, text_of
from tests.engine.interop.recipes import few, texts


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("", []),
        ("a cat", [("a cat", 1.0)]),
        ("a (red) cat", [("a ", 1.0), ("red", 1.1), (" cat", 1.0)]),
        ("((red))", [("red", 1.1 * 1.1)]),
        ("(red:1.3)", [("red", 1.3)]),
        ("(red (boat:0.5) sea:1.3)", [("red ", 1.3), ("boat", 0.5), (" sea", 1.3)]),  # a stated weight is absolute
        ("((red:1.3))", [("red", 1.3)]),
        ("((red) boat:2)", [("red", 2.2), (" boat", 2.0)]),
        ("(red:-0.5)", [("red", -0.5)]),
        ("(red: 1.5 )", [("red", 1.5)]),
        ("(12:30:1.2)", [("12:30", 1.2)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("(:1.2)", [(":1.2", 1.1)]),
        ("(a:nan)", [("a:nan", 1.1)]),
        ("(a:inf)", [("a:inf", 1.1)]),
        (r"\(red\)", [("(red)", 1.0)]),
        (r"(\(red\):1.2)", [("(red)", 1.2)]),
        (r"(red\)", [("(red)", 1.0)]),
        ("[red] {boat}", [("[red] {boat}", 1.0)]),
        ("a) (b)", [("a) (b)", 1.0)]),  # one too many shifts the count for the rest
        ("(a", [("(a", 1.0)]),
        ("(a (b)", [("a (b", 1.1)]),
        ("()", []),
        ("(a)(b)", [("ab", 1.1)]),
    ],
)
def test_as_comfyui_reads_it(prompt: str, pieces: list[tuple[str, float]]) -> None:
    assert parse(prompt) == [Weighted(text, weight) for text, weight in pieces]


pieces = st.lists(
    st.builds(Weighted, texts.filter(bool), st.sampled_from([1.0, 1.1, 0.5, -1.0]) | st.floats(-20, 20)), max_size=6
)


@few
@given(pieces)
def test_pieces_survive_being_written(parts: list[Weighted]) -> None:
    once = parse(text_of(parts))
    assert "".join(piece.text for piece in once) == "".join(piece.text for piece in parts)
    spread = [(letter, piece.weight) for piece in parts for letter in piece.text]
    assert [(letter, piece.weight) for piece in once for letter in piece.text] == spread
    assert parse(text_of(once)) == once


@few
@given(texts)
def test_escaped_text_is_read_as_it_stands(text: str) -> None:
    assert plain_text(prompt_weights.escape(text)) == text
    assert not any(piece.weight != 1 for piece in parse(prompt_weights.escape(text)))


@few
@given(st.text(st.sampled_from(r"()\:.1ab "), max_size=30))
def test_anything_can_be_parsed_and_says_the_same_when_written_again(prompt: str) -> None:
    assert parse(text_of(parse(prompt))) == parse(prompt)


def test_has_weights() -> None:
    assert not has_weights("a red boat, 3:4")
    assert has_weights("a (red) boat")
    assert has_weights(r"a \(red\) boat")
    assert not has_weights("")


@pytest.mark.parametrize(
    "prompt", ["(" * 10_000 + ")" * 10_000, "(" * 20_000, ")" * 20_000, "(a:1" * 5000 + ")" * 5000]
)
def test_hostile_nesting_is_quick(prompt: str) -> None:
    start = time.process_time()
    parse(prompt)
    assert time.process_time() - start < 0.3
