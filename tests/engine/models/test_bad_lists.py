"""A hub's list of files that cannot be true is refused before anything of it is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.download_plan import Listing, RemoteFile, make_plan
from engine.models.hub import Hub
from engine.models.sources import source
from engine.models.transport import HttpTransport
from engine.protocol.errors import ModelDamaged
from tests.fakes.hub import FakeHub
from tests.fakes.hub_repositories import small_repository

REPO = "stabilityai/stable-diffusion-3.5-medium"


def listing(**changed: object) -> Listing:
    with FakeHub() as hub:
        hub.add(REPO, small_repository(REPO))
        sound = Hub(HttpTransport(hub.url)).listing(REPO)
    files = list(sound.files)
    at = next(i for i, file in enumerate(files) if file.path == "vae/config.json")
    old = files[at]
    files[at] = RemoteFile(
        str(changed.get("path", old.path)),
        int(str(changed.get("size", old.size))),
        str(changed.get("sha256", old.sha256)),
        str(changed.get("git_oid", old.git_oid)),
    )
    return Listing(sound.repository, sound.revision, tuple(files))


def test_a_sound_list_is_a_plan() -> None:
    assert make_plan(source("sd3.5-medium"), listing()).files


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"size": -1}, "-1 bytes"),
        ({"size": 2**60}, "bytes"),
        ({"path": f"vae/{'x' * 300}.json"}, "no disk takes"),
        ({"path": f"vae/{'猫' * 100}.json"}, "no disk takes"),
        ({"sha256": "", "git_oid": ""}, "no checksum"),
        ({"sha256": "../../x"}, "no checksum"),
    ],
)
def test_what_cannot_be_is_found_in_the_list(changed: dict[str, object], words: str) -> None:
    with pytest.raises(ModelDamaged, match=words) as raised:
        make_plan(source("sd3.5-medium"), listing(**changed))
    assert "Nothing of it was fetched" in raised.value.remedy


def test_a_file_that_no_run_needs_may_be_called_as_it_likes(tmp_path: Path) -> None:
    make_plan(source("sd3.5-medium"), listing(path=f"{'x' * 300}.md"))
