"""Every text of a template."""

from __future__ import annotations

import pytest

from engine.prompt.combinations import MOST, count, every
from engine.prompt.expand import combinations
from engine.prompt.styles import Style
from engine.prompt.templates import resolve
from engine.protocol.errors import BadRecipe

WILDCARDS = {"animal": ("owl", "{big|small} cat"), "loop": ("a", "__loop__")}


def lines(name: str) -> tuple[str, ...]:
    return WILDCARDS.get(name, ())


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("an owl", ["an owl"]),
        ("a {red|blue} owl", ["a red owl", "a blue owl"]),
        ("{a|b} {c|d}", ["a c", "a d", "b c", "b d"]),
        ("{a {b|c}|d}", ["a b", "a c", "d"]),
        ("{2$$a|b|c}", ["a, b", "a, c", "b, c"]),
        ("{1-2$$ and $$a|b}", ["a", "b", "a and b"]),
        ("{3::a|b|0::c}", ["a", "b"]),
        ("{a|a}", ["a"]),
        ("{|soft }light", ["light", "soft light"]),
        (r"\{a\|b\} {c|d}", ["{a|b} c", "{a|b} d"]),
        ("an __animal__!", ["an owl!", "an big cat!", "an small cat!"]),
        ("{plain}", ["{plain}"]),
    ],
)
def test_every_text_is_made_once_in_order(template: str, texts: list[str]) -> None:
    assert every(template, lines) == texts
    assert count(template, lines) >= len(texts)


@pytest.mark.parametrize("template", ["{a|b} {2$$c|d|e}", "an __animal__ {x|y}", "{1-3$$ $$a|b|{c|d}}"])
def test_what_is_drawn_is_among_them(template: str) -> None:
    made = {" ".join(sorted(text.replace(",", "").split())) for text in every(template, lines)}
    assert len(made) == count(template, lines)
    drawn = {" ".join(sorted(resolve(template, seed, lines).replace(",", "").split())) for seed in range(400)}
    assert drawn == made


def test_astronomical_numbers_are_counted_and_not_made() -> None:
    template = "{a|b|c|d|e|f|g|h|i|j}" * 30
    assert count(template) == 10**30
    assert len(every(template, most=5)) == 5
    with pytest.raises(BadRecipe, match=f"at most {MOST:,}"):
        combinations(template, "", None)


@pytest.mark.parametrize("template", ["__nothing__", "__loop__"])
def test_unknown_and_endless_wildcards_are_refused(template: str) -> None:
    with pytest.raises(BadRecipe):
        count(template, lines)
    with pytest.raises(BadRecipe):
        every(template, lines)


def test_style_and_negative_prompt_take_part() -> None:
    style = Style("Ink", "{prompt}, {ink|pencil}", "photo")
    made = combinations("an {owl|cat}", "{blur|noise}", style)
    assert len(made) == 8
    assert made[0] == ("an owl, ink", "blur, photo")
