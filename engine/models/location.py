"""Where the models folder is: a marker in a folder that was moved away names the new one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.protocol.errors import ModelDamaged, ModelMissing

MOVED_NAME = "laterna-moved.json"
MAX_HOPS = 10


class Moved(msgspec.Struct, frozen=True):
    folder: str


def locate(root: Path) -> Path:
    """Where the models of ``root`` are now. Raises ``ModelMissing`` where that disk is not there."""
    here = root
    for _ in range(MAX_HOPS):
        marker = here / MOVED_NAME
        try:
            target = Path(msgspec.json.decode(read_regular(marker, TEXT_LIMIT), type=Moved).folder)
        except FileNotFoundError:
            return here
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelDamaged(f"{marker} cannot be read: {error}.", "Move the models again.") from error
        if not target.is_dir():
            raise ModelMissing(
                f"The models were moved to {target}, which is not there.", f"Connect that disk, or delete {marker}."
            )
        here = target
    raise ModelDamaged(f"The models folder {root} was moved in a circle.", f"Delete {root / MOVED_NAME}.")
