from contextlib import closing
from pathlib import Path

from app.cli.bench_start import fill
from app.paths import Paths
from engine.jobs.queue import JobQueue
from engine.library.library import Library


def test_the_full_home_is_full(tmp_path: Path) -> None:
    fill(str(tmp_path), rows=30, jobs=7)
    paths = Paths.find(str(tmp_path))
    with closing(Library(paths.library_database, paths.output)) as library:
        assert len(library.ids()) == 30
    with closing(JobQueue(paths.queue_database)) as queue:
        assert len(queue.active()) == 7
