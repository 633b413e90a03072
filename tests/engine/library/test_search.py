import time
from datetime import datetime

import pytest

from engine.library import dates
from engine.library.filters import Filter
from engine.library.library import Library
from engine.library.marks import MarkChange
from engine.library.search import parse


@pytest.fixture
def shelf(library: Library, make) -> Library:
    """Owl (2023-11-14, seed 42), night owl clip, apple; the first rated and tagged, the last in an album."""
    owl = library.add(make("owl.png", prompt="a red owl, snow", seed=42, model="laterna-mini-image"))
    clip = library.add(make("clip.mp4", prompt="an owl at night", seed=423, negative_prompt="blurry"))
    apple = library.add(make("apple.png", prompt="owl red apple", model="sd3.5-large", seed=7))
    library.mark([owl.id], MarkChange(favourite=True, rating=4, add_tags=("Winter birds",)))
    library.mark([clip.id], MarkChange(rating=2, add_tags=("draft",)))
    library.mark([apple.id], MarkChange(add_albums=("My trip",)))
    return library


def found(library: Library, text: str) -> str:
    return " ".join(item.path.stem for item in library.items(library.ids(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owl", "apple clip owl"),
        ("model:mini-i", "owl"),
        ("model:sd3.5", "apple"),
        ("seed:42", "owl"),
        ("42", "clip owl"),
        ('"red owl"', "owl"),
        ('"red apple" -snow', "apple"),
        ("owl -night -apple", "owl"),
        ("-owl", ""),
        ("prompt:blurry", ""),
        ("negative:blur", "clip"),
        ("tag:win", "owl"),
        ('tag:"winter birds"', "owl"),
        ("winter", "owl"),
        ("-tag:draft owl", "apple owl"),
        ('album:"My T"', "apple"),
        ("album:my", "apple"),
        ("rating:2", "clip owl"),
        ("rating:=2", "clip"),
        ("rating:3+", "owl"),
        ("rating:0", "apple"),
        ("kind:clip", "clip"),
        ("kind:pictures", "apple owl"),
        ("is:fav", "owl"),
        ("is:missing", ""),
        ("-is:favourite kind:image", "apple"),
        ("model:mini-i seed:42 date:2023-11 owl", "owl"),
        ("date:2023", "apple clip owl"),
        ("date:2023-12", ""),
        ("date:..2022", ""),
        ("date:>2022 rating:2", "clip owl"),
        # half typed: nothing is lost meanwhile
        ("date:", "apple clip owl"),
        ("date:20", "apple clip owl"),
        ("tag:", "apple clip owl"),
        ("rating:", "apple clip owl"),
        ("rating:9", "apple clip owl"),
        # no qualifier of ours: words
        ("owl:night", "clip"),
        ("https://owl", ""),
    ],
)
def test_what_a_search_finds(shelf: Library, text: str, expected: str) -> None:
    assert found(shelf, text) == expected


def test_filters_and_words_together(shelf: Library) -> None:
    def ids(**narrowed: object) -> int:
        return len(shelf.ids("owl", Filter(**narrowed)))

    assert ids(rating=3) == 1
    assert ids(rating=-1) == 1
    assert ids(album="my trip") == ids(tag="DRAFT") == ids(model="sd3.5-large") == 1
    assert ids(album="My") == 0
    assert ids(prompt="an owl at night") == 1
    assert ids(since=1_700_000_001.0) == 2
    assert ids(since=1_700_000_001.0, until=1_700_000_002.0) == ids(until=1_700_000_001.0) == 1


def test_what_there_is_to_filter_by(shelf: Library) -> None:
    shelf.add_album("Empty")
    facets = shelf.facets()
    assert dict(facets.models)["sd3.5-large"] == 1
    assert facets.tags == (("draft", 1), ("Winter birds", 1))
    assert facets.albums == (("Empty", 0), ("My trip", 1))


def test_stacks_are_the_newest_of_each_prompt(library: Library, make) -> None:
    ids = [library.add(make(f"{n}.png", prompt=prompt, seed=n)).id for n, prompt in enumerate("abaab")]
    stacks = library.stacks()
    assert list(stacks.ids) == [ids[4], ids[3]]
    assert stacks.counts == {ids[4]: 2, ids[3]: 3}
    assert list(library.stacks(filter=Filter(prompt="a")).ids) == [ids[3]]


def test_a_long_search_is_cut_and_still_answered(shelf: Library) -> None:
    assert found(shelf, "owl " * 1000) == "apple clip owl"
    assert len(parse("kind:clip " * 100).conditions) == 16


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2024-2-3", "2024-02-03", "2024-02-04"),
        ("2024-02..2024-03", "2024-02-01", "2024-04-01"),
        ("2024..", "2024-01-01", None),
        ("..2024-05-05", None, "2024-05-06"),
        (">2024", "2025-01-01", None),
        (">=2024", "2024-01-01", None),
        ("<2024", None, "2024-01-01"),
        ("<=2024", None, "2025-01-01"),
        ("today", "2026-03-01", "2026-03-02"),
        ("yesterday", "2026-02-28", "2026-03-01"),
    ],
)
def test_days(text: str, first: str | None, after: str | None) -> None:
    span = dates.parse(text, datetime(2026, 3, 1, 15, 30))
    assert span == tuple(datetime.fromisoformat(day).timestamp() if day else None for day in (first, after))


@pytest.mark.parametrize("text", ["", "20", "2024-13", "2023-02-29", "..", "a..b", "2024..x", "99999", ">", "tomorrow"])
def test_what_is_no_day(text: str) -> None:
    assert dates.parse(text) is None


def test_today_is_now(library: Library, make) -> None:
    import os

    path = make("a.png")
    os.utime(path, (time.time(), time.time()))
    library.add(path)
    assert len(library.ids("date:today")) == 1
    assert len(library.ids("date:yesterday")) == 0
