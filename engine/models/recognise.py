"""What a model file is, from its header: family, variant, precision, and which components it holds.

Key names are those of the reference implementations: SD3.5's ``joint_blocks`` (MMDiT), the VAE's
``first_stage_model.``, the text encoders' ``text_encoders.clip_l.`` and so on of all-in-one checkpoints, CogVideoX as
diffusers names it, and the separate files that ComfyUI users have. Nothing but the header is read; pickles are refused
unread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from engine.families.base import Family
from engine.families.registry import FAMILIES, FILE_KINDS, INFOS
from engine.files import open_regular
from engine.models.component_location import PICKLES, ComponentLocation, Format
from engine.models.gguf_header import MAGIC, read_gguf
from engine.models.reading.find import FoundComponent, controlnet_family, find_components, model_of, network_kind
from engine.models.reading.strangers import Stranger, stranger
from engine.models.reading.tensor_files import GgufTensors, TensorFile, open_tensors
from engine.protocol.errors import BadFile, LaternaError, UnsafeModel, from_os_error

_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_PRECISIONS = {
    "F64": "fp64",
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8",
    "F8_E5M2": "fp8",
    "I8": "int8",
}


class RecognisedFile(msgspec.Struct, frozen=True):
    """``model`` is the catalogued id of the transformer in it, "" where it holds none. The parts are named as in
    ``family``; a T5 or a tokenizer alone belongs to several."""

    family: str
    model: str
    parts: tuple[ComponentLocation, ...]


@dataclass(frozen=True)
class Refused:
    """A file that is no model. ``kind`` as ``reading.strangers`` has it; ``family`` the one that it goes with, by id
    where it is ours, by name where it is not, and "" where that is not known."""

    error: LaternaError
    kind: Literal["LoRA", "ControlNet", "other"] = "other"
    family: str = ""


def recognise_file(path: Path) -> RecognisedFile:
    """Raises ``UnsafeModel`` for a pickle, ``ModelDamaged`` for a broken header, ``BadFile`` for anything else."""
    found = look_at(path)
    if isinstance(found, Refused):
        raise found.error
    return found


def look_at(path: Path) -> RecognisedFile | Refused:
    """What is in ``path``; raises nothing."""
    try:
        return _looked_at(path)
    except LaternaError as error:
        return Refused(error)


def _looked_at(path: Path) -> RecognisedFile | Refused:
    if path.suffix.lower() in PICKLES:
        raise _pickle(path)
    try:
        with open_regular(path) as file:
            start = file.read(4)
    except OSError as error:
        raise from_os_error(error, "reading the model file", path) from error
    if not start:
        raise BadFile(f"{path.name} is empty.", "Get the file again.")
    if start.startswith(_PICKLE_STARTS):
        raise _pickle(path)
    if start == MAGIC:
        return _recognised(path, "gguf")
    if path.suffix.lower() == ".gguf":
        raise BadFile(f"{path.name} is called GGUF, but does not begin as such a file does.", "Get the file again.")
    if path.suffix.lower() not in (".safetensors", ".sft"):
        raise BadFile(f"{path.name} is no model file that Laterna knows.", "Choose a .safetensors or .gguf file.")
    return _recognised(path, "safetensors")


def _pickle(path: Path) -> UnsafeModel:
    return UnsafeModel(
        f"{path.name} is a pickle: opening it can run any program.", "Get the same model as .safetensors."
    )


def _recognised(path: Path, format: Format) -> RecognisedFile | Refused:
    tensors = open_tensors(path, format)
    controlled = controlnet_family(tensors.shapes)
    if controlled:
        name = INFOS[controlled].name
        error = BadFile(f"{path.name} is a ControlNet for {name}.", "It goes with a model; it is none.")
        return Refused(error, "ControlNet", controlled)
    found = find_components(tensors.shapes, path.stem)
    if not found:
        return _unknown(path, format, tensors)
    main = found[0]
    if network_kind(main.kind) != "denoiser":  # a VAE in another family's checkpoint has other numbers
        told = stranger(tensors.shapes)
        if told is not None and told.family:
            return _unknown(path, format, tensors)
        FILE_KINDS[main.kind].refuse_alone(path.stem)
    if isinstance(tensors, GgufTensors) and tensors.unread:
        types = ", ".join(tensors.unread)
        raise BadFile(f"{path.name} keeps weights as {types}, which Laterna does not read.", "Get it as Q4_K or Q8_0.")
    family = next(family for family in FAMILIES.values() if family.name_of(main.kind))
    names = {one.kind: family.name_of(one.kind) for one in found}
    parts = [_part(names[one.kind], path, format, one, tensors) for one in found if names[one.kind]]
    tokenizers = [kind for one in found if (kind := FILE_KINDS[one.kind].tokenizer)]
    if tokenizers and format == "gguf" and _has_pieces(path):
        parts += [ComponentLocation(family.name_of(kind), str(path), "gguf", "", 0, kind=kind) for kind in tokenizers]
    return RecognisedFile(family.info.id, model_of(main, tensors.shapes, path), tuple(parts))


def _part(name: str, path: Path, format: Format, one: FoundComponent, tensors: TensorFile) -> ComponentLocation:
    own = open_tensors(path, format, one.prefix) if one.prefix else tensors
    words = 0
    if network_kind(one.kind) == "text":
        words = next((shape[0] for key, shape in own.shapes.items() if key.endswith(_WORDS) and shape), 0)
    plain = not any(key.endswith("text_projection.weight") for key in own.shapes)
    return ComponentLocation(
        name, str(path), format, precision_name(own.dtype), own.bytes, one.prefix, one.kind, words, plain
    )


_WORDS = ("embeddings.token_embedding.weight", "shared.weight", "embed_tokens.weight", "token_embd.weight")


def _has_pieces(path: Path) -> bool:
    metadata = read_gguf(path).metadata
    return isinstance(metadata.get("tokenizer.ggml.tokens"), list)


def precision_name(dtype: str) -> str:
    """``BF16`` as people write it; ggml's names are left as they are."""
    return _PRECISIONS.get(dtype, dtype if dtype.startswith(("Q", "IQ")) else dtype.lower())


def what_runs() -> str:
    return f"Laterna runs {' and '.join(info.name for info in INFOS.values())}."


def _unknown(path: Path, format: Format, tensors: TensorFile) -> Refused:
    told = stranger(tensors.shapes)
    if told is not None:
        return Refused(_sentence_of(path, told), told.kind, told.family)
    if format == "gguf":
        architecture = str(read_gguf(path).metadata.get("general.architecture", "unknown"))[:40]
        return Refused(BadFile(f"{path.name} holds a model of the kind “{architecture}”.", what_runs()))
    count = len(tensors.shapes)
    return Refused(BadFile(f"{path.name} holds nothing that Laterna knows ({count} tensors).", what_runs()))


def _sentence_of(path: Path, told: Stranger) -> BadFile:
    if told.kind == "LoRA" and told.family:
        return BadFile(f"{path.name} is a LoRA for {told.family}.", what_runs())
    if told.kind == "LoRA":
        return BadFile(f"{path.name} is a LoRA, not a model.", "Add it to a model, among the LoRAs.")
    if told.kind == "ControlNet" and told.family:
        return BadFile(f"{path.name} is a ControlNet for {told.family}.", what_runs())
    return BadFile(f"{path.name} is {told.what}.", what_runs())


def precision_of(family: Family, parts: Iterable[ComponentLocation]) -> str:
    """What the first denoiser among ``parts`` is stored in, "" where there is none."""
    found = {part.name: part.precision for part in parts}
    return next((found[name] for name in family.denoisers() if name in found), "")
