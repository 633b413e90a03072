"""Paths as a person types them: seen from the folder that they stand in, which is not the engine's.

Every argument that names a file or a folder is read by one of these, so that what goes on from here is absolute.
"""

from __future__ import annotations

from pathlib import Path


def path_argument(text: str) -> str:
    """``~`` and relative paths made absolute; links and ``..`` stay as they are."""
    return str(Path(text).expanduser().absolute()) if text else text


def path_or_export(text: str) -> str:
    """As ``path_argument``, but for the word that ``workflow`` may begin with."""
    return text if text == "export" else path_argument(text)
