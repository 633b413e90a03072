"""SwarmUI (and StableSwarmUI before it): ``sui_image_params``, as JSON in a PNG's text or in EXIF."""

from __future__ import annotations

from engine.interop import a1111_prompt
from engine.interop.foreign import ForeignSettings, Lora
from engine.interop.programs.values import Data, dicts, items, text, without
from engine.interop.report import Notes

NAME = "SwarmUI"
_PARTS = {
    "refinermethod": "refiner", "refinermodel": "refiner model", "refinerupscale": "enlarging", "controlnetmodel":
    "ControlNet", "controlnetstrength": "ControlNet's strength", "variationseed": "variation seed", "vae": "VAE",
    "segmentmodel": "segments", "maskimage": "mask", "videomodel": "clip made of the picture", "freeuapplyto": "FreeU",
    "endstepsearly": "early end", "seamlesstileable": "tiling", "revisionstrength": "revision",
    "useipadapterforrevision": "IP adapter", "promptimages": "pictures in the prompt",
}  # fmt: skip


def recognise(data: Data) -> bool:
    return isinstance(data.get("sui_image_params"), dict)


def read(data: Data, notes: Notes) -> ForeignSettings:
    said: Data = data["sui_image_params"]
    pieces = []
    named: list[Lora] = []
    for key in ("prompt", "negativeprompt"):
        found, loras = a1111_prompt.read(text(said.get(key)), notes)
        named += loras
        pieces.append(a1111_prompt.recipe_text(found))
    (prompt, negative), weighted = a1111_prompt.joined(pieces)
    settings = ForeignSettings(
        NAME,
        prompt=prompt,
        negative_prompt=negative,
        weighted=weighted,
        steps=said.get("steps"),
        guidance=said.get("cfgscale"),
        seed=said.get("seed"),
        width=said.get("width"),
        height=said.get("height"),
        frames=said.get("text2videoframes", said.get("videoframes", said.get("frames"))),
        fps=said.get("text2videofps", said.get("videofps")),
        sampler=text(said.get("sampler")),
        scheduler=text(said.get("scheduler")),
        model=text(said.get("model")),
        shift=said.get("sigmashift"),
        same_noise=True,
    )
    digests: dict[str, str] = {}
    for model in dicts(data.get("sui_models")):
        name, digest = _stem(text(model.get("name"))), text(model.get("hash"))
        if model.get("param") == "model" or name == _stem(settings.model):
            settings.model_hash = digest
        digests[name] = digest
    if not settings.sampler:  # what it takes where nothing is chosen
        settings.sampler, settings.scheduler = "euler", settings.scheduler or "simple"
    if "initimage" in said or "initimagecreativity" in said:
        settings.denoise = said.get("initimagecreativity", 0.6)
        settings.input_image = text(said.get("initimage")) if len(text(said.get("initimage"))) < 300 else ""
    weights = items(said.get("loraweights"))
    for place, name in enumerate(map(text, items(said.get("loras")))):
        weight = weights[place] if place < len(weights) else 1.0
        settings.loras.append(Lora(name, weight, digests.get(_stem(name), "")))
    settings.loras += [one for one in named if _stem(one.name) not in {_stem(other.name) for other in settings.loras}]
    without(said, NAME, _PARTS, notes)
    return settings


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".safetensors")
