from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.service import Running


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """``run(*engine options, **service options)`` starts a service; it is stopped when the test ends."""
    started: list[Running] = []

    def start(*engine_options: str, **options: Any) -> Running:
        started.append(Running(tmp_path, *engine_options, **options))
        return started[-1]

    yield start
    for one in started:
        if one.thread.is_alive():
            one.stop()
