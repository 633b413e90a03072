"""``parameters``: the text that Automatic1111 began to put into pictures, and that Forge, SD.Next and others write too.

Three parts: the prompt, ``Negative prompt: …``, and a last line of ``Key: value`` pairs. Only the last line is exact.
"""

from __future__ import annotations

import json
import re

from engine.interop import a1111_prompt
from engine.interop.fit import weighs
from engine.interop.foreign import Settings, recipe_of
from engine.interop.model_files import KnownModels, comfyui_file, stem_of
from engine.interop.report import Notes, file_name, shown
from engine.models.catalog import FAMILIES
from engine.protocol.recipe import Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS, display_name

KEY = "parameters"
PROGRAM = "Laterna"
MAX_CHARS = 200_000
MAX_PAIRS = 200
_NEGATIVE = "Negative prompt:"
_MEANT = {
    "steps": "steps",
    "cfg scale": "guidance",
    "seed": "seed",
    "model": "model",
    "model hash": "model_hash",
    "shift": "shift",
    "sampler shift": "shift",
    "input image": "input_image",
}
# Said of every picture, and of no weight for the next one.
_SILENT = (
    "version",
    "size",
    "sampler",
    "schedule type",
    "denoising strength",
    "app",
    "pipeline",
    "operations",
    "parser",
)


def looks_like(text: str) -> bool:
    """Whether a text ends in the line of settings."""
    return len(_pairs(text.strip().rsplit("\n", 1)[-1])) >= 3 and "Steps:" in text


def write(recipe: Recipe) -> str:
    """``recipe`` as ``parameters``: what the format has words for. Positive and negative are the first of each side."""
    weighted = recipe.text_encoding == "comfyui" and weighs(recipe)
    written = recipe.text_encoding == "comfyui"
    lines = [_one_paragraph(a1111_prompt.write(recipe.prompt, written))]
    if recipe.negative_prompt:
        lines.append(f"{_NEGATIVE} {a1111_prompt.write(recipe.negative_prompt, written)}")
    values: dict[str, object] = {
        "Steps": recipe.steps,
        "Sampler": display_name(SAMPLERS, recipe.sampler),
        "Schedule type": display_name(SCHEDULERS, recipe.scheduler),
        "CFG scale": repr(recipe.guidance),
        "Seed": recipe.seed,
        "Size": f"{recipe.width}x{recipe.height}",
        "Model": stem_of(comfyui_file(recipe.model)),
    }
    start = recipe.input_of("start")
    if start is not None:
        values["Denoising strength"] = repr(start.strength)
        values["Input image"] = file_name(start.path)
    if FAMILIES[recipe.family].takes("shift"):
        values["Shift"] = repr(recipe.shift)
    if weighted:
        values["Emphasis"] = "No norm"
    values["Version"] = PROGRAM
    lines.append(", ".join(f"{key}: {_quoted(value)}" for key, value in values.items()))
    return "\n".join(lines)


def _one_paragraph(text: str) -> str:
    """A prompt may have lines of its own, but none that looks like the next part."""
    return text.replace("\n" + _NEGATIVE, "\n " + _NEGATIVE)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text


def read(text: str, notes: Notes, known: KnownModels) -> tuple[str, Recipe]:
    """The program that wrote ``text``, and its recipe (not yet made to fit)."""
    if len(text) > MAX_CHARS:
        notes.approximated(f"The text has {len(text):,} characters; the last {MAX_CHARS:,} are read.")
        text = text[-MAX_CHARS:]
    body, _, last = text.strip().rpartition("\n")
    pairs = _pairs(last)
    if len(pairs) < 3:
        body, pairs = text.strip(), {}
    prompt, _, negative = ("\n" + body).partition("\n" + _NEGATIVE)
    program = _program(pairs)
    settings = Settings(program, same_noise=program == PROGRAM)
    pieces = []
    for said in (prompt.removeprefix("\n"), negative.removeprefix(" ")):
        found, loras = a1111_prompt.read(said, notes, commands=program != PROGRAM)
        settings.loras += loras
        pieces.append(a1111_prompt.recipe_text(found))
    (settings.prompt, settings.negative_prompt), settings.weighted = a1111_prompt.joined(pieces)
    if settings.weighted and program != PROGRAM:
        notes.approximated(f"{program} evens out what weights add up to; here they weigh as in ComfyUI.")
    _take(settings, pairs, notes)
    return program, recipe_of(settings, notes, known)


def _take(settings: Settings, pairs: dict[str, str], notes: Notes) -> None:
    for key, value in pairs.items():
        name = _MEANT.get(key.lower())
        if name:
            setattr(settings, name, value)
    size = re.fullmatch(r"\s*(\d{1,9})\s*x\s*(\d{1,9})\s*", pairs.get("Size", ""))
    if size:
        settings.width, settings.height = size[1], size[2]
    settings.sampler = pairs.get("Sampler", "")
    settings.scheduler = pairs.get("Schedule type", "")
    hires = [key for key in pairs if key.startswith("Hires ")]
    if hires:
        notes.ignored("A second pass enlarged the picture (hires fix); the recipe is that of the first.")
    elif "Denoising strength" in pairs:
        settings.denoise = pairs["Denoising strength"]
    clip_skip = pairs.get("Clip skip", "1")
    if clip_skip not in ("1", "2"):
        notes.approximated(f"Clip skip is {shown(clip_skip)}; these models always take CLIP's last layer but one.")
    if "VAE" in pairs:
        notes.ignored(f"The VAE {shown(pairs['VAE'])}: Laterna takes the model's own.")
    known = {*_MEANT, *_SILENT, "clip skip", "vae", "vae hash", "lora hashes", "ti hashes", "emphasis"}
    rest = [key for key in pairs if key.lower() not in known and key not in hires]
    if rest:
        notes.ignored(f"Settings that Laterna has none of: {', '.join(shown(key)[:40] for key in rest[:12])}.")


def _program(pairs: dict[str, str]) -> str:
    version, app = pairs.get("Version", ""), pairs.get("App", "")
    if version == PROGRAM:
        return PROGRAM
    if "SD.Next" in app or "sdnext" in version.lower() or "Operations" in pairs:
        return "SD.Next"
    if re.match(r"f\d|neo|.*forge", version, re.IGNORECASE):
        return "Forge"
    if "Fooocus" in version:
        return "Fooocus"
    return "Automatic1111"


def _pairs(line: str) -> dict[str, str]:
    """``Key: value, Key: "quoted, value"`` in one pass; anything else ends it."""
    pairs: dict[str, str] = {}
    place = 0
    for _ in range(MAX_PAIRS):
        colon = line.find(":", place, place + 80)
        if colon < 0:
            break
        key = line[place:colon].strip(" ,")
        start = colon + 1 + (line[colon + 1 : colon + 2] == " ")
        if line[start : start + 1] == '"':
            value, end = _string(line, start)
        else:
            comma = line.find(",", start)
            end = len(line) if comma < 0 else comma
            value = line[start:end].strip()
        if not re.fullmatch(r"\w[\w \-/.]*", key):
            break
        pairs[key] = value
        place = end + 1
    return pairs


def _string(line: str, start: int) -> tuple[str, int]:
    """A JSON string at ``start``, and where it ends."""
    try:
        value, end = json.JSONDecoder().raw_decode(line, start)
    except ValueError:
        end = line.find(",", start)
        end = len(line) if end < 0 else end
        return line[start:end], end
    return str(value), end
