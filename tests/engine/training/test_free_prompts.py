"""The rule for free prompts: rendered truth is right, other prompts' pictures are not."""

import numpy as np
import pytest

from engine.training.world.composition import Composition, Item, Pool, render
from engine.training.world.free import FILE, arrangements, free_prompts, right, wanted
from engine.world.looks import BACKGROUNDS
from engine.world.things import THING_INDEX


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool(np.random.default_rng(3), tuple(range(len(BACKGROUNDS))), each=2)


def shown(asked, rng, pool):
    """One of the pictures that would do."""
    if asked.anything:
        items = (Item(int(rng.integers(90)), "left"),)
    else:
        options = [*arrangements(asked)] or [()]
        items = options[rng.integers(len(options))]
    behind = asked.backgrounds or (asked.or_background if not items else ()) or (0,)
    return render(Composition(items, int(rng.choice(behind)), asked.style), rng, pool).pixels


def test_all_prompts_are_read():
    prompts = free_prompts()
    assert len(prompts) == 203
    assert {p.language for p in prompts} == {"en", "pt", "es"}
    assert sum(not p.wanted.things and not p.wanted.backgrounds for p in prompts) == 4  # anything


def test_truth_is_right_and_other_pictures_are_not(pool):
    rng = np.random.default_rng(5)
    prompts = [p for p in free_prompts() if not p.wanted.anything][::8]
    pictures = [shown(p.wanted, rng, pool) for p in prompts]
    wrong = [p.text for p, picture in zip(prompts, pictures, strict=True) if not right(picture, p.wanted)]
    assert len(wrong) <= 0.02 * len(prompts), wrong
    turned = pictures[7:] + pictures[:7]
    passed = [p.text for p, picture in zip(prompts, turned, strict=True) if right(picture, p.wanted)]
    assert len(passed) <= 0.05 * len(prompts), passed


def test_anything_is_some_thing(pool):
    rng = np.random.default_rng(1)
    asked = wanted("any")
    assert right(shown(asked, rng, pool), asked)
    assert not right(render(Composition((), 16), rng, pool).pixels, asked)
    assert not right(rng.random((128, 128, 3)).astype(np.float32), asked)


def test_counts_colours_places_and_further_things_count(pool):
    cat, dog = THING_INDEX["cat"], THING_INDEX["dog"]
    rng = np.random.default_rng(2)

    def picture(*items, background=0):
        return render(Composition(items, background), rng, pool).pixels

    two = Item(cat, "centre", "normal", "", 2)
    assert right(picture(two), wanted("2 cat"))
    assert not right(picture(two), wanted("cat"))
    assert not right(picture(Item(cat)), wanted("2 cat"))
    assert right(picture(Item(cat, "left"), Item(dog, "right")), wanted("cat;dog"))
    assert not right(picture(Item(cat, "left"), Item(dog, "right")), wanted("cat"))
    assert not right(picture(Item(cat, "left"), Item(dog, "right")), wanted("dog@left;cat@right"))
    assert right(picture(Item(cat, "centre", "big", "pink")), wanted("pink cat"))
    assert not right(picture(Item(cat, "centre", "big")), wanted("pink cat"))
    assert right(picture(Item(cat), background=7), wanted("cat;bg:blue|red"))
    assert not right(picture(Item(cat), background=3), wanted("cat;bg:blue"))


@pytest.mark.parametrize("text", ["cat;tooth fairy's wing", "style:cubism", "purple"])
def test_what_this_world_has_not_is_refused(text):
    with pytest.raises(ValueError):
        wanted(text)


def test_no_prompt_stands_twice():
    texts = [p.text for p in free_prompts()]
    assert FILE.is_file()
    assert len(set(texts)) >= len(texts) - 1  # "un robot verde" is the same in two languages
