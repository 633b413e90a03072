"""What a report says was read stands in the recipe, and what it names stands in the graph."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from engine.interop.open_file import Importer
from engine.interop.report import ImportResult
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe
from tests.corpus.test_readings import FILES, MODELS

GRAPHS = [path for path in FILES if path.parent.name == "graphs"]
LABEL = re.compile(r"([A-Za-z+|.()/?\w][^“”#,;]*?) #(\w+(?:[:/]\w+)*)")
# What may stand between a value as it was read and as the recipe has it: the sentence that says so.
CHANGED = {
    "steps": "Steps: ",
    "sampler": "has no sampler",
    "scheduler": "has no scheduler",
    "guidance": "Guidance",
    "seed": "is beyond Laterna's",
}


def _settings(found: re.Match[str], recipe: Recipe, result: ImportResult) -> None:
    for name, sentence in CHANGED.items():
        value = getattr(recipe, name)
        said = found[name]
        same = f"{value:g}" == said if isinstance(value, float) else str(value) == said
        assert same or any(sentence in line for line in result.approximated), (name, said, value)


def _start(found: re.Match[str], recipe: Recipe, result: ImportResult) -> None:
    start = recipe.input_of("start")
    assert start is not None and start.path == found["file"] and f"{start.strength:g}" == found["strength"]


def _first(found: re.Match[str], recipe: Recipe, result: ImportResult) -> None:
    start = recipe.input_of("first_frame")
    assert start is not None and start.path == found["file"]


def _model(found: re.Match[str], recipe: Recipe, result: ImportResult) -> None:
    assert recipe.model == found["model"]


def _batch(found: re.Match[str], recipe: Recipe, result: ImportResult) -> None:
    assert recipe.batch % int(found["times"]) == 0


def _named(found: re.Match[str], recipe: Recipe, result: ImportResult) -> None:
    """Checked as every name is: it stands in the file."""


SAMPLED = (
    r".+: (?P<steps>\d+) steps of (?P<sampler>\S+) with (?P<scheduler>\S+),"
    r" guidance (?P<guidance>\S+), seed (?P<seed>\d+)\."
)
UNDERSTOOD = (
    (SAMPLED, _settings),
    (r"It starts from the picture “(?P<file>.+)” with a denoise strength of (?P<strength>[\d.e-]+)\.", _start),
    (r"The clip begins with the picture “(?P<file>.+)”\.", _first),
    (r".+ is the model (?P<model>\S+)\.", _model),
    (r".+ repeats the latent (?P<times>\d+) times\.", _batch),
    (r"(?P<file>.+) is the (CLIP-L|CLIP-G|T5|VAE) that comes with the model\.", _named),
    (r".+ of .+ comes from .+\.", _named),
    (r"Of \d+ samplers .+ was picked: .+\.", _named),
)  # fmt: skip


def check(result: ImportResult, text: str) -> None:
    """``text`` is the file's: what sentences name stands in it."""
    recipe = result.recipe
    if recipe is not None:
        for line in result.understood:
            matches = [(found, test) for pattern, test in UNDERSTOOD if (found := re.fullmatch(pattern, line))]
            assert matches, f"no check for: {line}"
            for found, test in matches:
                test(found, recipe, result)
    plain = json.dumps(json.loads(text), ensure_ascii=False)
    for line in (*result.understood, *result.approximated, *result.ignored):
        for kind, id in LABEL.findall(line):
            last = re.split(r":|/", id)[-1]
            assert f'"{id}"' in plain or f'"id": {last}' in plain or f'"index": {last}' in plain, (kind, id, line)
        for quoted in re.findall(r"“([^”…]+)”", line):
            assert quoted in plain or quoted.split("/")[-1] in plain, (quoted, line)


@pytest.mark.parametrize("file", GRAPHS, ids=lambda path: path.name)
def test_every_sentence_is_true(file: Path) -> None:
    try:
        result = Importer(MODELS).open(file)
    except BadFile:
        return
    check(result, file.read_text("utf-8"))


API = [path for path in GRAPHS if path.name.endswith("-api.json")]
CHANGES: dict[str, Any] = {
    "seed": lambda source: source.randrange(2**40),
    "noise_seed": lambda source: source.randrange(2**40),
    "steps": lambda source: source.randrange(1, 120),
    "cfg": lambda source: round(source.uniform(1, 15), 2),
    "denoise": lambda source: round(source.uniform(0.05, 1), 2),
    "sampler_name": lambda source: source.choice(["euler", "heun", "dpmpp_2m", "lcm", "er_sde", "no such thing"]),
    "scheduler": lambda source: source.choice(["simple", "karras", "beta", "no such thing"]),
    "width": lambda source: 64 * source.randrange(4, 30),
    "height": lambda source: 64 * source.randrange(4, 30),
    "batch_size": lambda source: source.randrange(1, 9),
    "strength": lambda source: round(source.uniform(0, 2), 2),
    "text": lambda source: source.choice(["a boat", "(a boat:1.2)", "embedding:boat", ""]),
    "image": lambda source: source.choice(["boat.png", "sub/boat.png", "a boat.jpg"]),
    "lora_name": lambda source: source.choice(["kites.safetensors", "None", "other.safetensors"]),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_every_sentence_is_true_of_graphs_with_other_values(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    for _ in range(8):
        graph = json.loads(source.choice(API).read_text("utf-8"))
        for node in graph.values():
            for name in list(node["inputs"]):
                if name in CHANGES and not isinstance(node["inputs"][name], list | dict) and source.random() < 0.5:
                    node["inputs"][name] = CHANGES[name](source)
        path = tmp_path / "graph.json"
        path.write_text(json.dumps(graph))
        check(Importer(MODELS).open(path), path.read_text())
