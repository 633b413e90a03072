"""A third family, a tiny model of it, and what it needs of memory, as simulated here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.families.base import Family
from engine.memory.footprints import Footprints
from engine.memory.inventory import networks_of
from engine.worker.residency.simulate import footprint
from tests.fakes.third_family.registered import registered
from tests.fakes.third_family.saved import save_folder


@pytest.fixture(scope="session")
def twofold_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("models") / "twofold")


@pytest.fixture(scope="session")
def twofold_footprints(twofold_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that keeps what its networks need."""
    folder = tmp_path_factory.mktemp("footprints")
    known = Footprints(folder)
    with registered():
        for _name, cls, config in networks_of(twofold_folder):
            if known.find(cls, config) is None:
                known.keep(footprint(cls, config))
    return folder


@pytest.fixture
def twofold() -> Iterator[Family]:
    with registered() as family:
        yield family
