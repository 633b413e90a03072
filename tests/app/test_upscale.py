"""``upscale`` and ``reproduce`` of what it made, with the real engine."""

import subprocess
import sys
from pathlib import Path

import torch
from PIL import Image

from engine.media import metadata
from tests.fakes.upscalers import compact

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "tests" / "golden" / "release-1" / "clip.mp4"


def laterna(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240, check=False)


def test_a_clip_is_made_larger_and_made_again(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(CLIP.read_bytes())
    out = tmp_path / "large.mp4"
    made = laterna(
        tmp_path / "home", "upscale", str(source), "--scale", "2", "--upscaler", "lanczos", "--out", str(out)
    )
    assert made.returncode == 0, made.stderr
    assert "128 × 128, 9 frames" in made.stderr and made.stdout.strip() == str(out)
    said = metadata.read(out)
    before = metadata.read(source)
    assert (said.width, said.height, said.frames, said.recipe) == (128, 128, 9, before.recipe)
    moved = tmp_path / "moved.mp4"
    source.rename(moved)
    gone = laterna(tmp_path / "home", "reproduce", str(out))
    assert gone.returncode == 2 and "clip.mp4" in gone.stderr
    again = laterna(tmp_path / "home", "reproduce", str(out), "--input", str(moved))
    assert again.returncode == 0 and again.stdout == "The pixels are equal.\n", again.stderr


def test_what_cannot_be_made_larger_is_a_sentence(tmp_path: Path) -> None:
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftypisom"):
        (tmp_path / "source.png").write_bytes(content)
        said = laterna(tmp_path / "home", "upscale", str(tmp_path / "source.png"), "--out", str(tmp_path / "a.png"))
        assert said.returncode == 2 and said.stderr.startswith("laterna: ") and "Traceback" not in said.stderr
    said = laterna(tmp_path / "home", "upscale", str(CLIP), "--scale", "7", "--out", str(tmp_path / "a.mp4"))
    assert said.returncode == 2 and "must be 2, 3 or 4" in said.stderr


def test_several_pictures_by_the_network_that_ships_one_of_them_broken(tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("a.png", "broken.png", "b.png")]
    for number, path in enumerate(names):
        Image.effect_noise((40, 30), 20 + number).convert("RGB").save(path)
    names[1].write_bytes(b"no picture")
    home = tmp_path / "home"
    made = laterna(home, "upscale", *map(str, names), "--scale", "3")
    assert made.returncode == 2 and "broken.png" in made.stderr and "Traceback" not in made.stderr
    results = [Path(line) for line in made.stdout.splitlines()]
    assert [path.name for path in results] == ["a_x3.png", "b_x3.png"]
    said = metadata.read(results[0])
    assert (said.width, said.height) == (120, 90) and said.derivation is not None
    assert said.derivation.settings["name"] == "realesr-animevideov3-x4"
    again = laterna(home, "reproduce", str(results[0]), "--input", str(names[0]))
    assert again.stdout == "The pixels are equal.\n", again.stderr
    unknown = laterna(home, "upscale", str(names[0]), "--upscaler", "magic")
    assert unknown.returncode == 2 and "realesr-animevideov3-x4" in unknown.stderr


def test_an_imported_upscaler_is_listed_used_and_removed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    torch.save({"params": compact(scale=2)}, tmp_path / "2x.pth")
    Image.effect_noise((40, 30), 20).convert("RGB").save(tmp_path / "a.png")
    said = laterna(home, "models", "import", str(tmp_path / "2x.pth"))
    assert said.returncode == 0 and "2 times (RealESRGAN Compact)" in said.stdout, said.stderr
    assert "2x " in laterna(home, "models", "list").stdout
    made = laterna(home, "upscale", str(tmp_path / "a.png"), "--upscaler", "2x", "--out", str(tmp_path / "b.png"))
    assert made.returncode == 0 and metadata.read(tmp_path / "b.png").width == 80, made.stderr
    assert laterna(home, "models", "remove", "2x").returncode == 0
    again = laterna(home, "reproduce", str(tmp_path / "b.png"))
    assert again.returncode == 3 and "The upscaler 2x is not on this machine." in again.stderr


def test_a_clip_is_made_smoother_and_made_again(tmp_path: Path) -> None:
    out = tmp_path / "smooth.mp4"
    made = laterna(tmp_path / "home", "interpolate", str(CLIP), "--factor", "3", "--out", str(out))
    assert made.returncode == 0 and "a second" in made.stderr, made.stderr
    before, said = metadata.read(CLIP), metadata.read(out)
    assert (said.frames, said.fps, said.recipe) == (3 * before.frames, 3 * before.fps, before.recipe)
    again = laterna(tmp_path / "home", "reproduce", str(out), "--input", str(CLIP))
    assert again.stdout == "The pixels are equal.\n", again.stderr
    both = laterna(tmp_path / "home", "interpolate", str(CLIP), "--factor", "3", "--fps", "24")
    assert both.returncode == 2 and "Give one of them." in both.stderr
