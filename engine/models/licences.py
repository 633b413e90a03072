"""The licences of the catalogued models, and which of them the person has accepted, when, in which wording."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.protocol.errors import AccessDenied, BadArguments, from_os_error


class Licence(msgspec.Struct, frozen=True):
    """``line`` is the gist in a line, ``terms`` the points that a person should know before accepting, ``url`` the
    full text. What is binding is the full text.
    """

    id: str
    name: str
    line: str
    terms: tuple[str, ...]
    url: str

    @property
    def fingerprint(self) -> str:
        """Changes with the wording: an acceptance is of one wording."""
        return hashlib.sha256("\n".join((self.name, self.line, *self.terms, self.url)).encode()).hexdigest()[:16]


LICENCES: dict[str, Licence] = {
    licence.id: licence
    for licence in (
        Licence(
            id="stability-community",
            name="Stability AI Community License (2024-07-05)",
            line="Free below US$ 1 million of yearly revenue.",
            terms=(
                "Free for research, for non-commercial use, and for commercial use by people and organisations with"
                " less than US$ 1 million of yearly revenue. Above that a licence from Stability AI is needed.",
                "What you make with the model is yours.",
                "Stability AI's acceptable use policy applies.",
                "The model's page asks you to accept the licence there too, with your account.",
            ),
            url="https://stability.ai/license",
        ),
        Licence(
            id="apache-2.0",
            name="Apache License 2.0",
            line="Free for any use.",
            terms=("Free for any use, commercial use included. Passed-on copies keep the licence and its notices.",),
            url="https://www.apache.org/licenses/LICENSE-2.0",
        ),
        Licence(
            id="cogvideox",
            name="CogVideoX License",
            line="Free for research; commercial use needs registration.",
            terms=(
                "Free for academic research.",
                "Commercial use needs a registration with Zhipu AI, and ends at one million visits a month.",
            ),
            url="https://huggingface.co/zai-org/CogVideoX-5b/blob/main/LICENSE",
        ),
    )
}


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
            found = msgspec.json.decode(read_regular(self._file, TEXT_LIMIT), type=list[Acceptance])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
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
