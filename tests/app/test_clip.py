"""``clip``: parts of clips and several as one, without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import clip
from app.cli.parser import parse
from app.paths import Paths
from engine.media import metadata
from engine.protocol.errors import BadArguments, BadFile

CLIP = Path(__file__).resolve().parents[1] / "golden" / "release-1" / "clip.mp4"


def run(tmp_path: Path, *arguments: str) -> int:
    return clip.run(parse(["clip", *arguments]), Paths.find(str(tmp_path / "home")))


def test_two_are_joined_and_turned_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "both.mp4"
    assert run(tmp_path, str(CLIP), str(CLIP), "--backwards", "--speed", "2", "--out", str(out), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(out)}
    before, made = metadata.read(CLIP), metadata.read(out)
    assert made.fps == 2 * before.fps and made.frames in (2 * before.frames - 1, 2 * before.frames)
    assert made.recipe == before.recipe


def test_what_makes_no_sense_is_a_sentence(tmp_path: Path) -> None:
    out = str(tmp_path / "a.mp4")
    for wrong in (["--out", "a.avi"], ["--out", out, "--times", "0"], ["--out", out, "--speed", "0"]):
        with pytest.raises(BadArguments) as refused:
            run(tmp_path, str(CLIP), *wrong)
        assert refused.value.remedy
    with pytest.raises(BadFile):
        run(tmp_path, str(CLIP), "--first", "900", "--out", out)
