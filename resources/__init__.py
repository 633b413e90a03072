"""What ships beside the code: models, styles, icons, fonts, translations. Every file of it is found through here.

All of it is only read, wherever the program lies: in a clone, or installed in a folder that cannot be written.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent
MODELS = ROOT / "models"
"""The embedded models, a folder each."""
UPSCALERS = ROOT / "upscalers"
"""The networks that ship for making pictures larger, each with what is known of it."""
CONFIGS = ROOT / "configs"
"""Configurations of components whose files carry none."""
TOKENIZERS = ROOT / "tokenizers"
"""CLIP's vocabulary, which no single file has."""
STYLES = ROOT / "styles"
THEME = ROOT / "theme"
ICONS = ROOT / "icons"
FONTS = ROOT / "fonts"
TRANSLATIONS = ROOT / "translations"
NETWORKS = ROOT / "memory" / "networks.json"
"""What known networks need of memory."""
WORLD = ROOT / "world"
"""What the embedded models know: things by name, their tokenizers' words, the latents' basis."""
PROGRAM = ROOT.parent
"""The folder in which ``app``, ``ui``, ``engine`` and this lie side by side."""
IN_A_CLONE = (PROGRAM / "start.py").exists()
"""Otherwise installed, from a wheel."""
CALLED = "python3 start.py" if IN_A_CLONE else "laterna"
"""How a person calls the program from here: in a clone, or installed."""
