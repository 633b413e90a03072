"""The person's token for the hub: kept in the system's keyring, or in a file that only they can read.

A token shows itself nowhere by accident: its text comes out only through ``reveal``, which the two places that put it
into a request call.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NoReturn

from engine.files import read_regular
from engine.media import atomic
from engine.models.keyrings import Keyring, KeyringSilent, find_keyring
from engine.protocol.errors import BadArguments, LaternaError, from_os_error

SERVICE, ACCOUNT = "laterna", "hub-token"
TokenPlace = Literal["keyring", "file", "environment", "none"]
_SOUND = re.compile(r"[\x21-\x7e]{4,1000}")


class Token:
    """A secret text. Neither its repr nor its str nor a pickle holds it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        text = text.strip()
        if not _SOUND.fullmatch(text):
            raise BadArguments("This is no token: it is empty, or has spaces or line ends in it.", "Copy it again.")
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Token(…)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")


class TokenStore:
    """Keeps one token. ``find_keyring`` is called at the first use. Thread-safe; every method may take its time."""

    def __init__(
        self,
        file: Path,
        environment: Mapping[str, str] = os.environ,
        find_keyring: Callable[[], Keyring | None] = find_keyring,
    ) -> None:
        self._file = file
        self._environment = environment
        self._find_keyring = find_keyring
        self._found: Keyring | None = None
        self._looked = False
        self._lock = threading.Lock()

    @property
    def has_keyring(self) -> bool:
        return self._keyring is not None

    @property
    def _keyring(self) -> Keyring | None:
        with self._lock:
            if not self._looked:
                self._found, self._looked = self._find_keyring(), True
            return self._found

    def _give_up_keyring(self) -> None:
        with self._lock:
            self._found, self._looked = None, True

    def find(self) -> tuple[Token | None, TokenPlace]:
        """The token and where it is from: what was saved here, else ``HF_TOKEN``."""
        text = self._from_keyring()
        if text:
            return Token(text), "keyring"
        try:
            text = read_regular(self._file, 64 * 1024).decode("utf-8")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as error:
            raise _file_failed(error, "reading the token", self._file) from None
        if text.strip():
            return Token(text), "file"
        text = self._environment.get("HF_TOKEN", "")
        return (Token(text), "environment") if text.strip() else (None, "none")

    def save(self, token: Token) -> TokenPlace:
        """Keep ``token`` and say where. Raises ``NotWritable`` or ``NoSpace``."""
        keyring = self._keyring
        if keyring is not None:
            try:
                keyring.set_password(SERVICE, ACCOUNT, token.reveal())
            except Exception:  # a keyring fails in as many ways as there are desktops; the file is the answer to all
                self._give_up_keyring()
            else:
                self._file.unlink(missing_ok=True)
                return "keyring"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with atomic.replacing(self._file) as temporary:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(token.reveal())
        except OSError as error:
            raise _file_failed(error, "keeping the token", self._file) from None
        return "file"

    def delete(self) -> None:
        """Forget the token everywhere that ``save`` may have put it."""
        keyring = self._keyring
        if keyring is not None and self._from_keyring():
            try:
                keyring.delete_password(SERVICE, ACCOUNT)
            except Exception as error:
                raise LaternaError("The keyring did not give the token up.", "Delete “laterna” in it.") from error
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise _file_failed(error, "deleting the token", self._file) from None

    def _from_keyring(self) -> str:
        keyring = self._keyring
        if keyring is None:
            return ""
        try:
            return str(keyring.get_password(SERVICE, ACCOUNT) or "")
        except KeyringSilent:
            self._give_up_keyring()  # not another wait for each request
        except Exception:  # locked, or gone since: the file and the environment are looked at next
            pass
        return ""


def _file_failed(error: Exception, action: str, path: Path) -> LaternaError:
    if isinstance(error, OSError):
        return from_os_error(error, action, path)
    return BadArguments(f"{path} holds no token.", "Delete the file and enter the token again.")
