import numpy as np
import pytest
import torch

from engine.training.backgrounds import BackgroundPool
from engine.training.catalogue import BACKGROUNDS, OBJECTS
from engine.training.scenes import Domain
from engine.training.sprites import find_font

torch.set_num_threads(1)  # more only contend with the other test processes

ALL_BACKGROUNDS = tuple(range(len(BACKGROUNDS)))


@pytest.fixture(scope="session")
def font():
    if find_font() is None:
        pytest.fail("Noto Color Emoji is not installed (Debian: fonts-noto-color-emoji; or set LATERNA_EMOJI_FONT)")


@pytest.fixture(scope="session")
def domain() -> Domain:
    return Domain(tuple(range(len(OBJECTS))))


@pytest.fixture(scope="session")
def pictures_pool(font) -> BackgroundPool:
    return BackgroundPool(np.random.default_rng(3), 128, ALL_BACKGROUNDS, each=3)


@pytest.fixture(scope="session")
def clips_pool(font) -> BackgroundPool:
    return BackgroundPool(np.random.default_rng(3), 96, ALL_BACKGROUNDS, each=3)
