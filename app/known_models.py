"""What imports match the file names and hashes of other programs against."""

from __future__ import annotations

from contextlib import suppress

from app.paths import Paths
from engine.interop.model_files import KnownModels
from engine.models.installed import find_installed
from engine.models.location import locate
from engine.models.lora_shelf import LoraShelf
from engine.models.store import Store
from engine.protocol.errors import LaternaError


def known_models(paths: Paths) -> KnownModels:
    """The models of this machine, by name and by the hashes of their files; the LoRAs by name, and by hash once one is
    not found by it. Reads folders."""
    hashes: dict[str, str] = {}
    with suppress(LaternaError):  # the disk that holds the models may be away
        hashes = Store(locate(paths.models)).hashes()
    shelf = LoraShelf(paths.adapters)
    loras = tuple(one.name for one in shelf.known())
    return KnownModels.of(find_installed(paths.model_folders), hashes, loras, shelf.digests)
