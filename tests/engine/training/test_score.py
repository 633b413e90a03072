import numpy as np
import pytest

from engine.training.catalogue import MOTIONS
from engine.training.clips import draw_clip, render_clip
from engine.training.scenes import Placed, Scene, draw_scene, render
from engine.training.score import FLICKER, flicker, score_clip, score_picture


@pytest.mark.parametrize("singles", [1.0, 0.0])
def test_truth_scores_and_shuffled_prompts_do_not(singles, domain, pictures_pool):
    rng = np.random.default_rng(4)
    scenes = [draw_scene(rng, domain, singles) for _ in range(100)]
    pictures = [render(s, rng, pictures_pool).pixels for s in scenes]
    true = [score_picture(p, s) for p, s in zip(pictures, scenes, strict=True)]
    shuffled = [score_picture(p, s) for p, s in zip(pictures, scenes[1:] + scenes[:1], strict=True)]
    assert np.mean([s.all for s in true]) >= 0.98
    assert np.mean([s.all for s in shuffled]) <= 0.05
    assert np.mean([all(s.objects) for s in shuffled]) <= 0.05


@pytest.mark.parametrize("frames", [9, 17])
def test_true_clips_score_and_other_motions_do_not(frames, domain, clips_pool):
    rng = np.random.default_rng(5)
    scenes = [draw_clip(rng, domain) for _ in range(40)]
    clips = [render_clip(s, rng, clips_pool, frames).frames for s in scenes]
    assert np.mean([score_clip(c, s).all for c, s in zip(clips, scenes, strict=True)]) >= 0.97
    others = [Scene(s.items, s.background, MOTIONS[(MOTIONS.index(s.motion) + 1) % 5]) for s in scenes]
    assert np.mean([all(score_clip(c, s).objects) for c, s in zip(clips, others, strict=True)]) <= 0.05


def test_each_part_of_a_score_can_fail_alone(pictures_pool):
    scene = Scene((Placed(0, "left", "normal"),), 12)
    picture = render(scene, np.random.default_rng(0), pictures_pool).pixels
    assert score_picture(picture, scene).all
    for wrong, objects, background in (
        (Scene((Placed(51, "left", "normal"),), 12), (False,), True),  # an orange
        (Scene((Placed(0, "right", "normal"),), 12), (False,), True),
        (Scene((Placed(0, "left", "small"),), 12), (False,), True),
        (Scene((Placed(0, "left", "normal"),), 13), (True,), False),
    ):
        score = score_picture(picture, wrong)
        assert (score.objects, score.background) == (objects, background), wrong.key


def test_a_blurred_or_noisy_sprite_is_still_known_and_noise_is_not(pictures_pool):
    rng = np.random.default_rng(6)
    scene = Scene((Placed(1, "centre", "normal"),), 13)
    picture = render(scene, rng, pictures_pool).pixels
    assert score_picture((picture + rng.normal(0, 0.08, picture.shape)).clip(0, 1), scene).all
    assert not score_picture(rng.uniform(0, 1, picture.shape), scene).objects[0]
    empty = pictures_pool.pick(13, rng)
    assert not score_picture(empty, scene).objects[0]


@pytest.mark.parametrize("frames", [9, 17])
def test_flicker_is_nothing_in_truth_and_seen_where_a_background_changes(frames, domain, clips_pool):
    rng = np.random.default_rng(8)
    scenes = [draw_clip(rng, domain) for _ in range(20)]
    for scene in scenes:
        clip = render_clip(scene, rng, clips_pool, frames).frames
        assert score_clip(clip, scene).flicker == pytest.approx(0, abs=1e-6)
        lighter = clip + 0.06 * (np.arange(frames) % 2)[:, None, None, None]  # every other frame 6 % lighter
        noisy = clip + rng.normal(0, 0.03, clip.shape)
        assert score_clip(lighter, scene).flicker > FLICKER
        assert score_clip(noisy, scene).flicker > FLICKER
        faint = clip + 0.01 * (np.arange(frames) % 2)[:, None, None, None]
        assert score_clip(faint, scene).flicker < FLICKER


def test_another_scenery_in_every_other_frame_flickers(clips_pool):
    scene = Scene((Placed(0, "centre", "normal"),), 13, "left")  # in a forest
    clips = [render_clip(scene, np.random.default_rng(seed), clips_pool, 9).frames for seed in range(9)]
    clip = clips[0]
    clip[::2] = next(c for c in clips if not np.array_equal(c, clip))[::2]
    assert score_clip(clip, scene).flicker > FLICKER


def test_flicker_does_not_count_what_moves_as_told():
    clip = np.zeros((9, 96, 96, 3))
    path = [(16 + 2 * f, 32) for f in range(9)]
    for f, (x, y) in enumerate(path):
        clip[f, y : y + 48, x : x + 48] = 1
    assert flicker(clip, path) == 0
    assert flicker(clip, [(48, 0), *path[1:]]) > FLICKER  # it was somewhere else than told
    assert flicker(clip, [(16, 32)] * 9) > FLICKER  # it was told to stand still
