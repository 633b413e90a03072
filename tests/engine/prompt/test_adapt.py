"""A prompt in the words of the models that ship."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.prompt.adapt import adapt, adapt_recipe
from engine.prompt.known_words import words_of
from engine.protocol.family_info import ModelDefaults, ModelInfo
from engine.protocol.recipe import Adapter
from resources import MODELS, WORLD

IMAGE, VIDEO = (
    json.loads((MODELS / f"laterna-mini-{kind}" / "laterna.json").read_text()) for kind in ("image", "video")
)
FREE = [
    line.split("\t")[1] for line in (WORLD / "free_prompts.tsv").read_text().splitlines() if not line.startswith("#")
]


def asked(text: str, seed: int = 0) -> str:
    return adapt(text, IMAGE["vocabulary"], IMAGE["examples"], seed).text


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("dragon", "dinosaur"),
        ("a zebra in the forest", "a unicorn in the forest"),
        ("two cats", "cat"),
        ("a pink elephant, blue background", "an elephant, blue background"),
        ("a blue car", "a blue car"),
        ("a pink elefant", "an elefante"),
        ("a yellow car", "a car"),
        ("a bear without a hat", "a bear"),
        ("a dog but no cat", "a dog"),
        ("um urso sem chapéu", "um urso"),
        ("uma coruja no céu", "uma coruja no céu"),
        ("un conejo en la nieve", "a rabbit in the snow"),
        ("gato a la izquierda y perro a la derecha", "gato on the left and dog on the right"),
        ("a pengiun", "a penguin"),
        ("A MONKEY EATING A BANANA", "A MONKEY and A BANANA"),
        ("a red apple on a table", "a red apple"),
        ("quatro balões", "balão"),
    ],
)
def test_what_is_drawn_instead(written, drawn):
    assert asked(written) == drawn


def test_what_was_changed_is_told():
    told = adapt("two dragons and a cat", IMAGE["vocabulary"], IMAGE["examples"])
    assert [(one.word, one.instead) for one in told.changes] == [("two", ""), ("dragons", "dinosaur")]
    assert not told.surprise
    assert adapt("a small owl on the right, forest background", IMAGE["vocabulary"], ()).changes == ()


def test_an_empty_prompt_and_one_of_which_nothing_is_left_are_a_surprise_by_the_seed():
    for text in ("", "  ", "surprise me", "?!", "something nice", "on the left"):
        drawn = {adapt(text, IMAGE["vocabulary"], IMAGE["examples"], seed).text for seed in range(50)}
        assert drawn == set(IMAGE["examples"])
        assert adapt(text, IMAGE["vocabulary"], IMAGE["examples"], 3).surprise


@pytest.mark.parametrize("card", [IMAGE, VIDEO], ids=["image", "video"])
@pytest.mark.parametrize("text", FREE)
def test_free_prompts_become_known_words_and_stay_so(card, text):
    known = {word for entry in card["vocabulary"] for word in words_of(entry)}
    once = adapt(text, card["vocabulary"], card["examples"], 5).text
    assert set(words_of(once)) <= known
    assert adapt(once, card["vocabulary"], card["examples"], 6).text == once


@pytest.mark.parametrize("card", [IMAGE, VIDEO], ids=["image", "video"])
def test_examples_stay_as_they_are(card):
    for example in card["examples"]:
        assert adapt(example, card["vocabulary"], card["examples"]).text == example


@given(st.text(max_size=80))
def test_anything_typed_becomes_something_that_can_be_drawn(text):
    once = asked(text)
    assert once.strip()
    assert asked(once) == once


def test_a_model_that_reads_anything_a_lora_and_weights_are_left_alone():
    assert adapt("two dragons", (), ()).text == "two dragons"
    settings = ModelDefaults(width=64, height=64, steps=1, guidance=1.0, sampler="euler", scheduler="normal")
    info = ModelInfo("m", "M", "sd35", "image", settings, vocabulary=("cat",), examples=("cat",))
    recipe = info.recipe("two dragons")
    assert adapt_recipe(recipe, info)[0].prompt == "cat"
    assert adapt_recipe(recipe.replace(prompt="(cat:1.2), dragon"), info)[0].prompt == "(cat:1.2), dragon"
    known = recipe.replace(adapters=(Adapter(name="a.safetensors", sha256="0" * 64, strength=1.0),))
    assert adapt_recipe(known, info)[0].prompt == "two dragons"


def test_a_model_of_any_colour_keeps_colours_and_one_that_counts_digits() -> None:
    words = ("a", "um", "un", "cat", "cats", "red apple", "pink", "two", "background", "blue", "gato", "rosa")
    for text in ("a pink cat, blue background", "2 cats", "6 cats", "un gato rosa"):
        assert adapt(text, words, (), any_colour=True).changes == (), text
    assert adapt("a pink cat", words, ()).text == "a cat"
    assert adapt("9 cats", words, (), any_colour=True).text == "cats"
    assert adapt("2 cats", ("cat", "cats"), ()).text == "cats"
