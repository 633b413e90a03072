from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.prompt.templates import escape, is_template, resolve
from engine.protocol.errors import BadRecipe

ANIMALS = {"animal": ("owl", "cat", "dog"), "deep/city": ("{Lisbon|Recife}",), "loop": ("__loop__",), "empty": ()}


def lines(name: str) -> tuple[str, ...]:
    return ANIMALS.get(name, ())


def outcomes(template: str, tries: int = 200) -> Counter[str]:
    return Counter(resolve(template, seed, lines) for seed in range(tries))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("a {red|blue} cat", {"a red cat", "a blue cat"}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("{a|}", {"a", ""}),
        ("{2$$a|b}", {"a, b", "b, a"}),
        ("{1-2$$ and $$a|b}", {"a", "b", "a and b", "b and a"}),
        ("{0$$a|b}", {""}),
        ("{-$$ $$a|b}", {"a", "b", "a b", "b a"}),
        ("an __animal__", {"an owl", "an cat", "an dog"}),
        ("__deep/city__", {"Lisbon", "Recife"}),
        ("{__animal__|x}", {"owl", "cat", "dog", "x"}),
        ("{a {b|c} d}", {"{a b d}", "{a c d}"}),
    ],
)
def test_every_outcome_and_no_other(template: str, expected: set[str]) -> None:
    assert set(outcomes(template)) == expected


@pytest.mark.parametrize("text", ["plain", "{x}", '{"a": 1}', "{a|b", "a|b}", "$$", "a __ b __", "{a $ b}", ""])
def test_plain_text_stays(text: str) -> None:
    assert not is_template(text) and resolve(text, 1) == text and escape(text) == text


def test_the_same_seed_is_the_same_text_and_others_differ() -> None:
    template = "{a|b|c|d} {e|f|g|h} __animal__"
    assert len({resolve(template, 7, lines) for _ in range(5)}) == 1
    assert len(outcomes(template)) > 20


def test_weights_are_kept_to() -> None:
    drawn = outcomes("{3::a|b}", 2000)
    assert 0.70 < drawn["a"] / 2000 < 0.80


def test_escaped_characters_are_plain() -> None:
    assert resolve(r"\{a|b\} {c\|d|c\|d}", 1) == "{a|b} c|d"


@pytest.mark.parametrize("template", ["__nothing__", "__empty__", "__loop__"])
def test_what_cannot_be_drawn_is_refused_at_the_prompt(template: str) -> None:
    with pytest.raises(BadRecipe) as refused:
        resolve(template, 1, lines)
    assert refused.value.field == "prompt" and refused.value.remedy


@given(st.text(alphabet="ab{}|\\$:2 ,", max_size=40), st.integers(0, 2**63 - 1))
def test_any_text_survives_escaping(text: str, seed: int) -> None:
    assert resolve(escape(text), seed) == text


@given(st.text(alphabet="ab{}|\\$:2-._ ", max_size=60), st.integers(0, 9))
def test_no_text_breaks_it(text: str, seed: int) -> None:
    assert isinstance(resolve(text, seed, lambda _name: ("x",)), str)
