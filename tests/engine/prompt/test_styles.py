from __future__ import annotations

from pathlib import Path

import pytest

from engine.prompt.styles import PLACE, Style, StyleStore
from engine.prompt.templates import is_template

SHIPPED = Path(__file__).resolve().parents[3] / "resources" / "styles"


@pytest.fixture
def store(tmp_path: Path) -> StyleStore:
    return StyleStore(SHIPPED, tmp_path / "styles")


def test_every_style_that_ships_is_sound(store: StyleStore) -> None:
    styles = store.all()
    assert len(styles) == len(list(SHIPPED.glob("*.json"))) >= 12
    assert {"photo", "render-3d", "line-art", "oil", "anime"} <= {style.id for style in styles}
    for style in styles:
        assert style.prompt.count(PLACE) == 1 and style.name and not style.own
        assert not is_template(style.prompt.replace(PLACE, "")) and not is_template(style.negative)
    assert [style.order for style in styles] == sorted(style.order for style in styles)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (Style("A", "photo of {prompt}, sharp", "blur"), ("photo of an owl, sharp", "text, blur")),
        (Style("B", "oil painting"), ("an owl, oil painting", "text")),
        (Style("C", "", "blur"), ("an owl", "text, blur")),
    ],
)
def test_applying(style: Style, expected: tuple[str, str]) -> None:
    assert style.apply(" an owl, ", "text,") == expected


def test_an_empty_prompt_leaves_no_comma() -> None:
    assert Style("A", "{prompt}, sharp", "blur").apply("", "") == ("sharp", "blur")


def test_own_styles_are_kept_and_removed(store: StyleStore) -> None:
    first = store.save(Style("Ma façon", "{prompt}, mine"))
    second = store.save(Style("Ma façon", "{prompt}, mine too"))
    assert (first.id, second.id) == ("ma-facon", "ma-facon-2")
    assert [style for style in store.all() if style.own] == [first, second]
    store.remove(first.id)
    assert [style for style in store.all() if style.own] == [second]


def test_an_own_style_takes_the_place_of_one_that_ships(store: StyleStore) -> None:
    photo = next(style for style in store.all() if style.id == "photo")
    store.save(Style("Photo", "{prompt}, my way", id="photo"))
    assert next(style for style in store.all() if style.id == "photo").prompt == "{prompt}, my way"
    store.remove("photo")
    assert next(style for style in store.all() if style.id == "photo") == photo


def test_files_that_are_no_styles_are_passed_over(store: StyleStore) -> None:
    store.own.mkdir()
    for name, content in (("a.json", "{"), ("b.json", '{"name": 1}'), ("../c.json", "{}"), ("d e.json", "{}")):
        (store.own / name).write_text(content)
    assert not [style for style in store.all() if style.own]
