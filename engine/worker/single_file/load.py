"""A network from the tensors of a file: built without weights, then given them one by one. Never asks the hub."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engine.protocol.errors import ModelDamaged
from engine.worker.component import GET_AGAIN, Part
from engine.worker.memory.plan import PartPlan
from engine.worker.single_file.names import LAYOUTS, Piece
from engine.worker.single_file.quantised import replace_linear, widen
from engine.worker.single_file.tensors import Blocks, TensorFile, open_tensors

_THIRDS = {"first": 0, "second": 1, "third": 2}


def read_network(cls: Any, part: Part, plan: PartPlan) -> nn.Module:
    """An instance of ``cls`` (diffusers or transformers) with the weights of ``part`` in ``plan.storage``; quantised
    matrices stay as they are and are widened for each call. Raises ``ModelDamaged`` where the file does not fit.
    """
    tensors = open_tensors(part.weights[0], part.format, part.prefix)
    values = _values(part.name, tensors, plan.compute if part.quantised_bytes else plan.storage)
    if part.name.startswith("text_encoder"):
        return _text_encoder(cls, part, values, plan.storage)
    with torch.device("meta"):
        network: nn.Module = cls.from_config(part.config)
    blocks = {target: value for target, value in values.items() if isinstance(value, Blocks)}
    for target, value in blocks.items():
        layer = target.removesuffix(".weight")
        bias = values.get(f"{layer}.bias")
        if target.endswith(".weight") and replace_linear(network, layer, value, _plain(bias, plan.compute)):
            values[target] = value.data
        else:
            values[target] = value.widened(plan.compute)
    _fill(network, part, {target: value for target, value in values.items() if isinstance(value, Tensor)})
    return network


def _values(name: str, tensors: TensorFile, dtype: torch.dtype) -> dict[str, Tensor | Blocks]:
    """Every tensor of the component under its new name, plain ones in ``dtype``; each is read once."""
    found: dict[str, Tensor | Blocks] = {}
    last, source = None, ""
    for take in LAYOUTS[name](tensors.shapes):
        if take.source != source or last is None:
            read = tensors.read(take.source)
            last, source = (read if isinstance(read, Blocks) else read.to(dtype)), take.source
        if isinstance(last, Blocks):
            found[take.target] = Blocks(_piece(last.data, take.piece), last.type)
        else:
            found[take.target] = _piece(last, take.piece)
    return found


def _piece(tensor: Tensor, piece: Piece) -> Tensor:
    if piece in _THIRDS:
        return tensor.chunk(3)[_THIRDS[piece]]
    if piece == "swapped":
        return torch.cat(tensor.chunk(2)[::-1])
    return tensor.reshape(tensor.shape[:2]) if piece == "matrix" else tensor


def _plain(value: Tensor | Blocks | None, dtype: torch.dtype) -> Tensor | None:
    return None if value is None else widen(value, dtype)


def _fill(network: nn.Module, part: Part, values: dict[str, Tensor]) -> None:
    try:
        found = network.load_state_dict(values, strict=False, assign=True)
    except RuntimeError as error:
        raise _misfit(part, str(error)) from error
    if found.missing_keys or found.unexpected_keys:
        raise _misfit(part, ", ".join([*found.missing_keys, *found.unexpected_keys]))


def _text_encoder(cls: Any, part: Part, values: dict[str, Tensor | Blocks], dtype: torch.dtype) -> nn.Module:
    """transformers builds its own buffers, so it is given a whole state instead of an empty network.

    A CLIP-L without a projection has none: the identity stands for it, as in the reference.
    """
    config = cls.config_class(**part.config)
    plain = {target: widen(value, dtype) for target, value in values.items()}
    if part.name != "text_encoder_3" and "text_projection.weight" not in plain:
        plain["text_projection.weight"] = torch.eye(config.hidden_size, dtype=dtype)
    network, report = cls.from_pretrained(None, config=config, state_dict=plain, dtype=dtype, output_loading_info=True)
    wrong = sorted({str(name) for kind in ("missing_keys", "mismatched_keys") for name in report[kind]})
    if wrong:
        raise _misfit(part, ", ".join(wrong))
    loaded: nn.Module = network
    return loaded


def _misfit(part: Part, names: str) -> ModelDamaged:
    shown = names if len(names) < 300 else f"{names[:300]}…"
    return ModelDamaged(f"{part.weights[0].name} holds no whole {part.name.replace('_', ' ')}: {shown}.", GET_AGAIN)
