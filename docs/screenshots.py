"""Pictures of every page of the window: `.venv/bin/python docs/screenshots.py [FOLDER] [options]`.

Dark and light, English and Brazilian Portuguese, 100 % and 200 %, with the real engine and the models that ship;
`--scale 3`, `--size 1100x700` and `--mirrored` (as in a language that is written from right to left) show more. They
go into FOLDER (a temporary one without it); `--docs` makes only those that the README and the guide use, in
`docs/images/`. Everything made for the pictures goes into a temporary home; with `--home DIR` it is kept, and the next
call finds its gallery filled. No screen is needed. Whoever changes the window looks at them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]
IMAGES = ROOT / "docs" / "images"
DOCS = {
    "clip-dark": "main-window-dark.png",
    "clip-light": "main-window-light.png",
    "generating-light": "generating-light.png",
    "models-light": "models-light.png",
    "compare-dark": "compare-dark.png",
    "settings-light": "settings-light.png",
}
LANGUAGES, SCALES = ("en", "pt_BR"), (1, 2)
SIZE = "1440x900"
ROUND_THE_WINDOW = 60  # pixels that the screen has more


def laterna(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "app", "--home", str(home), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def fill(home: Path) -> None:
    """A gallery of the models' own examples."""
    models = json.loads(laterna(home, "models", "list", "--json"))["installed"]
    for model in models:
        info = model["info"]
        for seed, prompt in enumerate(info.get("examples", [])[:8]):
            laterna(home, "generate", "--model", info["id"], "--prompt", prompt, "--seed", str(seed))


def files(home: Path) -> int:
    return sum(1 for file in (home / "output").glob("*.*") if not file.name.startswith("."))


def shoot(
    home: Path, folder: Path, language: str, scale: int, pages: list[str], size: str = SIZE, is_mirrored: bool = False
) -> None:
    """One process for each language and scale: both are fixed once the application is there."""
    script = str(ROOT / "docs" / "screenshot_pages.py")
    direction = "mirrored" if is_mirrored else "usual"
    command = [sys.executable, script, str(home), str(folder), language, size, direction, *pages]
    width, height = (scale * (int(part) + ROUND_THE_WINDOW) for part in size.split("x"))
    screen = {"name": "screen", "x": 0, "y": 0, "width": width, "height": height}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"screens": [screen]}, file)
        file.flush()
        platform = {"QT_QPA_PLATFORM": f"offscreen:configfile={file.name}", "QT_SCALE_FACTOR": str(scale)}
        subprocess.run(command, cwd=ROOT, check=True, env=os.environ | platform)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--docs", action="store_true", help="only those that the README and the guide use")
    parser.add_argument("--language", choices=LANGUAGES, help="only this one")
    parser.add_argument("--scale", type=int, choices=(1, 2, 3), help="only this one")
    parser.add_argument("--size", default=SIZE, help="of the window, as WIDTHxHEIGHT")
    parser.add_argument("--mirrored", action="store_true", help="laid out from right to left")
    parser.add_argument("--page", action="append", default=[], help="only this page (may be repeated)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = arguments.home or Path(scratch, "home")
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "output").is_dir() or not files(home):
            fill(home)
        if arguments.docs:
            made = Path(scratch, "pictures")
            shoot(home, made, "en", 1, sorted({name.rpartition("-")[0] for name in DOCS}))
            IMAGES.mkdir(exist_ok=True)
            for name, target in DOCS.items():
                shutil.copyfile(made / f"{name}.en.100.png", IMAGES / target)
            return
        folder = arguments.folder or Path(tempfile.mkdtemp(prefix="laterna-screenshots-"))
        for language in [arguments.language] if arguments.language else LANGUAGES:
            for scale in [arguments.scale] if arguments.scale else SCALES:
                shoot(home, folder, language, scale, arguments.page, arguments.size, arguments.mirrored)
        print(folder)


if __name__ == "__main__":
    main()
