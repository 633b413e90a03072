import numpy as np
import pytest
import torch

from engine.training.backgrounds import BackgroundPool
from engine.training.catalogue import BACKGROUNDS, OBJECTS
from engine.training.scenes import Domain

torch.set_num_threads(1)  # more only contend with the other test processes

ALL_BACKGROUNDS = tuple(range(len(BACKGROUNDS)))


@pytest.fixture(scope="session")
def domain() -> Domain:
    return Domain(tuple(range(len(OBJECTS))))


@pytest.fixture(scope="session")
def pictures_pool() -> BackgroundPool:
    return BackgroundPool(np.random.default_rng(3), 128, ALL_BACKGROUNDS, each=3)


@pytest.fixture(scope="session")
def clips_pool() -> BackgroundPool:
    return BackgroundPool(np.random.default_rng(3), 96, ALL_BACKGROUNDS, each=3)
