"""Write the second generation's picture model as a diffusers folder: with the VAE and preview factors of the first."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline

from engine.models.reading.shared import CARD_NAME
from engine.world.looks import BACKGROUNDS, COLOURS, STYLES
from engine.world.things import THINGS

from ..export import save
from ..tokenizers import clip_tokenizer, t5_tokenizer
from .begin import SHIPPED
from .composition import World, draw
from .task import SHARES, WorldTask
from .wording import LANGUAGES, caption, without_accents

_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CAPTIONS = 24_000
_EXAMPLES = ("single", "several", "pair", "single", "triple", "single", "several", "pair", "single", "single", "pair")
FIRST_EXAMPLE = "a red apple on the left, blue sky background"


def vocabulary(world: World) -> list[str]:
    """The things' names, singular and plural, and the backgrounds' names in every language, then every other word of
    captions; names of things that are not in this world only where a word of theirs has another meaning."""
    names: list[str] = []
    for language in LANGUAGES.values():
        nouns = [n for t in world.things for n in THINGS[t].nouns[language.code].names]
        names += [form for noun in nouns for form in (noun, language.plural(noun))]
        names += [name for b in world.backgrounds for name in language.sceneries[BACKGROUNDS[b]][0]]
    names += [without_accents(name) for name in names]
    rng = np.random.default_rng(12)
    kinds = list(SHARES)
    texts = (caption(draw(rng, world, kinds[n % len(kinds)]), rng, absence=0.0) for n in range(_CAPTIONS))
    words = sorted({word for text in texts for word in _WORDS.findall(text)})
    return list(dict.fromkeys([*names, *words]))


def examples(world: World) -> list[str]:
    """English, each of other things."""
    rng = np.random.default_rng(11)
    found, seen = [FIRST_EXAMPLE], {0}
    for number, kind in enumerate(_EXAMPLES):
        while True:
            composition = draw(rng, world, kind)
            things = {item.thing for item in composition.items}
            styled = bool(composition.style)
            if not things & seen and styled == (number in (3, 8)):
                break
        seen |= things
        found.append(caption(composition, rng, language="en", absence=0.0))
    return found


def summary(world: World) -> str:
    return (
        f"Draws {len(world.things)} things in {len(COLOURS)} colours, up to six of one or three of several, on"
        f" {len(world.backgrounds)} backgrounds and in {len(STYLES) - 1} styles, in seconds on any computer."
    )


def export_world(task: WorldTask, folder: Path, shipped: Path = SHIPPED) -> Path:
    """Turns the task's weights to half precision. `folder` may be `shipped` itself, which is replaced when all is
    written."""
    text = task.modules["text"]
    card: dict[str, Any] = json.loads((shipped / CARD_NAME).read_text())
    card |= {"summary": summary(task.world), "examples": examples(task.world), "vocabulary": vocabulary(task.world)}
    card["any_colour"] = True
    pipeline = StableDiffusion3Pipeline(
        transformer=task.modules["transformer"].eval(), vae=AutoencoderKL.from_pretrained(shipped / "vae"),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0), text_encoder=text.clip_1, text_encoder_2=text.clip_2,
        text_encoder_3=text.t5, tokenizer=clip_tokenizer(), tokenizer_2=clip_tokenizer(), tokenizer_3=t5_tokenizer(),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / folder.name
        save(pipeline, made, card)
        shutil.rmtree(made / "vae")
        shutil.copytree(shipped / "vae", made / "vae")  # byte for byte
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)
    return folder
