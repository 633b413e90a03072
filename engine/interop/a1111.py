"""``parameters``: the text that Automatic1111 began to put into pictures, and that Forge, SD.Next and others write too.

Three parts: the prompt, ``Negative prompt: …``, and a line of ``Key: value`` pairs. Only that line is exact; extensions
write lines of their own below it.
"""

from __future__ import annotations

import json
import re

from engine.interop import a1111_prompt, a1111_resources
from engine.interop.file_stems import stem_of
from engine.interop.fit import weighs
from engine.interop.foreign import ForeignSettings, recipe_of
from engine.interop.model_files import KnownModels, comfyui_file
from engine.interop.report import Notes, file_name, shown
from engine.models.catalog import family_of
from engine.protocol.recipe import Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS, display_name
from engine.texts import cleaned

KEY = "parameters"
PROGRAM = "Laterna"
MAX_CHARS = 200_000
MAX_PAIRS = 200
MAX_LINES_BELOW = 200
MAX_VALUE = 2000  # characters of a value without quotes that has commas in it
_NEGATIVE = "Negative prompt:"
_KEY = re.compile(r"\w[\w \-/.+()#&'%]{0,79}")
_DECODER = json.JSONDecoder()
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
    "scheduler",
    "raw prompt",
    "raw negative prompt",
    "process",
    "workflow",
    "created date",
    "draft",
    "quantity",
    "width",
    "height",
    "user",
    "denoising strength",
    "app",
    "pipeline",
    "operations",
    "parser",
)


def looks_like(text: str) -> bool:
    """Whether a text has the line of settings."""
    return _divided(cleaned(text[-MAX_CHARS:]))[1] != ""


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
    if family_of(recipe).takes("shift"):
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


def read(text: str, notes: Notes, known: KnownModels) -> tuple[str, Recipe | None]:
    """The program that wrote ``text``, and its recipe (not yet made to fit)."""
    if len(text) > MAX_CHARS:
        notes.approximated(f"The text has {len(text):,} characters; the last {MAX_CHARS:,} are read.")
        text = text[-MAX_CHARS:]
    body, line, after = _divided(cleaned(text))
    pairs = pairs_of(line)
    prompt, _, negative = ("\n" + body).partition("\n" + _NEGATIVE)
    program = _program(pairs)
    settings = ForeignSettings(program, same_noise=program == PROGRAM)
    pieces = []
    for said in (prompt.removeprefix("\n"), negative.removeprefix(" ")):
        found, loras = a1111_prompt.read(said, notes, commands=program != PROGRAM)
        settings.loras += loras
        pieces.append(a1111_prompt.recipe_text(found))
    (settings.prompt, settings.negative_prompt), settings.weighted = a1111_prompt.joined(pieces)
    if settings.weighted and program != PROGRAM:
        notes.approximated(f"{program} evens out what weights add up to; here they weigh as in ComfyUI.")
    _take(settings, pairs, notes)
    a1111_resources.take(settings, pairs, notes)
    if after:
        notes.ignored(f"Below the settings stands “{shown(after)}”: the prompt is what came of it.")
    return program, recipe_of(settings, notes, known)


def _divided(text: str) -> tuple[str, str, str]:
    """What stands above the line of settings, that line ("" where there is none), and what stands below it."""
    lines = text.strip().split("\n")
    for place in range(len(lines) - 1, max(-1, len(lines) - 1 - MAX_LINES_BELOW), -1):
        if _is_settings(lines[place]):
            return "\n".join(lines[:place]), lines[place], "\n".join(lines[place + 1 :]).strip()
    return text.strip(), "", ""


def _is_settings(line: str) -> bool:
    if "Steps:" not in line and "Seed:" not in line:
        return False
    pairs = pairs_of(line)
    return len(pairs) >= 3 and bool({"Steps", "Seed"} & set(pairs))


def _take(settings: ForeignSettings, pairs: dict[str, str], notes: Notes) -> None:
    for key, value in pairs.items():
        name = _MEANT.get(key.lower())
        if name:
            setattr(settings, name, value)
    size = re.fullmatch(r"\s*(\d{1,9})\s*x\s*(\d{1,9})\s*", pairs.get("Size", ""))
    if size:
        settings.width, settings.height = size[1], size[2]
    settings.sampler = pairs.get("Sampler", "")
    settings.scheduler = pairs.get("Schedule type", pairs.get("Scheduler", ""))
    hires = [key for key in pairs if key.startswith("Hires ")]
    if hires:
        notes.ignored("A second pass enlarged the picture (hires fix); the recipe is that of the first.")
    elif "Denoising strength" in pairs:
        settings.denoise = pairs["Denoising strength"]
    clip_skip = pairs.get("Clip skip", "1")
    if clip_skip not in ("1", "2"):
        notes.approximated(f"Clip skip is {shown(clip_skip)}; these models always take CLIP's last layer but one.")
    if pairs.get("VAE", "None").lower() not in ("none", "automatic", "default (model)"):
        notes.ignored(f"The VAE {shown(pairs['VAE'])}: Laterna takes the model's own.")
    known = {*_MEANT, *_SILENT, *a1111_resources.KEYS, "clip skip", "vae", "vae hash", "ti hashes", "emphasis"}
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
    if "Civitai resources" in pairs or "Created Date" in pairs:
        return "Civitai"
    return "Automatic1111"


def pairs_of(line: str) -> dict[str, str]:
    """``Key: value, Key: "quoted, value", Key: [JSON], …`` in one pass; anything else ends it. A part without a colon
    belongs to the value before it."""
    pairs: dict[str, str] = {}
    place, last = 0, ""
    for _ in range(MAX_PAIRS):
        colon = line.find(":", place, place + MAX_VALUE)
        if colon < 0:
            break
        more, _, key = line[place:colon].rpartition(",")
        key = key.strip()
        if not _KEY.fullmatch(key):
            break
        if more.strip(" ,") and last:
            pairs[last] += f",{more}"
        start = colon + 1 + (line[colon + 1 : colon + 2] == " ")
        if line[start : start + 1] in ('"', "[", "{"):
            value, end = _json(line, start)
        else:
            comma_at = line.find(",", start)
            end = len(line) if comma_at < 0 else comma_at
            value = line[start:end].strip()
        pairs.setdefault(key, value)
        place, last = end + 1, key
    return pairs


def _json(line: str, start: int) -> tuple[str, int]:
    """A JSON value at ``start``, a string without its quotes, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(line, start)
    except (ValueError, RecursionError):
        end = -1
    if end < 0 or line[end:].lstrip()[:1] not in ("", ","):
        end = line.find(",", start)
        end = len(line) if end < 0 else end
        return line[start:end].strip(), end
    return value if isinstance(value, str) else line[start:end], end
