"""The person's token for the hub: kept in the system's keyring, or in a file that only they can read.

A token shows itself nowhere by accident: its text comes out only through ``reveal``, which the two places that put it
into a request call.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

from engine.media import atomic
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
    """Keeps one token. ``keyring`` is the package of that name where it is installed and has a place to keep things."""

    def __init__(self, file: Path, environment: Mapping[str, str] = os.environ, keyring: Any = None) -> None:
        self._file = file
        self._environment = environment
        self._keyring = keyring if keyring is not None else _find_keyring()

    @property
    def has_keyring(self) -> bool:
        return self._keyring is not None

    def find(self) -> tuple[Token | None, TokenPlace]:
        """The token and where it is from: what was saved here, else ``HF_TOKEN``."""
        text = self._from_keyring()
        if text:
            return Token(text), "keyring"
        try:
            text = self._file.read_text("utf-8")
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
        if self._keyring is not None:
            try:
                self._keyring.set_password(SERVICE, ACCOUNT, token.reveal())
            except Exception:  # a keyring fails in as many ways as there are desktops; the file is the answer to all
                self._keyring = None
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
        if self._keyring is not None and self._from_keyring():
            try:
                self._keyring.delete_password(SERVICE, ACCOUNT)
            except Exception as error:
                raise LaternaError("The keyring did not give the token up.", "Delete “laterna” in it.") from error
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise _file_failed(error, "deleting the token", self._file) from None

    def _from_keyring(self) -> str:
        if self._keyring is None:
            return ""
        try:
            return str(self._keyring.get_password(SERVICE, ACCOUNT) or "")
        except Exception:  # locked, or gone since: the file and the environment are looked at next
            return ""


def _file_failed(error: Exception, action: str, path: Path) -> LaternaError:
    if isinstance(error, OSError):
        return from_os_error(error, action, path)
    return BadArguments(f"{path} holds no token.", "Delete the file and enter the token again.")


def _find_keyring() -> Any:
    try:
        keyring = importlib.import_module("keyring")
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception:
        return None
