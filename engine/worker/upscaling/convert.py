"""Read an upscaler's file once, in a process of its own: ``python -m engine.worker.upscaling.convert SOURCE TARGET``.

A ``.pth`` is a pickle. It is read with ``weights_only=True``, which builds tensors and nothing else, and this process
opens no connection, starts no program and writes nothing but ``TARGET``: what becomes of the file from then on is the
safetensors. Its facts are printed as JSON; a failure as ``ErrorInfo``, with exit code 2.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engine.files import check_regular, read_regular
from engine.media import atomic
from engine.models.upscalers import FILE_LIMIT, ConvertedUpscaler
from engine.protocol.errors import BadFile, LaternaError, ModelDamaged, UnsafeModel, from_os_error
from engine.worker.failures import named
from engine.worker.upscaling.loading import build_network, import_spandrel
from engine.worker.upscaling.measure import measured

_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "ctypes.dlopen")
_WRAPPERS = ("params_ema", "params", "state_dict", "model", "net_g")


def convert(source: Path, target: Path) -> ConvertedUpscaler:
    """Write ``source`` as safetensors, a safetensors file as it is. Raises ``LaternaError``s."""
    is_safe = source.suffix.lower() in (".safetensors", ".sft")
    try:
        check_regular(source)
        if source.stat().st_size > FILE_LIMIT:
            raise BadFile(f"{source.name} is larger than {FILE_LIMIT // 2**20} MiB.", "Choose an upscaler's file.")
        content = read_regular(source, FILE_LIMIT) if is_safe else b""
    except OSError as error:
        raise from_os_error(error, "reading the upscaler", source) from error
    weights = _safetensors(content, source.name) if is_safe else _unpickled(source)
    network = build_network(weights, source.name, torch.device("cpu"))
    found = measured(network)
    atomic.write_bytes(target, content if is_safe else save(weights, {"format": "pt"}))
    return ConvertedUpscaler(network.architecture, network.scale, found.overlap, found.memory, found.seconds)


def _safetensors(content: bytes, name: str) -> dict[str, Tensor]:
    try:
        return load(content)
    except (SafetensorError, ValueError) as error:
        raise ModelDamaged(f"{name} is damaged: {error}.", "Get it again.") from error


def _unpickled(source: Path) -> dict[str, Tensor]:
    try:
        found = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeModel(
            f"{source.name} holds more than weights, and opening it could run any program.",
            "Get the same network as .safetensors.",
        ) from error
    except Exception as error:  # whatever a damaged file makes of the reader
        raise ModelDamaged(f"{source.name} cannot be read as weights.", "Get it again.") from error
    for wrapper in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
            break
    tensors = {str(k): v for k, v in found.items() if isinstance(v, Tensor)} if isinstance(found, Mapping) else {}
    # Copies: safetensors takes none that share storage or are strided.
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


def _forbid(event: str, _arguments: Any) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event} is not allowed here")


def main(source: str, target: str) -> int:
    try:
        # Before anything is forbidden: it loads libraries.
        import_spandrel()
        sys.addaudithook(_forbid)
        with torch.no_grad():
            facts = convert(Path(source), Path(target))
    except LaternaError as error:
        print(msgspec.json.encode(error.info()).decode())
        return 2
    except Exception as error:
        print(msgspec.json.encode(named(error).info()).decode())
        return 2
    print(msgspec.json.encode(facts).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
