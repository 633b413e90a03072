"""The operating system's keyring, where it has one: Secret Service (GNOME, KDE), macOS Keychain, Windows' credentials.

Only these are used, by name: the ``keyring`` package would also pick a plugin that writes plain text. It is imported at
the first use, since that takes a good part of a second, and asked in a thread of its own, since a keyring that waits
for a password answers only when the person does, and a broken one never.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

SECONDS_TO_FIND = 5.0
SECONDS_TO_ANSWER = 60.0  # the desktop may be asking for the keyring's password
BACKENDS = {
    "linux": ("keyring.backends.SecretService", "Keyring"),
    "darwin": ("keyring.backends.macOS", "Keyring"),
    "win32": ("keyring.backends.Windows", "WinVaultKeyring"),
}
_NONE = ("keyring.backends.null.Keyring", "keyring.backends.fail.Keyring")

_T = TypeVar("_T")


class Keyring(Protocol):
    """What of the ``keyring`` package's backends is used. Methods raise whatever the desktop makes them raise."""

    def get_password(self, service: str, account: str, /) -> str | None: ...

    def set_password(self, service: str, account: str, password: str, /) -> None: ...

    def delete_password(self, service: str, account: str, /) -> None: ...


class KeyringSilent(Exception):
    """It did not answer in time."""


def find_keyring(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Keyring | None:
    """This system's keyring; None where there is none that can be used, or where ``PYTHON_KEYRING_BACKEND`` (the
    package's own variable) names the empty one.
    """
    if platform not in BACKENDS or environment.get("PYTHON_KEYRING_BACKEND") in _NONE:
        return None
    module, name = BACKENDS[platform]

    def look() -> Any:
        backend = getattr(importlib.import_module(module), name)
        return backend() if backend.viable else None

    try:
        found = in_time(look, SECONDS_TO_FIND)
    except Exception:  # a keyring fails in as many ways as there are desktops
        return None
    return None if found is None else Patient(found)


class Patient:
    """``keyring``, given up on after ``seconds``: raises ``KeyringSilent`` then."""

    def __init__(self, keyring: Keyring, seconds: float = SECONDS_TO_ANSWER) -> None:
        self._keyring = keyring
        self._seconds = seconds

    def get_password(self, service: str, account: str) -> str | None:
        return in_time(lambda: self._keyring.get_password(service, account), self._seconds)

    def set_password(self, service: str, account: str, password: str) -> None:
        in_time(lambda: self._keyring.set_password(service, account, password), self._seconds)

    def delete_password(self, service: str, account: str) -> None:
        in_time(lambda: self._keyring.delete_password(service, account), self._seconds)


def in_time(call: Callable[[], _T], seconds: float) -> _T:
    """What ``call`` returns or raises; ``KeyringSilent`` after ``seconds`` (its thread is left to itself)."""
    result: list[_T] = []
    raised: list[Exception] = []

    def run() -> None:
        try:
            result.append(call())
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not result:
        raise KeyringSilent(f"The keyring did not answer in {seconds:g} s.")
    return result[0]
