import numpy as np
import pytest
import torch

from engine.training.captions import caption, plain_caption
from engine.training.catalogue import WORDS
from engine.training.clips import draw_clip
from engine.training.scenes import Placed, Scene, draw_scene, swapped
from engine.training.tokenizers import CLIP_LENGTH, T5_LENGTH, clip_tokenizer, t5_tokenizer


def test_every_wording_is_made_of_known_words_and_fits(domain):
    rng = np.random.default_rng(0)
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    for draw in (draw_scene, draw_clip):
        for _ in range(400):
            text = caption(draw(rng, domain), rng)
            ids = t5(text).input_ids
            assert t5.unk_token_id not in ids, text
            assert len(ids) <= T5_LENGTH, text
            assert len(clip(text).input_ids) == len(ids) + 1 <= CLIP_LENGTH, text  # one token a word, start and end


def test_captions_tell_a_pair_from_its_twin():
    scene = Scene((Placed(1, "left", "normal"), Placed(2, "right", "normal")), 13)
    rng = np.random.default_rng(0)
    ours = {caption(scene, rng) for _ in range(400)}
    theirs = {caption(swapped(scene), rng) for _ in range(400)}
    assert len(ours) > 40
    assert not ours & theirs


def test_canonical_wordings():
    assert plain_caption(Scene((Placed(1, "right", "small"),), 13)) == "a small owl on the right, forest background"
    pair = Scene((Placed(1, "top", "normal"), Placed(0, "bottom", "normal")), 0)
    assert plain_caption(pair) == "an owl above a red apple, white background"
    assert (
        plain_caption(Scene((Placed(0, "centre", "normal"),), 12, "up")) == "a red apple moving up, blue sky background"
    )


def test_words_are_single_tokens_whatever_their_case():
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    ids = [t5(w).input_ids for w in WORDS]
    assert all(len(i) == 2 and i[0] != t5.unk_token_id for i in ids)
    assert len({i[0] for i in ids}) == len(WORDS)
    assert all(len(clip(w).input_ids) == 3 for w in WORDS)
    assert clip("A Red APPLE").input_ids == clip("a red apple").input_ids
    assert t5("A Red APPLE").input_ids == t5("a red apple").input_ids
    assert t5("zeppelin").input_ids == [t5.unk_token_id, t5.eos_token_id]


@pytest.mark.parametrize("make", [clip_tokenizer, t5_tokenizer])
def test_tokenizers_survive_saving(make, tmp_path):
    tokenizer = make()
    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)
    texts = ["a small owl on the right, forest background", "", "two zeppelins"]
    options = {"padding": "max_length", "max_length": 24, "truncation": True, "return_tensors": "pt"}
    assert torch.equal(tokenizer(texts, **options).input_ids, again(texts, **options).input_ids)
    assert again.model_max_length == tokenizer.model_max_length
