"""Pictures and clips of other programs in the library's folder show their prompt, and search finds it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from engine.interop.made_by import made_by
from engine.library.library import Library
from engine.library.schema import MIGRATIONS
from tests.corpus.graph_case import rest
from tests.corpus.graphs import G
from tests.engine.interop.pictures import png

CORPUS = Path(__file__).parents[2] / "corpus" / "metadata"
FILES = {
    "a1111-plain.png": "Automatic1111",
    "comfyui.png": "ComfyUI",
    "swarm-plain.png": "SwarmUI",
    "novelai-3.png": "NovelAI",
    "invokeai-dream-plain.png": "InvokeAI",
    "drawthings-plain.png": "Draw Things",
    "easydiffusion.png": "Easy Diffusion",
    "fooocus-own.png": "Fooocus",
    "stealth-alpha.png": "Automatic1111",
}


@pytest.fixture(autouse=True)
def folder(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize("name", list(FILES))
def test_what_others_made_is_found_by_its_words(name: str, library: Library, output: Path) -> None:
    shutil.copy(CORPUS / name, output / name)
    library.reconcile()
    (id,) = library.ids("kite") or library.ids("赤い凧")
    (item,) = library.items([id])
    assert item.program == FILES[name] and item.recipe is not None
    assert item.prompt == item.recipe.prompt and item.path.name == name
    assert item.negative_prompt == "blurry" or name.startswith("invokeai")
    assert list(library.ids("zeppelin")) == []
    assert library.check().ok


def test_a_model_that_laterna_does_not_run(library: Library, output: Path) -> None:
    g = G()
    rest(g, g("CheckpointLoaderSimple", ckpt_name="flux1-dev-fp8.safetensors"), words="a green zeppelin")
    (output / "flux.png").write_bytes(png({"prompt": json.dumps(g.api())}))
    library.reconcile()
    (item,) = library.items(library.ids("zeppelin"))
    assert (item.program, item.recipe, item.prompt, item.negative_prompt) == (
        "ComfyUI",
        None,
        "a green zeppelin",
        "blurry",
    )


def test_what_is_nobodys_and_what_is_damaged(library: Library, output: Path) -> None:
    (output / "plain.png").write_bytes(png({"Comment": "made with love"}))
    (output / "odd.png").write_bytes(png({"parameters": "\0" * 50, "prompt": "{" * 3000, "workflow": "[]"}))
    library.reconcile()
    assert [(one.program, one.prompt, one.recipe) for one in library.items(library.ids())] == [("", "", None)] * 2
    assert made_by(output / "nowhere.png").program == ""


def test_files_that_were_there_before_are_read_again(tmp_path: Path) -> None:
    """An index of an earlier Laterna knows nothing of other programs."""
    output = tmp_path / "output"
    output.mkdir(exist_ok=True)
    shutil.copy(CORPUS / "a1111-plain.png", output / "kite.png")
    path = tmp_path / "library.sqlite3"
    library = Library(path, output)
    library.reconcile()
    library.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE items SET recipe = NULL, prompt = '', model = '', seed = ''")
        connection.execute("ALTER TABLE items DROP COLUMN program")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
    connection.close()
    library = Library(path, output)
    library.reconcile()
    assert [one.program for one in library.items(library.ids("kite"))] == ["Automatic1111"]
    library.close()
