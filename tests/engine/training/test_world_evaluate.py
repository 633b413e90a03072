"""The bars: what is asked is held out and of its kind, the judge can be believed, the program's words are used."""

import numpy as np
import pytest

from engine.models.installed import open_folder
from engine.training.runs import FIRST_WORLD
from engine.training.world.composition import Composition, Pool, render
from engine.training.world.evaluate import BARS, check_judge, evaluate, held_out, pictures
from engine.training.world.wording import LANGUAGES
from engine.world.looks import STYLES
from resources import MODELS

PARTS = [part for part in BARS if part != "free"]
INFO = open_folder(MODELS / "laterna-mini-image").info


@pytest.mark.parametrize("part", [*PARTS, *LANGUAGES])
def test_what_is_asked_is_held_out_and_of_its_kind(part):
    asked = held_out(part, FIRST_WORLD, 21)
    assert all(a.composition.held_out for a in asked)
    assert asked == held_out(part, FIRST_WORLD, 21)
    items = [a.composition.items for a in asked]
    if part == "one":
        assert all(len(i) == 1 and i[0].colour for i in items)
    if part == "two":
        assert all(len(i) == 2 and all(one.colour and one.count == 1 for one in i) for i in items)
    if part == "three":
        assert {len(i) for i in items} == {3}
    if part == "counts":
        assert {i[0].count for i in items} == {2, 3, 4, 5, 6}
    if part == "style":
        assert {a.composition.style for a in asked} == set(STYLES[1:])
    if part == "negation":
        words = {"without", "no", "sem", "sin"}
        assert all(words & set(a.text.replace(",", " ").replace(".", " ").split()) for a in asked)


def test_the_judge_knows_truth_from_other_prompts():
    told = check_judge(FIRST_WORLD, 10)
    assert np.mean([told[f"{part}_truth"] for part in PARTS]) >= 0.96, told  # docs/training.md has the figures of more
    assert all(told[f"{part}_shuffled"] <= 0.05 for part in PARTS), told


def test_shares_are_those_of_the_pictures_and_prompts_are_the_programs():
    asked = held_out("one", FIRST_WORLD, 4)
    pool, rng = Pool(np.random.default_rng(3), FIRST_WORLD.backgrounds, each=2), np.random.default_rng(0)
    truth = [render(a.composition, rng, pool).pixels for a in asked]
    truth[1] = render(Composition(asked[0].composition.items, asked[1].composition.background), rng, pool).pixels
    told = evaluate("one", FIRST_WORLD, 4, lambda texts, seed: np.stack(truth), INFO)
    assert (told["prompts"], told["right"], told["background"]) == (4, 0.75, 1.0)
    assert told["wrong"] == [asked[1].text]
    sent: list[str] = []
    pictures(["a cat on the left without a dog", ""], lambda texts, seed: sent.extend(texts) or np.zeros((2, 1)), INFO)
    assert sent[0] == "a cat on the left"
    assert sent[1] in INFO.examples
