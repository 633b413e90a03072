import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from engine.library.library import Library
from engine.library.thumbnails import ThumbnailCache
from engine.protocol.errors import BadFile


def size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        return image.size


@pytest.mark.parametrize("name", ["a.png", "a.mp4"])
def test_a_thumbnail_keeps_the_shape_and_is_never_enlarged(tmp_path: Path, library: Library, make, name: str) -> None:
    item = library.add(make(name))
    cache = ThumbnailCache(tmp_path / "thumbnails")
    assert size(cache.get(item, 16)) == (16, 8)
    assert size(cache.get(item, 512)) == (32, 16)


def test_the_second_time_it_comes_from_the_disk(tmp_path: Path, library: Library, make) -> None:
    item = library.add(make("a.png"))
    first = ThumbnailCache(tmp_path / "thumbnails").get(item, 16)
    item.path.unlink()
    assert ThumbnailCache(tmp_path / "thumbnails").get(item, 16) == first
    with pytest.raises(BadFile, match="not there any more"):
        ThumbnailCache(tmp_path / "other").get(item, 16)


def test_a_changed_file_has_a_new_thumbnail(tmp_path: Path, library: Library, make) -> None:
    cache = ThumbnailCache(tmp_path / "thumbnails")
    before = cache.get(library.add(make("a.png")), 16)
    assert cache.get(library.add(make("a.png")), 16) != before


@pytest.mark.parametrize("name", ["a.png", "a.mp4"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, library: Library, make, name: str) -> None:
    item = library.add(make(name))
    item.path.write_bytes(item.path.read_bytes()[:200])
    with pytest.raises(BadFile):
        ThumbnailCache(tmp_path / "thumbnails").get(item, 16)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, library: Library, make) -> None:
    (tmp_path / "file").write_text("x")
    assert size(ThumbnailCache(tmp_path / "file" / "thumbnails").get(library.add(make("a.png")), 16)) == (16, 8)


def test_the_disk_cache_is_bounded_and_the_unused_go_first(tmp_path: Path, library: Library, make) -> None:
    items = [library.add(make(f"{number}.png")) for number in range(12)]
    folder = tmp_path / "thumbnails"
    one = len(ThumbnailCache(folder).get(items[0], 16))
    cache = ThumbnailCache(folder, max_bytes=one * 6)
    for age, item in enumerate(items):
        cache.get(item, 16)
        for path in folder.glob("*/*.jpg"):
            if path.stat().st_mtime > 1_700_001_000:
                os.utime(path, (1_600_000_000 + age, 1_600_000_000 + age))
    kept = list(folder.glob("*/*.jpg"))
    assert 0 < sum(path.stat().st_size for path in kept) <= one * 6
    assert max(path.stat().st_mtime for path in kept) == 1_600_000_011


def test_a_pool_of_threads_may_ask_at_once(tmp_path: Path, library: Library, make) -> None:
    items = [library.add(make(f"{number}.png")) for number in range(6)]
    cache = ThumbnailCache(tmp_path / "thumbnails")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda item: cache.get(item, 16), items * 4))
    assert found == found[:6] * 4
