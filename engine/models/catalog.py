"""Families and models as data: limits, reference settings, and the models found on this machine.

Figures are those of the vendors' model cards and reference code. A folder in diffusers layout is recognised from its
``model_index.json`` and ``transformer/config.json``; a ``laterna.json`` in it overrides what was guessed. A folder with
a ``laterna-reference.json`` stands for a model that lies elsewhere, whole or in single files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.models.assembly import assemble
from engine.models.location import locate
from engine.models.reference import REFERENCE_NAME, Reference, read_reference
from engine.protocol.errors import BadFile, LaternaError, ModelDamaged, ModelMissing
from engine.protocol.family_info import FamilyInfo, ModelDefaults, ModelInfo

MINI_IMAGE = "laterna-mini-image"
MINI_VIDEO = "laterna-mini-video"
CARD_NAME = "laterna.json"

_FLOW_SAMPLERS = (
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpmpp_2m",
    "dpmpp_2m_log_snr",
    "dpmpp_2m_sde",
    "dpmpp_sde",
    "dpmpp_3m_sde",
    "uni_pc",
    "uni_pc_log_snr",
    "lms",
    "deis",
    "deis_log_snr",
    "res_multistep",
    "ddim",
    "lcm",
)
# In the terms of CogVideoX' diffusion: its own two, and those that are in log SNR or in no terms at all.
_VP_SAMPLERS = (
    "ddim",
    "dpm",
    "euler",
    "euler_ancestral",
    "heun",
    "dpmpp_2m_log_snr",
    "dpmpp_2m_sde",
    "dpmpp_sde",
    "dpmpp_3m_sde",
    "uni_pc_log_snr",
    "deis_log_snr",
)
_FLOW_SCHEDULERS = (
    "normal",
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "linear_quadratic",
    "kl_optimal",
)

FAMILIES: dict[str, FamilyInfo] = {
    "sd35": FamilyInfo(
        id="sd35",
        name="Stable Diffusion 3.5",
        kind="image",
        size_multiple=16,
        min_size=64,
        max_size=2048,
        max_pixels=2048 * 2048,
        frame_step=0,
        max_frames=1,
        samplers=dict.fromkeys(_FLOW_SAMPLERS, _FLOW_SCHEDULERS),
        has_shift=True,
        has_skip_layer_guidance=True,
        has_negative_range=True,
        has_conditioning=True,
        has_guidance_schedule=True,
        has_input_image=True,
        has_optional_t5=True,
        has_single_files=True,
        has_adapters=True,
        has_t5_mask=True,
        has_step_caching=True,
        text_encodings=("diffusers", "comfyui"),
        text_encoders=("CLIP-L", "CLIP-G", "T5"),
    ),
    "cogvideox": FamilyInfo(
        id="cogvideox",
        name="CogVideoX",
        kind="video",
        size_multiple=16,
        min_size=64,
        max_size=1360,
        max_pixels=1360 * 768,
        frame_step=8,
        max_frames=161,
        samplers=dict.fromkeys(_VP_SAMPLERS, ("trailing",)),
        has_dynamic_guidance=True,
        has_first_frame=True,
        has_adapters=True,
        has_step_caching=True,
        max_batch=4,
        text_encoders=("T5",),
    ),
}

_SD35_LARGE_SIZES = ((1024, 1024), (1152, 896), (896, 1152), (1216, 832), (832, 1216), (1344, 768), (768, 1344))
_STABILITY_LICENCE = "Stability AI Community License: free under US$ 1M yearly revenue"
_COGVIDEOX_LICENCE = "CogVideoX License: research free, commercial use needs registration"


def _sd35(id: str, name: str, summary: str, defaults: ModelDefaults, **more: Any) -> ModelInfo:
    return ModelInfo(
        id=id,
        name=name,
        family="sd35",
        kind="image",
        summary=summary,
        defaults=defaults,
        sizes=more.pop("sizes", _SD35_LARGE_SIZES),
        licence=_STABILITY_LICENCE,
        repository=f"stabilityai/stable-diffusion-{id.removeprefix('sd')}",
    )


def _cogvideox(id: str, name: str, summary: str, dynamic: bool, licence: str, first_frame: bool = False) -> ModelInfo:
    return ModelInfo(
        id=id,
        name=name,
        family="cogvideox",
        kind="video",
        summary=summary,
        defaults=ModelDefaults(
            width=720,
            height=480,
            frames=49,
            fps=8,
            steps=50,
            guidance=6.0,
            sampler="dpm" if dynamic else "ddim",
            scheduler="trailing",
            max_sequence_length=226,
            dynamic_guidance=dynamic,
        ),
        sizes=((720, 480),),
        # What moves a picture has learned positions, for its own length alone.
        frames=(49,) if first_frame else (9, 17, 25, 33, 41, 49),
        first_frame=first_frame,
        licence=licence,
        repository=f"zai-org/CogVideoX-{id.removeprefix('cogvideox-').replace('i2v', 'I2V')}",
    )


def _cogvideox_15(
    id: str, name: str, summary: str, sizes: tuple[tuple[int, int], ...] = ((1360, 768),), first_frame: bool = False
) -> ModelInfo:
    return ModelInfo(
        id=id,
        name=name,
        family="cogvideox",
        kind="video",
        summary=summary,
        defaults=ModelDefaults(
            width=1360,
            height=768,
            frames=81,
            fps=16,
            steps=50,
            guidance=6.0,
            sampler="dpm",
            scheduler="trailing",
            max_sequence_length=224,
            dynamic_guidance=True,
        ),
        sizes=sizes,
        frames=(17, 33, 49, 65, 81, 161),
        first_frame=first_frame,
        licence=_COGVIDEOX_LICENCE,
        repository=f"zai-org/CogVideoX1.5-5B{'-I2V' if first_frame else ''}",
    )


def _rectified(steps: int, guidance: float, sampler: str = "dpmpp_2m", scheduler: str = "sgm_uniform") -> ModelDefaults:
    """SD3.5's reference settings."""
    return ModelDefaults(
        width=1024, height=1024, steps=steps, guidance=guidance, sampler=sampler, scheduler=scheduler, shift=3.0
    )


MODELS: dict[str, ModelInfo] = {
    model.id: model
    for model in (
        _sd35("sd3.5-large", "SD 3.5 Large", "8 billion parameters, about one megapixel.", _rectified(40, 4.5)),
        _sd35(
            "sd3.5-large-turbo",
            "SD 3.5 Large Turbo",
            "Large, distilled: four steps, no guidance.",
            _rectified(4, 1.0, "euler", "normal"),
        ),
        _sd35(
            "sd3.5-medium",
            "SD 3.5 Medium",
            "2.5 billion parameters, 0.25 to 2 megapixels.",
            _rectified(50, 5.0),
            sizes=(*_SD35_LARGE_SIZES, (512, 512), (768, 768), (1440, 1440)),
        ),
        _cogvideox("cogvideox-2b", "CogVideoX 2B", "Six seconds at 720 × 480.", False, "Apache-2.0"),
        _cogvideox(
            "cogvideox-5b",
            "CogVideoX 5B",
            "Six seconds at 720 × 480, finer than 2B.",
            True,
            _COGVIDEOX_LICENCE,
        ),
        _cogvideox(
            "cogvideox-5b-i2v",
            "CogVideoX 5B I2V",
            "Moves a picture: six seconds at 720 × 480.",
            True,
            _COGVIDEOX_LICENCE,
            first_frame=True,
        ),
        _cogvideox_15("cogvideox-1.5-5b", "CogVideoX 1.5 5B", "Five or ten seconds at 1360 × 768."),
        _cogvideox_15(
            "cogvideox-1.5-5b-i2v",
            "CogVideoX 1.5 5B I2V",
            "Moves a picture: five or ten seconds at up to 1360 × 768.",
            ((1360, 768), (768, 1360), (1024, 768), (768, 768)),
            first_frame=True,
        ),
    )
}


class InstalledModel(msgspec.Struct, frozen=True):
    """A model that can run: what it is, and the folder that holds it: in diffusers layout, or an import in parts."""

    info: ModelInfo
    folder: Path

    @property
    def family(self) -> FamilyInfo:
        return FAMILIES[self.info.family]

    @property
    def takes_picture(self) -> bool:
        """Whether a recipe for it may name a picture as its input."""
        return self.family.has_input_image or self.info.first_frame


_FAMILY_OF_PIPELINE = {
    "StableDiffusion3Pipeline": "sd35",
    "CogVideoXPipeline": "cogvideox",
    "CogVideoXImageToVideoPipeline": "cogvideox",
}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelMissing(
            f"There is no model in {path.parent}: {path.name} is missing.",
            "Choose a folder in diffusers layout (it holds model_index.json).",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}.", "Download the model again.") from error
    if not isinstance(value, dict):
        raise ModelDamaged(f"{path} is no JSON object.", "Download the model again.")
    return value


def _guess(folder: Path, family: str) -> ModelInfo:
    """What a folder without a card holds, by the shape of its transformer."""
    config = _read_json(folder / "transformer" / "config.json")
    if family == "sd35":
        if config.get("dual_attention_layers"):
            base = MODELS["sd3.5-medium"]
        elif "turbo" in folder.name.lower():
            base = MODELS["sd3.5-large-turbo"]
        else:
            base = MODELS["sd3.5-large"]
        published = config.get("num_layers") in (24, 38)
        native = int(config.get("sample_size", 128)) * 8
    else:
        newer = "cogvideox-1.5-5b" if config.get("patch_size_t") else "cogvideox-5b"
        moves = "-i2v" if config.get("in_channels", 16) > config.get("out_channels", 16) else ""
        base = MODELS[newer + moves if config.get("use_rotary_positional_embeddings") else "cogvideox-2b"]
        published = config.get("num_layers") in (30, 42)
        native = 0
    if published:
        return base if folder.name == base.id else msgspec.structs.replace(base, id=folder.name)
    defaults = base.defaults
    if native:
        defaults = msgspec.structs.replace(defaults, width=native, height=native)
    else:
        defaults = msgspec.structs.replace(
            defaults,
            width=int(config.get("sample_width", 90)) * 8,
            height=int(config.get("sample_height", 60)) * 8,
            frames=int(config.get("sample_frames", 49)),
            max_sequence_length=int(config.get("max_text_seq_length", 226)),
        )
    return msgspec.structs.replace(
        base,
        id=folder.name,
        name=folder.name,
        summary="",
        defaults=defaults,
        sizes=((defaults.width, defaults.height),),
        repository="",
    )


def open_folder(folder: Path) -> InstalledModel:
    """Recognise a folder in diffusers layout or an import. Raises ``ModelMissing``, ``ModelDamaged`` or ``BadFile``."""
    folder = Path(folder)
    reference = read_reference(folder)
    if reference is not None:
        return _open_reference(folder, reference)
    index = _read_json(folder / "model_index.json")
    family = _FAMILY_OF_PIPELINE.get(str(index.get("_class_name")))
    if family is None:
        raise BadFile(
            f"{folder} holds a {index.get('_class_name', 'model of no known kind')}.",
            f"Laterna runs {' and '.join(_FAMILY_OF_PIPELINE)}.",
        )
    card = folder / CARD_NAME
    if not card.exists():
        return InstalledModel(_guess(folder, family), folder)
    try:
        info = msgspec.json.decode(card.read_bytes(), type=ModelInfo)
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise ModelDamaged(f"{card} cannot be read: {error}.", "Remove the file, or get the model again.") from error
    if info.family != family:
        raise ModelDamaged(f"{card} says {info.family}, but the folder holds {family}.", "Remove the file.")
    return InstalledModel(info, folder)


def find_installed(folders: Iterable[Path]) -> Iterator[InstalledModel]:
    """Every usable model directly below ``folders``; folders that hold none are passed over.

    A folder that was moved to another disk is looked for there; imports are opened where they lie.
    """
    for parent in folders:
        place = _located(parent)
        if not place.is_dir():
            continue
        for folder in sorted(place.iterdir()):
            try:
                if (folder / "model_index.json").is_file() or (folder / REFERENCE_NAME).is_file():
                    yield open_folder(folder)
            except (BadFile, ModelMissing, ModelDamaged):
                continue


def _located(folder: Path) -> Path:
    """Where the models of ``folder`` are now; the folder itself where that cannot be told."""
    try:
        return locate(folder)
    except LaternaError:
        return folder


def _open_reference(folder: Path, reference: Reference) -> InstalledModel:
    if reference.folder:
        found = open_folder(Path(reference.folder))
        return InstalledModel(msgspec.structs.replace(found.info, id=folder.name), found.folder)
    base = MODELS.get(reference.model)
    if base is None:
        raise ModelDamaged(f"{folder / REFERENCE_NAME} names no known model.", "Import the model again.")
    assembly = assemble(reference, Path(reference.beside or folder.parent))
    if assembly.missing:
        raise ModelMissing(
            f"“{folder.name}” lacks its {', '.join(assembly.labels())}.",
            f"“models complete {folder.name}” downloads just that; or import files that hold it.",
        )
    name = Path(assembly.parts["transformer"].path).stem
    return InstalledModel(msgspec.structs.replace(base, id=folder.name, name=name), folder)


def resolve(model: str, folders: Iterable[Path]) -> InstalledModel:
    """A model by its id in ``folders``, or by the path of its folder. Raises ``ModelMissing`` with what there is."""
    folders = tuple(folders)
    installed = list(find_installed(folders))
    for found in installed:
        if found.info.id == model:
            return found
    for place in (
        *(_located(parent) / model for parent in folders if Path(model).name == model),
        Path(model).expanduser(),
    ):
        if place.is_dir():  # not usable, or it would have been found: this says why
            return open_folder(place)
    if model in MODELS:
        raise ModelMissing(
            f"{MODELS[model].name} is not on this machine.",
            f"Get it with “models download {model}”, or name a folder that holds {MODELS[model].repository}.",
        )
    here = [found.info.id for found in installed]
    more = [id for id in MODELS if id not in here]
    raise ModelMissing(
        f"There is no model “{model}”.",
        f"Models here: {', '.join(here) or 'none'}. In the catalogue: {', '.join(more) or 'none'}. Or name a folder.",
    )
