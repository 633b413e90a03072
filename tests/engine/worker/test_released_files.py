"""Files that the first release made, with the embedded models: they open, and come out again pixel by pixel."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from engine.media import metadata
from engine.protocol.assets import Asset
from engine.protocol.commands import Generate
from engine.worker.device import describe
from engine.worker.runner import Runner

FILES = Path(__file__).resolve().parents[2] / "golden" / "release-1"
EMBEDDED = Path(__file__).resolve().parents[3] / "resources" / "models"


@pytest.mark.parametrize("name", ["picture.png", "from-picture.png", "clip.mp4"])
def test_a_released_file_opens_and_is_reproduced(name: str, tmp_path: Path) -> None:
    made = metadata.read(FILES / name)
    assert made.recipe is not None and made.environment is not None and not made.recipe_problem
    start = made.recipe.input_of("start")
    assert (start is not None) == (name == "from-picture.png")
    runner = Runner()
    inputs = (Asset("picture.png", path=str(FILES / "picture.png")),) if start is not None else ()
    job = Generate("j", made.recipe, str(EMBEDDED / made.recipe.model), str(tmp_path), "again", -1.0)
    done = runner.run(msgspec.structs.replace(job, input_files=inputs), lambda event, blob=b"": None)
    (file,) = done.files
    if (describe(runner.device).name, torch.__version__) == (made.environment.device, made.environment.torch):
        assert file.pixels_sha256 == made.pixels_sha256
    if name.endswith(".png"):  # on another device too it is the same picture
        pictures = [np.asarray(Image.open(path), np.float32) for path in (FILES / name, file.path)]
        assert np.abs(pictures[0] - pictures[1]).mean() < 2
    again = metadata.read(Path(file.path)).recipe
    assert again is not None and again.replace(inputs=()) == made.recipe.replace(inputs=())
    assert [one.path for one in again.inputs] == [one.name for one in made.recipe.inputs], "no folder is written"
