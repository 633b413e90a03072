"""A loopback hub, an empty store, and a repository in the layout of SD3.5 that is small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.models.fetch import FetchOptions
from engine.models.store import Store
from tests.fakes.hub import FakeHub
from tests.fakes.hub_repositories import small_repository

QUICK = FetchOptions(segment_bytes=1 << 20, first_wait=0.01, sync_seconds=60, look_seconds=0.2)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "models")
    made.create()
    return made


@pytest.fixture
def sd35(hub: FakeHub) -> str:
    """The name of a gated repository on ``hub``."""
    hub.add(
        "stabilityai/stable-diffusion-3.5-medium",
        small_repository("stabilityai/stable-diffusion-3.5-medium"),
        gated=True,
    )
    return "stabilityai/stable-diffusion-3.5-medium"
