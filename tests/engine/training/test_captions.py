import numpy as np
import pytest
import torch

from engine.training.captions import caption, plain_caption
from engine.training.catalogue import BACKGROUNDS, OBJECTS
from engine.training.clips import draw_clip
from engine.training.evaluate import held_out_clips, held_out_scenes
from engine.training.image import make_batch
from engine.training.portuguese import NOUNS, SCENERY, portuguese_caption, without_accents
from engine.training.scenes import Placed, Scene, draw_bare, draw_scene, swapped
from engine.training.tokenizers import CLIP_LENGTH, T5_LENGTH, clip_tokenizer, t5_tokenizer
from engine.training.vocabulary import WORDS


def test_every_wording_is_made_of_known_words_and_fits(domain):
    rng = np.random.default_rng(0)
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    for draw in (draw_scene, draw_clip):
        for n in range(600):
            text = caption(draw(rng, domain), rng, n % 5 != 0, portuguese=0.5)
            ids = t5(text).input_ids
            assert t5.unk_token_id not in ids, text
            assert len(ids) <= T5_LENGTH, text
            assert len(clip(text).input_ids) == len(ids) + 1 <= CLIP_LENGTH, text  # one token a word, start and end


def test_captions_tell_a_pair_from_its_twin():
    scene = Scene((Placed(1, "left", "normal"), Placed(2, "right", "normal")), 13)
    rng = np.random.default_rng(0)
    ours = {caption(scene, rng, portuguese=0.5) for _ in range(600)}
    theirs = {caption(swapped(scene), rng, portuguese=0.5) for _ in range(600)}
    assert len(ours) > 80
    assert not ours & theirs


def test_portuguese_has_every_object_and_background_and_says_the_same():
    assert len(NOUNS) == len(OBJECTS)
    assert set(SCENERY) == {b.name for b in BACKGROUNDS}
    scene = Scene((Placed(1, "left", "small"), Placed(4, "right", "small")), 13)
    rng = np.random.default_rng(0)
    texts = {portuguese_caption(scene, rng) for _ in range(800)}
    assert "uma coruja pequena à esquerda de um gato pequeno, fundo de floresta" in texts
    assert "um gato pequeno à direita da coruja pequena na floresta" in texts
    assert without_accents("coração à esquerda") == "coracao a esquerda"


def test_no_evaluation_prompt_is_a_training_caption(domain, pictures_pool):
    """Compositions are held out, and a caption that names the background says one composition only; so none of the
    evaluation's prompts can come up in training, in whatever wording."""
    prompts = {text for singles in (1.0, 0.0) for _, text in held_out_scenes(domain, 200, singles)}
    prompts |= {text for _, text in held_out_clips(domain, 200)}
    rng = np.random.default_rng(0)
    scenes = [s for _ in range(60) for s in make_batch(rng, domain, pictures_pool, 64, 0.6).scenes]
    scenes += [draw_clip(rng, domain) for _ in range(2000)]
    scenes += [draw_bare(rng, domain) for _ in range(200)]
    assert not any(s.held_out for s in scenes)
    captions = {caption(s, rng, background, 0.2) for s in scenes for background in (True, False)}
    assert len(captions) > 8000
    assert not prompts & captions
    held_out = {s.key for s, _ in held_out_scenes(domain, 200)}
    assert all(caption(s, rng) not in prompts for s in scenes if s.key not in held_out)


def test_a_wording_with_a_background_says_one_composition_only(domain):
    """The other half of the proof: no two compositions share a caption."""
    rng = np.random.default_rng(0)
    meant: dict[str, str] = {}
    small = type(domain)((0, 1, 6, 32), (3, 12, 14))
    for _ in range(6000):
        for scene in (draw_scene(rng, small), draw_clip(rng, small)):
            text = caption(scene, rng, portuguese=0.5)
            meaning = scene.key if scene.motion != "still" else scene.key.removesuffix("|still")
            items = meaning.split("|")[0]
            assert meant.setdefault(text, meaning).split("|")[0] == items, text
            assert meant[text] == meaning, text


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
    assert all(len(clip(w).input_ids) == 3 for w in WORDS if w != "3d")  # CLIP takes digits by themselves
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
