"""The second generation's world: its tables, compositions, captions and judge."""

import numpy as np
import pytest
import torch

from engine.training.catalogue import BACKGROUNDS as FIRST_BACKGROUNDS
from engine.training.catalogue import OBJECTS
from engine.training.image import ImageShape
from engine.training.portuguese import NOUNS
from engine.training.scenes import Placed, Scene
from engine.training.text import TextStack
from engine.training.tokenizers import CLIP_LENGTH, T5_LENGTH, clip_tokenizer, t5_tokenizer
from engine.training.world.begin import load_shipped_text
from engine.training.world.composition import KINDS, Composition, Item, Pool, World, draw, exchanged, render, sprites
from engine.training.world.judge import judge
from engine.training.world.layout import Layout, Targets
from engine.training.world.task import make_batch
from engine.training.world.tint import drawn
from engine.training.world.wording import LANGUAGES, SHARES, caption
from engine.world.looks import BACKGROUNDS, COLOURS, STYLES
from engine.world.things import COLOURABLE, THING_INDEX, THINGS

WORLD = World(COLOURABLE)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool(np.random.default_rng(3), WORLD.backgrounds, each=2)


def test_the_world_begins_with_the_first_generation_and_is_as_wide_as_promised():
    assert len(THINGS) >= 250
    assert len(BACKGROUNDS) >= 40
    assert len(COLOURS) == 12
    assert [(t.glyph, t.nouns["en"].names) for t in THINGS[: len(OBJECTS)]] == [(o.glyph, o.names) for o in OBJECTS]
    assert [t.nouns["pt"].names for t in THINGS[: len(NOUNS)]] == [n.names for n in NOUNS]
    assert tuple(b.name for b in FIRST_BACKGROUNDS) == BACKGROUNDS[: len(FIRST_BACKGROUNDS)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_a_word_for_everything_and_no_name_twice(language):
    words = LANGUAGES[language]
    assert set(words.sceneries) == set(BACKGROUNDS)
    assert set(words.colours) == set(COLOURS)
    assert set(words.styles) == set(STYLES) - {""}
    names = [name for thing in THINGS for name in thing.nouns[language].names]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("language", "name", "many"),
    [("en", "mouse", "mice"), ("en", "cherry blossom", "cherry blossoms"), ("en", "glass of milk", "glasses of milk"),
     ("pt", "cão", "cães"), ("pt", "bola de futebol", "bolas de futebol"), ("pt", "carro azul", "carros azuis"),
     ("es", "león", "leones"), ("es", "lápiz", "lápices"), ("es", "pez globo", "peces globos")],
)  # fmt: skip
def test_plurals(language, name, many):
    assert LANGUAGES[language].plural(name) == many


@pytest.mark.parametrize("kind", KINDS)
def test_captions_are_of_known_words_fit_and_say_one_composition_only(kind):
    rng = np.random.default_rng(0)
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    few = World(tuple(THING_INDEX[n] for n in ("cat", "red apple", "bus", "grapes")), (3, 13, 28), styled=0.3)
    meant: dict[str, str] = {}
    for n in range(1500):
        composition = draw(rng, WORLD if n % 2 else few, kind)
        text = caption(composition, rng)
        ids = t5(text).input_ids
        assert t5.unk_token_id not in ids, text
        assert len(ids) <= T5_LENGTH, text
        assert len(clip(text).input_ids) <= CLIP_LENGTH, text
        assert meant.setdefault(text, composition.key) == composition.key, text


def test_what_was_held_out_stays_held_out(pool):
    rng = np.random.default_rng(1)
    old = Scene((Placed(1, "left", "small"), Placed(4, "right", "small")), 13)
    new = Composition((Item(1, "left", "small"), Item(4, "right", "small")), 13)
    assert old.key == new.key
    batch = make_batch(rng, WORLD, pool, 64)
    assert not any(c.held_out for c in batch.compositions)
    assert all(draw(rng, WORLD, "single", held_out=True).held_out for _ in range(20))
    for row, twin in enumerate(batch.shared.tolist()):
        assert twin == row or exchanged(batch.compositions[twin]) == batch.compositions[row]


def test_a_coloured_thing_has_that_colour_and_its_own_shape():
    for name in ("cat", "elephant", "bus"):
        _own, shape = drawn(THING_INDEX[name], "", 64)
        for colour, rgb in COLOURS.items():
            tinted, alpha = drawn(THING_INDEX[name], colour, 64)
            assert np.array_equal(alpha, shape)
            assert (tinted <= alpha + 1e-5).all()
            mean = tinted.sum((0, 1)) / alpha.sum()
            distance = {c: np.abs(mean - np.array(v) / 255).sum() for c, v in COLOURS.items()}
            assert distance[colour] < 0.75, (name, colour)
            if max(rgb) - min(rgb) > 60:
                assert np.argmax(mean) == np.argmax(rgb) or colour in ("orange", "yellow", "turquoise"), (name, colour)


@pytest.mark.parametrize("count", range(1, 7))
def test_as_many_sprites_as_told_beside_one_another(count):
    item = Item(4, "centre", "small" if count > 4 else "normal", "", count)
    squares = [s[1:] for s in sprites(Composition((item,), 0))]
    assert len(squares) == count
    for n, (x, y, size) in enumerate(squares):
        assert x % 16 == y % 16 == 0
        assert min(x, y) >= 0
        assert max(x, y) + size <= 128
        assert all(abs(x - a) >= size or abs(y - b) >= size for a, b, _ in squares[n + 1 :])


@pytest.mark.parametrize("kind", KINDS)
def test_truth_is_judged_right_and_shuffled_prompts_are_not(kind, pool):
    rng = np.random.default_rng(4)
    plain = World(WORLD.things, styled=0.0)
    drawn_now = [draw(rng, plain, kind) for _ in range(24)]
    pictures = [render(c, rng, pool).pixels for c in drawn_now]
    true = [judge(p, c) for p, c in zip(pictures, drawn_now, strict=True)]
    others = [judge(p, c) for p, c in zip(pictures, drawn_now[1:] + drawn_now[:1], strict=True)]
    assert sum(not v.all for v in true) <= 1, [(c.key, v) for c, v in zip(drawn_now, true, strict=True) if not v.all]
    assert not any(v.all for v in others)


@pytest.mark.parametrize("style", STYLES)
def test_each_style_is_told_from_the_others(style, pool):
    cat = Composition((Item(THING_INDEX["cat"], "left", "normal"),), 12, style)
    verdict = judge(render(cat, np.random.default_rng(0), pool).pixels, cat)
    assert verdict.all
    other = Composition(cat.items, 12, "neon" if style != "neon" else "")
    assert not judge(render(cat, np.random.default_rng(0), pool).pixels, other).style


def test_each_part_of_a_verdict_can_fail_alone(pool):
    cat = THING_INDEX["cat"]
    truth = Composition((Item(cat, "left", "small", "blue"),), 5)
    picture = render(truth, np.random.default_rng(0), pool).pixels
    for items, background, things, alone in (
        ((Item(cat, "left", "small", "red"),), 5, False, True),
        ((Item(cat, "left", "small"),), 5, False, True),
        ((Item(THING_INDEX["fox"], "left", "small", "blue"),), 5, False, True),
        ((Item(cat, "right", "small", "blue"),), 5, False, False),
        ((Item(cat, "centre", "normal", "blue", 2),), 5, False, True),
        ((Item(cat, "left", "small", "blue"),), 3, True, True),
    ):
        verdict = judge(picture, Composition(items, background))
        assert (verdict.things, verdict.background) == (things, background == 5), items
        assert verdict.alone == alone, items


def test_the_shipped_encoders_grow_by_new_words_only():
    before = TextStack()
    load_shipped_text(before)
    again = TextStack()
    load_shipped_text(again)
    captions = ["a small owl on the right, forest background", "um gato grande"]
    for one, other in zip(before(captions), again(captions), strict=True):
        assert torch.equal(one, other)
    layout = Layout(before.joint_width, before.pooled_width)
    composition = Composition((Item(4, "left", "small", "blue", 1), Item(9, "right", "small", "", 2)), 12, "neon")
    targets = Targets([composition], [False])
    assert targets.counts[0].tolist() == [0, 1, 2, 0, 0, 0, 0, 0, 0]
    loss = layout(*before(captions[:1]), targets)
    assert torch.isfinite(loss)
    assert ImageShape().width == before.joint_width


def test_languages_share_the_training():
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == set(LANGUAGES)
