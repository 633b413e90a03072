"""Files made to break an import end in a sentence, or in a recipe that fits, within a second."""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.interop.open_file import Importer
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadFile, KnownError
from engine.protocol.family_info import validate
from tests.engine.interop.comfy_nodes import NODES
from tests.engine.interop.corpus_parts import Parts, minimal
from tests.engine.interop.recipes import few

LIMIT = 1.0


def opened(content: bytes, tmp_path: Path) -> str:
    """The sentence of the failure, or "" for a recipe that can run; in time in either case."""
    path = tmp_path / "hostile.json"
    path.write_bytes(content)
    start = time.process_time()
    try:
        result = Importer().open(path)
    except KnownError as error:
        sentence = error.message
        assert error.message.endswith(".") and error.remedy
    else:
        sentence = ""
        if result.recipe is not None:
            validate(result.recipe, FAMILIES[result.recipe.family])
        else:
            sentence = " ".join(result.ignored)
        every = (*result.understood, *result.approximated, *result.ignored)
        assert all(len(line) < 2000 and "\n" not in line for line in every)
        assert len(every) <= 310
    assert time.process_time() - start < LIMIT
    return sentence


def graph(change: Callable[[dict[str, Any]], None]) -> bytes:
    nodes = minimal()[0].api()
    change(nodes)
    return json.dumps(nodes).encode()


def doubling() -> bytes:
    """Combining with itself, forty times over: 2⁴⁰ prompts."""
    p = Parts()
    both = p.text("a")
    for _ in range(40):
        both = (p.g.add("ConditioningCombine", conditioning_1=both, conditioning_2=both), 0)
    return json.dumps(p.saved(p.sampled(positive=both)).api()).encode()


def averaging() -> bytes:
    p = Parts()
    both = p.text("a")
    for _ in range(40):
        both = (
            p.g.add("ConditioningAverage", conditioning_to=both, conditioning_from=both, conditioning_to_strength=0.5),
            0,
        )
    return json.dumps(p.saved(p.sampled(positive=both)).api()).encode()


def long_chain(kind: str) -> bytes:
    p = Parts()
    for _ in range(5000):
        p.model = (p.g.add(kind, model=p.model, shift=3.0, lora_name="x", strength_model=1.0), 0)
    return json.dumps(p.saved(p.sampled()).api()).encode()


def deep_conditioning() -> bytes:
    p = Parts()
    link = p.text("a")
    for _ in range(3000):
        link = (p.g.add("ConditioningZeroOut", conditioning=link), 0)
    return json.dumps(p.saved(p.sampled(positive=link)).api()).encode()


def many_samplers() -> bytes:
    p = Parts()
    latent = p.latent()
    sides = {"positive": p.text("a"), "negative": p.text("b")}
    for _ in range(2000):
        latent = p.sampled(latent_image=latent, **sides)
    return json.dumps(p.saved(latent).api()).encode()


def bombs() -> bytes:
    """Subgraphs of two of the next, fifteen deep: 2¹⁵ nodes."""
    inner = [
        {
            "id": f"s{i}",
            "nodes": [{"id": 1, "type": f"s{i + 1}"}, {"id": 2, "type": f"s{i + 1}"}],
            "links": [],
            "inputs": [],
            "outputs": [],
        }
        for i in range(15)
    ]
    return json.dumps({"nodes": [{"id": 1, "type": "s0"}], "links": [], "definitions": {"subgraphs": inner}}).encode()


def own_tail() -> bytes:
    definition = {"id": "s", "nodes": [{"id": 1, "type": "s"}], "links": [], "inputs": [], "outputs": []}
    nodes = [{"id": 1, "type": "s"}]
    return json.dumps({"nodes": nodes, "links": [], "definitions": {"subgraphs": [definition]}}).encode()


def reroute_circle() -> bytes:
    ui = minimal()[0].ui()
    for id, other in ((100, 101), (101, 100)):
        ui["nodes"].append({"id": id, "type": "Reroute", "mode": 0, "inputs": [{"name": "", "type": "*", "link": id}]})
        ui["links"].append([id, other, 0, id, 0, "*"])
    sampler = next(node for node in ui["nodes"] if node["type"] == "KSampler")
    ui["links"].append([200, 100, 0, 6, 3, "LATENT"])
    sampler["inputs"][3]["link"] = 200
    return json.dumps(ui).encode()


def reroute_chain() -> bytes:
    ui = minimal()[0].ui()
    sampler = next(node for node in ui["nodes"] if node["type"] == "KSampler")
    last = next(link for link in ui["links"] if link[0] == sampler["inputs"][3]["link"])[1]
    for id in range(1000, 6000):
        ui["nodes"].append({"id": id, "type": "Reroute", "mode": 0, "inputs": [{"name": "", "type": "*", "link": id}]})
        ui["links"].append([id, last, 0, id, 0, "*"])
        last = id
    ui["links"].append([9999, last, 0, 6, 3, "LATENT"])
    sampler["inputs"][3]["link"] = 9999
    return json.dumps(ui).encode()


SENTENCES: dict[str, tuple[Callable[[], bytes], str]] = {
    "circle": (lambda: graph(lambda n: n["1"]["inputs"].update(model=["8", 0], ckpt_name=["8", 0])), "in circles"),
    "self": (lambda: graph(lambda n: n["6"]["inputs"].update(latent_image=["6", 0])), "in circles"),
    "reroute circle": (reroute_circle, "in circles through its reroutes"),
    "a million nodes": (lambda: b"{" + b",".join(b'"%d":{}' % i for i in range(500_000)) + b"}", "workflow"),
    "a million typed nodes": (
        lambda: b'{"nodes":[' + b",".join([b"{}"] * 1_000_000) + b"]}",
        "nodes or more; Laterna reads up to 10,000",
    ),
    "very many nodes": (
        lambda: json.dumps({i: {"class_type": "x"} for i in range(100_000)}).encode(),
        "100,000 nodes",
    ),
    "deep": (lambda: b"[" * 1_000_000, "nested too deeply"),
    "deep objects": (lambda: b'{"a":' * 500_000, "nested too deeply"),
    "deep inside": (
        lambda: b'{"1":{"class_type":"KSampler","inputs":{"seed":' + b"[" * 900 + b"]" * 900 + b"}}}",
        "",
    ),
    "doubling": (doubling, "combines more than 64 conditionings"),
    "averaging": (averaging, "averages more than 16"),
    "deep conditioning": (deep_conditioning, "more than 100 deep"),
    "many samplers": (many_samplers, "more than 256 samplers"),
    "subgraph bombs": (bombs, "nodes or more"),
    "subgraph in itself": (own_tail, "deep, or one that holds itself"),
    "no JSON": (lambda: b"{nope}", "This is no JSON"),
    "other JSON": (lambda: b'{"a": 1}', "no workflow that Laterna knows"),
    "empty": (lambda: b"", "neither a workflow nor"),
    "binary": (lambda: bytes(range(256)) * 100, "neither a workflow nor"),
    "a number": (lambda: b"[1]", "no workflow"),
    "digits": (lambda: b'{"a": ' + b"1" * 100_000 + b"}", "This is no JSON"),
    "no nodes": (lambda: b'{"nodes": [], "links": []}', "has no sampler"),
    "odd nodes": (lambda: b'{"nodes": [1, null, {"id": {}, "type": []}], "links": [1, [], [[]]]}', "has no sampler"),
}


@pytest.mark.parametrize("name", list(SENTENCES))
def test_ends_in_a_sentence(name: str, tmp_path: Path) -> None:
    make, sentence = SENTENCES[name]
    assert sentence in opened(make(), tmp_path)


@pytest.mark.parametrize("kind", ["LoraLoaderModelOnly", "ModelSamplingSD3", "Unknown"])
def test_long_chains_of_models(kind: str, tmp_path: Path) -> None:
    opened(long_chain(kind), tmp_path)


def test_a_long_chain_of_reroutes_is_followed(tmp_path: Path) -> None:
    assert opened(reroute_chain(), tmp_path) == ""


ABSURD = [
    1e308,
    -1e308,
    10**30,
    -(10**30),
    -1,
    0,
    None,
    True,
    "NaN",
    "1e999",
    "∞",
    [],
    {},
    ["6", 0],
    [[], 0],
    "x" * 50_000,
]


@pytest.mark.parametrize("place", range(len(ABSURD)))
@pytest.mark.parametrize("node", ["3", "5", "6"])
def test_absurd_values(node: str, place: int, tmp_path: Path) -> None:
    """Each widget of a node in turn is given a value that it cannot have."""
    for name in minimal()[0].api()[node]["inputs"]:
        opened(graph(lambda n, name=name: n[node]["inputs"].update({name: ABSURD[place]})), tmp_path)  # type: ignore[misc]


def test_nan_and_infinity(tmp_path: Path) -> None:
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        content = graph(lambda n: n["6"]["inputs"].update(cfg="@", denoise="@", steps="@", seed="@"))
        assert opened(content.replace(b'"@"', number), tmp_path) == ""


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "C:\\Windows\\system.ini", "\0", "a" * 5000, "..", ""]
)
def test_no_folder_of_a_foreign_file_is_used(name: str, tmp_path: Path) -> None:
    p = Parts(ckpt_name=name)
    image = p.g.add("LoadImage", image=name)
    p.model = (p.g.add("LoraLoaderModelOnly", model=p.model, lora_name=name, strength_model=1.0), 0)
    latent = p.sampled(latent_image=(p.g.add("VAEEncode", pixels=(image, 0), vae=p.vae), 0), denoise=0.5)
    path = tmp_path / "paths.json"
    path.write_text(json.dumps(p.saved(latent).api()))
    result = Importer().open(path)
    assert result.recipe is not None
    text = result.recipe.to_json() + "".join(missing.file for missing in result.missing)
    assert "etc" not in text and "Windows" not in text and len(text) < 3000


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
links = st.tuples(st.sampled_from([str(i) for i in range(12)]), st.integers(-1, 3)).map(list)
names = sorted({name.rstrip("!") for sockets, _, widgets in NODES.values() for name in (*sockets, *widgets)})


@few
@given(
    st.dictionaries(
        st.sampled_from([str(i) for i in range(12)]),
        st.fixed_dictionaries(
            {
                "class_type": st.sampled_from(sorted(NODES)),
                "inputs": st.dictionaries(st.sampled_from(names), values | links | links, max_size=12),
            }
        ),
        min_size=3,
    )
)
def test_random_graphs(tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Any]) -> None:
    nodes["s"] = {"class_type": "SaveImage", "inputs": {"images": ["k", 0]}}
    nodes["k"] = {
        "class_type": "KSampler",
        "inputs": {name: ["1", 0] for name in ("model", "positive", "negative", "latent_image")},
    }
    opened(json.dumps(nodes).encode(), tmp_path_factory.getbasetemp())


@few
@given(st.data())
def test_damaged_editor_files(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A value anywhere in an editor file is replaced by something else."""
    ui = minimal()[0].ui()
    place: Any = ui
    for _ in range(data.draw(st.integers(1, 5))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            place[key] = data.draw(values | st.just([]) | st.just({}) | st.just([[]]))
            break
        place = place[key]
    opened(json.dumps(ui).encode(), tmp_path_factory.getbasetemp())


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


HEAD = (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
PICTURES = {
    "no text": _png(HEAD, (b"IEND", b"")),
    "cut": _png(HEAD)[:20],
    "zip bomb": _png(HEAD, (b"zTXt", b"prompt\0\0" + zlib.compress(b"a" * 200_000_000, 9))),
    "zipped itxt bomb": _png(HEAD, (b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(b"[" * 100_000_000, 9))),
    "half a chunk": _png(HEAD) + struct.pack(">I", 2**31 - 1) + b"tEXt" + b"prompt",
    "deep prompt": _png(HEAD, (b"tEXt", b"prompt\0" + b'{"a":' * 100_000)),
    "many chunks": _png(HEAD, *[(b"tEXt", b"a\0b")] * 50_000),
    "webp without end": b"RIFF\xff\xff\xff\xffWEBPEXIF\xff\xff\xff\x7f" + b"II*\0\xff\xff\xff\xff",
    "exif in circles": b"RIFF\xff\0\0\0WEBPEXIF\x40\0\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0",
    "jpeg of nothing": b"\xff\xd8\xff\xe1\0\0",
}


@pytest.mark.parametrize("name", list(PICTURES))
def test_hostile_pictures(name: str, tmp_path: Path) -> None:
    assert opened(PICTURES[name], tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 3_000_000 + "\nSteps: 1, Seed: 2, CFG scale: 3",
        "x\n" + "Steps: 1, " * 300_000,
        "(" * 100_000 + "\nSteps: 1, Seed: 2, CFG scale: 3",
        "(a:1.5" * 15_000 + ")" * 15_000 + "\nSteps: 1, Seed: 2, CFG scale: 3",
        'x\nSteps: 1, Seed: 2, CFG scale: 3, Model: "' + "\\" * 100_000,
        "<lora:" * 30_000 + "\nSteps: 1, Seed: 2, CFG scale: 3",
        "[a:" * 30_000 + "\nSteps: 1, Seed: 2, CFG scale: 3",
        "x\nSteps: 1e999, Seed: -5, CFG scale: nan, Size: 999999999x1",
        "x\nSteps: 5, Seed: 99999999999999999999999999, CFG scale: 3, Size: 0x0",
    ],
)
def test_hostile_settings(text: str, tmp_path: Path) -> None:
    opened(text.encode(), tmp_path)


def test_a_hundred_megabytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(b"{")
    os.truncate(path, 100_000_000)
    start = time.process_time()
    with pytest.raises(BadFile, match="has 100 MB"):
        Importer().open(path)
    assert time.process_time() - start < 0.1


def test_folders_and_devices(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "nowhere"):
        with pytest.raises(KnownError):
            Importer().open(path)
