"""Files of the corpus, cut and changed anywhere, end in a sentence or in a recipe that can run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.interop.open_file import Importer
from engine.models.catalog import FAMILIES
from engine.protocol.errors import KnownError
from engine.protocol.family_info import validate
from tests.corpus.test_readings import FILES, MODELS


def damaged(content: bytes, source: random.Random) -> bytes:
    found = bytearray(content)
    if source.random() < 0.4:
        found = found[: source.randrange(len(found) + 1)]
    for _ in range(source.randrange(6)):
        if found:
            place = source.randrange(len(found))
            if source.random() < 0.5:
                found[place] = source.randrange(256)
            else:
                found[place : place + source.randrange(40)] = source.randbytes(source.randrange(40))
    return bytes(found)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    for _ in range(40):
        file = source.choice(FILES)
        path = tmp_path / f"damaged{file.suffix}"
        path.write_bytes(damaged(file.read_bytes(), source))
        try:
            result = Importer(MODELS).open(path)
        except KnownError as error:
            assert error.message.endswith(".") and "\n" not in error.message, (file.name, error.message)
            continue
        if result.recipe is not None:
            validate(result.recipe, FAMILIES[result.recipe.family])
