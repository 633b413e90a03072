from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from engine.interop import clip_texts
from engine.interop.model_files import KnownModels
from engine.interop.open_file import Importer
from engine.interop.recipe_file import import_file, read_recipe_file
from engine.protocol.errors import BadFile, KnownError
from tests.engine.interop.corpus_parts import minimal
from tests.engine.interop.pictures import box, mp4, vhs_comment, webm

GRAPH, EDITOR = minimal()[0].api(), minimal()[0].ui()
HERE = KnownModels({"sd3.5-large": "sd35"})
FILES = {
    "comfyui.mp4": mp4({"prompt": json.dumps(GRAPH), "workflow": json.dumps(EDITOR)}),
    "comfyui.webm": webm({"prompt": json.dumps(GRAPH), "workflow": json.dumps(EDITOR)}),
    "vhs.mp4": mp4({"comment": vhs_comment(GRAPH, EDITOR)}, by_keys=False),
    "vhs-keys.mp4": mp4({"comment": vhs_comment(GRAPH)}),
    "vhs.webm": webm({"comment": vhs_comment(GRAPH, EDITOR)}),
    "vhs.mkv": webm({"encoder": "x", "comment": vhs_comment(GRAPH)}),
    "only-the-editors.mov": mp4({"workflow": json.dumps(EDITOR)}, brand=b"qt  "),
}


@pytest.mark.parametrize("name", list(FILES))
def test_graphs_in_clips(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    for result in (Importer(HERE).open(path), import_file(path, HERE)):
        assert result.source == "ComfyUI" and result.recipe is not None
        assert (result.recipe.prompt, result.recipe.negative_prompt) == ("a red boat", "blurry")
        assert (result.recipe.seed, result.recipe.steps, result.recipe.model) == (7, 20, "sd3.5-large")


def test_without_texts(tmp_path: Path) -> None:
    for name, content in (("a.mp4", mp4({})), ("a.webm", webm({})), ("b.mp4", mp4({"comment": "made with love"}))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadFile, match="no recipe"):
            Importer().open(tmp_path / name)
        with pytest.raises(KnownError):
            read_recipe_file(tmp_path / name, HERE)


HOSTILE = {
    "a box longer than the file": box(b"ftyp", b"isom") + b"\x7f\xff\xff\xff" + b"moov" + b"\0" * 50,
    "a box of no length": box(b"ftyp", b"isom") + b"\0\0\0\4" + b"moov",
    "boxes in boxes": box(b"ftyp", b"isom")
    + b"".join((8 * (1000 - i)).to_bytes(4, "big") + b"udta" for i in range(1000)),
    "a long of nothing": box(b"ftyp", b"isom") + b"\0\0\0\1" + b"moov" + b"\xff" * 8,
    "keys without items": box(b"ftyp", b"isom") + box(b"moov", box(b"meta", box(b"keys", b"\0" * 7), box(b"ilst"))),
    "an element longer than the file": b"\x1a\x45\xdf\xa3\x80"
    + b"\x18\x53\x80\x67\x81\x12\x54\xc3\x67\x08\xff\xff\xff\xff",
    "an open segment": b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01"
    + b"\xff" * 7
    + b"\x1f\x43\xb6\x75\x01"
    + b"\xff" * 7,
    "an id of nothing": b"\x1a\x45\xdf\xa3\x80\0\0\0\0\0\0\0\0",
    "only the mark": b"\x1a\x45\xdf\xa3",
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_clips(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(KnownError) as error:
        Importer().open(path)
    assert error.value.message.endswith(".")


@pytest.mark.parametrize("name", list(FILES))
def test_cut_or_changed_anywhere(name: str, tmp_path: Path) -> None:
    source, whole = random.Random(name), FILES[name]
    path = tmp_path / name
    for _ in range(150):
        content = bytearray(whole[: source.randrange(12, len(whole))] if source.random() < 0.5 else whole)
        for _ in range(source.randrange(3)):
            content[source.randrange(len(content))] = source.randrange(256)
        path.write_bytes(content)
        try:
            Importer(HERE).open(path)
        except KnownError as error:
            assert error.message.endswith(".")
    assert clip_texts.is_clip(whole[:16])
