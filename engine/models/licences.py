"""The licences of the catalogued models, and which of them the person has accepted, when, in which wording."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from engine import lenient
from engine.families.registry import LICENCES
from engine.families.source import Licence
from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.protocol.errors import AccessDenied, BadArguments, from_os_error


class Acceptance(msgspec.Struct, frozen=True):
    """``accepted`` in seconds since 1970."""

    licence: str
    fingerprint: str
    accepted: float


class Acceptances:
    """Kept in ``file``; a damaged file counts as none accepted."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> dict[str, Acceptance]:
        try:
            found = lenient.read(read_regular(self._file, TEXT_LIMIT), list[Acceptance], [])
        except OSError:
            return {}
        return {acceptance.licence: acceptance for acceptance in found}

    def has(self, licence: Licence) -> bool:
        found = self.all().get(licence.id)
        return found is not None and found.fingerprint == licence.fingerprint

    def accept(self, licence: Licence) -> Acceptance:
        acceptance = Acceptance(licence.id, licence.fingerprint, time.time())
        kept = [*(other for other in self.all().values() if other.licence != licence.id), acceptance]
        try:
            atomic.write_bytes(self._file, msgspec.json.format(msgspec.json.encode(kept), indent=1))
        except OSError as error:
            raise from_os_error(error, "keeping the acceptance", self._file) from error
        return acceptance

    def require(self, licence: Licence, model: str) -> None:
        """Raise ``AccessDenied`` unless this wording was accepted."""
        if not self.has(licence):
            raise AccessDenied(
                f"{model} comes under the {licence.name}, which you have not accepted yet.",
                f"Read it ({licence.url}), then accept it: “models licence {licence.id} --accept”.",
            )


def licence(name: str) -> Licence:
    """By its id; raises ``BadArguments``."""
    found = LICENCES.get(name)
    if found is None:
        raise BadArguments(f"There is no licence “{name}”.", f"Licences: {', '.join(LICENCES)}.")
    return found
