import torch

from engine.training.timesteps import uniform


def test_each_rank_draws_from_its_own_interval_and_together_they_cover_the_range():
    generator = torch.Generator().manual_seed(0)
    drawn = [uniform(5000, generator, part, 8) for part in range(8)]
    for part, found in enumerate(drawn):
        assert found.min() == part * 125
        assert found.max() == part * 125 + 124
    counts = torch.cat(drawn).bincount(minlength=1000)
    assert counts.min() > 0
    assert counts.float().std() < 1.2 * 40**0.5  # as even as drawing from the whole range would be


def test_one_rank_draws_from_the_whole_range_as_before():
    ours = uniform(64, torch.Generator().manual_seed(3))
    assert torch.equal(ours, torch.randint(0, 1000, (64,), generator=torch.Generator().manual_seed(3)))
