"""``laterna-reference.json``: a model that lies outside the models folder, where the person has it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.models.component_location import ComponentLocation
from engine.protocol.errors import ModelDamaged

REFERENCE_NAME = "laterna-reference.json"


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Either ``folder`` (diffusers layout, runs as it is), or ``parts`` in single files; ``missing`` are labels.

    ``beside`` is the models folder that gives what is missing, "" for the one that holds this reference.
    """

    model: str
    family: str
    folder: str = ""
    parts: tuple[ComponentLocation, ...] = ()
    missing: tuple[str, ...] = ()
    beside: str = ""
    format: int = 1

    @property
    def is_connected(self) -> bool:
        """Whether the files are (still) there."""
        if self.folder:
            return Path(self.folder, "model_index.json").is_file()
        return all(Path(part.path).exists() for part in self.parts)


def write_reference(folder: Path, reference: Reference) -> None:
    """Raises ``OSError``; ``folder`` must exist."""
    atomic.write_bytes(folder / REFERENCE_NAME, msgspec.json.format(msgspec.json.encode(reference), indent=1))


def read_reference(folder: Path) -> Reference | None:
    """None where ``folder`` is no import. Raises ``ModelDamaged``."""
    path = folder / REFERENCE_NAME
    try:
        return msgspec.json.decode(read_regular(path, TEXT_LIMIT), type=Reference)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}.", "Import the model again.") from error
