"""The ControlNets of this machine that go with models that Laterna runs: where each lies. Nothing is copied."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.models.store import Store
from engine.protocol.errors import from_os_error

_NAME = "controlnets.json"
CONTROLS = ("blur", "canny", "depth", "pose", "tile", "inpaint")


class KnownControlNet(msgspec.Struct, frozen=True, omit_defaults=True):
    """``family`` by id; ``control`` what it follows, one of ``CONTROLS``, or "" where its name does not tell."""

    path: str
    family: str
    control: str = ""


def control_of(path: Path, family: str) -> KnownControlNet:
    """That in ``path``; in diffusers layout its folder has the name."""
    name = f"{path.parent.name if path.stem.startswith('diffusion_pytorch_model') else path.stem}".lower()
    return KnownControlNet(str(path), family, next((control for control in CONTROLS if control in name), ""))


def known_controlnets(store: Store) -> tuple[KnownControlNet, ...]:
    """Those that are there; a damaged list counts as an empty one."""
    try:
        found = msgspec.json.decode(read_regular(_file(store), TEXT_LIMIT), type=list[KnownControlNet])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return tuple(one for one in found if Path(one.path).is_file())


def keep_controlnets(store: Store, found: Iterable[KnownControlNet]) -> None:
    """Remember where they lie."""
    kept = {one.path: one for one in (*known_controlnets(store), *found)}
    file = _file(store)
    try:
        store.create()
        atomic.write_bytes(file, msgspec.json.format(msgspec.json.encode(list(kept.values())), indent=1))
    except OSError as error:
        raise from_os_error(error, "keeping the ControlNets", file) from error


def _file(store: Store) -> Path:
    return store.root / "store" / _NAME
